import { storageMiddleware as expressMiddleware } from '@recap/capture/express';
import { storageMiddleware as koaMiddleware } from '@recap/capture/koa';
import type { EntryRecord } from '../../packages/capture/src/entries/entry-record';
import type { EntryStore } from '../../packages/capture/src/entries/entry-store';
import type { ExchangeSpool } from '../../packages/capture/src/recorder/exchange-spool';
import type { RecorderCore } from '../../packages/capture/src/recorder/recorder-core';
import type { RecorderOptions } from '../../packages/capture/src/recorder/recorder-options';
import { openRecorder } from '../../packages/capture/test/recording/open-recorder';
import type { Recording } from './hosts';

/** Recap itself, on a store in memory, keeping every body as it is. */
export interface Recap extends Recording {
  /** Oldest first, once all are written. */
  entries(): Promise<EntryRecord[]>;
  readonly failures: readonly { readonly error: unknown; readonly where: string }[];
  readonly recorder: RecorderCore;
  close(): Promise<void>;
}

export function openRecap(options: RecorderOptions = {}, store?: EntryStore, spool?: ExchangeSpool): Recap {
  const opened = openRecorder(
    {
      redaction: false,
      compress: false,
      contentTypes: ['*/*'],
      ...options,
    },
    store,
    spool,
  );
  const { recorder } = opened;
  return {
    express: () => expressMiddleware({ recorder }) as ReturnType<Recording['express']>,
    koa: () => koaMiddleware({ recorder }),
    entries: () => opened.entries(),
    failures: opened.failures,
    recorder,
    close: () => recorder.close(),
  };
}
