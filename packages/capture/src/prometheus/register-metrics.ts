import { Counter, Gauge, Histogram, register, type Registry } from 'prom-client';
import { resolveRecorder } from '../default-recorder';
import { FLUSH_DURATION, RECORDER_METRICS, type RecorderMetric } from '../metrics/recorder-metrics';
import type { Recorder } from '../recorder/recorder';

export interface PrometheusOptions {
  /** Default: the one of prom-client, `register`. */
  readonly registry?: Registry;
  /** Before each name; default `recap_`. A second recorder in one registry needs another one. */
  readonly prefix?: string;
}

/**
 * Adds the figures of a recorder to a registry of prom-client, which reads them whenever it is scraped.
 *
 * @param recorder default: the process's own
 * @example
 * registerMetrics(recorder);
 * app.get('/metrics', async (_request, response) => {
 *   response.type(register.contentType).send(await register.metrics());
 * });
 * @throws what prom-client throws when the registry has metrics of these names already
 */
export function registerMetrics(recorder?: Recorder, options: PrometheusOptions = {}): void {
  const { registry = register, prefix = 'recap_' } = options;
  const core = resolveRecorder(recorder);
  for (const metric of RECORDER_METRICS) {
    const { label, read } = metric;
    const labelNames = label === undefined ? [] : [label];
    const settings = {
      name: prefix + nameOf(metric),
      help: `${metric.help}.`,
      labelNames,
      registers: [registry],
    };
    // Both are set to what the recorder has counted, when they are asked for.
    const figures = (): [Record<string, string>, number][] =>
      Object.entries(read(core.stats())).map(([value, figure]) => [
        label === undefined ? {} : { [label]: value },
        figure,
      ]);
    if (metric.kind === 'gauge') {
      const gauge: Gauge = new Gauge({
        ...settings,
        collect() {
          gauge.reset();
          for (const [labels, figure] of figures()) gauge.set(labels, figure);
        },
      });
    } else {
      const counter: Counter = new Counter({
        ...settings,
        collect() {
          counter.reset();
          for (const [labels, figure] of figures()) counter.inc(labels, figure);
        },
      });
    }
  }
  const flushes = new Histogram({
    name: `${prefix}${FLUSH_DURATION.words.join('_')}_seconds`,
    help: `${FLUSH_DURATION.help}.`,
    buckets: [...FLUSH_DURATION.buckets],
    registers: [registry],
  });
  core.flushes.listen((tookMs) => {
    flushes.observe(tookMs / 1000);
  });
}

/** @see https://prometheus.io/docs/practices/naming/ */
function nameOf({ words, unit, kind }: RecorderMetric): string {
  const units: Readonly<Record<string, string>> = { By: 'bytes', s: 'seconds' };
  const suffix = [units[unit], kind === 'counter' ? 'total' : undefined];
  return [...words, ...suffix].filter((part) => part !== undefined).join('_');
}
