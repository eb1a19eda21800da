import { StorageError } from '@recap/storage';
import { createRecorder } from './create-recorder';
import type { Recorder } from './recorder/recorder';
import type { RecorderCore } from './recorder/recorder-core';

const DEFAULT_RECORDER = Symbol.for('recap.recorder');

interface Process {
  [DEFAULT_RECORDER]?: RecorderCore;
}

/**
 * The recorder that middleware, decorator and router use when they are given none: made with the
 * default options when it is first needed, one for the process even if two copies of this package are loaded.
 */
export function defaultRecorder(): Recorder {
  return resolveRecorder(undefined);
}

/** Makes `recorder` the process's own, for middleware, decorators and routers that name none. */
export function setDefaultRecorder(recorder: Recorder): void {
  const shared = globalThis as Process;
  shared[DEFAULT_RECORDER] = resolveRecorder(recorder);
}

/** @throws {StorageError} `CONFIG_INVALID` when what was given is not a recorder. */
export function resolveRecorder(given: Recorder | undefined): RecorderCore {
  if (given === undefined) {
    const shared = globalThis as Process;
    const existing = shared[DEFAULT_RECORDER];
    if (existing !== undefined) return existing;
    const made = createRecorder() as RecorderCore;
    shared[DEFAULT_RECORDER] = made;
    return made;
  }
  // Not by class: two copies of this package may be loaded.
  if (typeof (given as Partial<RecorderCore> | null)?.begin === 'function') return given as RecorderCore;
  throw new StorageError(
    'CONFIG_INVALID',
    'The option "recorder" is not a recorder. Pass what createRecorder() returned.',
  );
}
