import type { RecorderStats } from './recorder/recorder';
import type { RecorderCore } from './recorder/recorder-core';
import { RECORDER_DEFAULTS } from './recorder/recorder-options';

/** Gives `onStats` the recorder's figures again and again, and once more at the end. */
export function reportStats(
  recorder: Pick<RecorderCore, 'options' | 'stats' | 'onError' | 'onClosed'>,
): void {
  const { onStats, statsIntervalMs = RECORDER_DEFAULTS.statsIntervalMs } = recorder.options;
  if (onStats === undefined) return;
  const tell: (stats: RecorderStats) => unknown = onStats;
  const failed = (error: unknown): void => {
    recorder.onError(error, 'onStats');
  };
  const report = (): void => {
    try {
      const given: unknown = tell(recorder.stats());
      // An asynchronous function fits the type as well, and what it rejects with would end the program.
      Promise.resolve(given).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
  const timer = setInterval(report, statsIntervalMs).unref();
  recorder.onClosed(() => {
    clearInterval(timer);
    report();
  });
}
