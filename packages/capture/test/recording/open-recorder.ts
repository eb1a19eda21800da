import { setImmediate as nextTurn } from 'node:timers/promises';
import { newId } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { decodeBody } from '../../src/codec';
import type { EntryRecord } from '../../src/entries/entry-record';
import type { EntryStore } from '../../src/entries/entry-store';
import type { ExchangeSpool } from '../../src/recorder/exchange-spool';
import { RecorderCore } from '../../src/recorder/recorder-core';
import type { RecorderOptions } from '../../src/recorder/recorder-options';
import { createMemoryEntryStore } from '../../src/testing';

export interface OpenedRecorder {
  readonly recorder: RecorderCore;
  readonly store: EntryStore;
  readonly clock: FakeClock;
  readonly failures: { error: unknown; where: string }[];
  /** All that was recorded, oldest first, once every exchange in progress is over and written. */
  entries(): Promise<EntryRecord[]>;
  /** The one entry there is. */
  entry(): Promise<EntryRecord>;
}

/** A recorder on a store in memory and a clock that stands still. */
export function openRecorder(
  options: RecorderOptions = {},
  store?: EntryStore,
  spool?: ExchangeSpool,
): OpenedRecorder {
  const clock = new FakeClock();
  const failures: { error: unknown; where: string }[] = [];
  const used = store ?? createMemoryEntryStore({ clock, newId, sessionMaxAgeMs: 24 * 3_600_000 });
  const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const recorder = new RecorderCore(
    {
      logger: silent,
      onError: (error, where) => {
        failures.push({ error, where });
      },
      ...options,
    },
    used,
    clock,
    newId,
    undefined,
    spool,
  );
  const entries = async (): Promise<EntryRecord[]> => {
    await idle(recorder);
    await recorder.flush();
    const found = await used.find({ filter: {}, limit: 1_000, includeBodies: true });
    return found.reverse();
  };
  return {
    recorder,
    store: used,
    clock,
    failures,
    entries,
    entry: async () => {
      const all = await entries();
      const [only] = all;
      if (only === undefined || all.length !== 1)
        throw new Error(`${String(all.length)} entries instead of one`);
      return only;
    },
  };
}

/** Resolves when no exchange is in progress; rejects when one does not end. */
export async function idle(recorder: RecorderCore): Promise<void> {
  const deadline = performance.now() + 4_000;
  while (recorder.stats().open > 0) {
    if (performance.now() > deadline) throw new Error('An exchange does not end.');
    await nextTurn();
  }
}

export function requestData(entry: EntryRecord): unknown {
  return decodeBody(entry, 'request').data;
}

export function responseData(entry: EntryRecord): unknown {
  return decodeBody(entry, 'response').data;
}

function ignore(): void {
  // A logger that says nothing.
}
