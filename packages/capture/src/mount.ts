import { z } from 'zod';
import { faultPoint } from './fault-point';
import { resolveRecorder } from './default-recorder';
import { captureOptionShape, checkOptions, type CaptureOptions } from './recorder/capture-options';
import type { CaptureSettings } from './recorder/capture-settings';
import type { Recorder } from './recorder/recorder';
import type { RecorderCore } from './recorder/recorder-core';

/** A recorder and the settings of one mount of it. */
export interface Mount {
  readonly recorder: RecorderCore;
  readonly settings: CaptureSettings;
}

/** What a middleware was given: its own options, and where it records to. */
export interface Mounting {
  readonly own: CaptureOptions;
  /** The process's own recorder is looked up when it is first needed, so that a program can still set another. */
  mount(): Mount;
  /** The recorder, if that is known. */
  readonly recorder: RecorderCore | undefined;
  /** Tells a failure to whom it concerns, if that is known. */
  onError(error: unknown): void;
}

const schema = z.strictObject({ ...captureOptionShape, recorder: z.unknown().optional() });

/** @throws {StorageError} `CONFIG_INVALID`, naming every wrong option. */
export function createMounting(
  options: CaptureOptions & { readonly recorder?: Recorder },
  caller: string,
): Mounting {
  checkOptions(schema, options, caller);
  const { recorder: given, ...own } = options;
  const mountOn = (recorder: RecorderCore): Mount => ({ recorder, settings: recorder.settings(own) });
  let mounted = given === undefined ? undefined : mountOn(resolveRecorder(given));
  return {
    own,
    mount: () => {
      faultPoint('mount');
      return (mounted ??= mountOn(resolveRecorder(undefined)));
    },
    get recorder() {
      return mounted?.recorder;
    },
    onError: (error) => {
      mounted?.recorder.onError(error, caller);
    },
  };
}
