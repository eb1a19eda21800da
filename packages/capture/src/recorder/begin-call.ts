import { performance } from 'node:perf_hooks';
import type { CapturedBody, Outcome } from '../exchange';
import { FLOW_MARKS, flowKind } from '../flow-kind';
import { observe } from '../flow/observe';
import { describeError } from '../tap/describe-error';
import type { EntrySettings } from './capture-settings';
import type { OpenExchange } from './open-exchange';
import { beginFlow } from './open-flows';
import { parsedBody } from './parsed-body';
import { recordCall } from './record-call';
import type { RecorderCore } from './recorder-core';

export interface CallStart {
  /** `Class.method`. */
  readonly endpoint: string;
  readonly args: readonly unknown[];
  /** The exchange within which the method is called. */
  readonly parent: OpenExchange | undefined;
  readonly settings: EntrySettings;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly maxBodyBytes: number;
}

/** Runs the method and records the call when it is over; returns and throws what the method does. */
export type RunCall = (work: () => unknown) => unknown;

/** Begins to record a call: takes the arguments down now, since the method may change what it was given. */
export function beginCall(recorder: RecorderCore, start: CallStart): RunCall {
  const { endpoint, parent, settings, metadata, maxBodyBytes } = start;
  const args = settings.storageType === 'response' ? undefined : parsedBody(start.args, maxBodyBytes);
  const startedAt = recorder.clock.now();
  const startedTicks = performance.now();

  const end = (outcome: Outcome, result: CapturedBody | undefined, thrown?: { readonly error: unknown }) => {
    const call = {
      endpoint,
      args,
      result,
      outcome,
      error: thrown === undefined ? undefined : describeError(thrown.error),
      startedAt,
      durationMs: performance.now() - startedTicks,
      settings,
      metadata,
    };
    recordCall(recorder, call, parent);
  };
  const returned = (result: unknown): void => {
    guarded(recorder, () => {
      const isWanted = settings.storageType !== 'request';
      const kind = isWanted ? flowKind(result) : undefined;
      if (kind !== undefined && beginFlow(recorder, result as object, kind, maxBodyBytes, end)) return;
      const kept = kind === undefined ? result : FLOW_MARKS[kind];
      end('completed', isWanted ? parsedBody(kept, maxBodyBytes) : undefined);
    });
  };
  const failed = (error: unknown): void => {
    guarded(recorder, () => {
      end('failed', undefined, { error });
    });
  };
  return (work) => observe(work, returned, failed);
}

function guarded(recorder: RecorderCore, work: () => void): void {
  try {
    work();
  } catch (error) {
    recorder.onError(error, 'storeApiData');
  }
}
