import { StorageError } from '@recap/storage';
import { Counter, Gauge, Histogram, register, type Registry } from 'prom-client';
import { z } from 'zod';
import { resolveRecorder } from '../default-recorder';
import { FLUSH_DURATION, RECORDER_METRICS, type RecorderMetric } from '../metrics/recorder-metrics';
import { checkOptions } from '../recorder/capture-options';
import type { Recorder } from '../recorder/recorder';

export interface PrometheusOptions {
  /** Default: the one of prom-client, `register`. */
  readonly registry?: Registry;
  /** Before each name; default `recap_`. A second recorder in one registry needs another one. */
  readonly prefix?: string;
}

const schema = z.strictObject({
  // Not by class: two copies of prom-client may be loaded.
  registry: z
    .custom<Registry>(
      (value) => typeof (value as Partial<Registry> | null)?.registerMetric === 'function',
      'must be a Registry of prom-client',
    )
    .optional(),
  /** @see https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
  prefix: z
    .string()
    .regex(
      /^(?:[a-z_:][a-z0-9_:]*)?$/i,
      'must hold letters, digits, _ and : only, and not begin with a digit',
    )
    .optional(),
});

const FLUSH_NAME = `${FLUSH_DURATION.words.join('_')}_seconds`;

/**
 * Adds the figures of a recorder to a registry of prom-client, which reads them whenever it is scraped.
 *
 * @param recorder default: the process's own
 * @example
 * registerMetrics(recorder);
 * app.get('/metrics', async (_request, response) => {
 *   response.type(register.contentType).send(await register.metrics());
 * });
 * @throws {StorageError} `CONFIG_INVALID` for wrong options, and when the registry has metrics of these names already;
 *   nothing is added then.
 */
export function registerMetrics(recorder?: Recorder, options: PrometheusOptions = {}): void {
  checkOptions(schema, options, 'registerMetrics');
  const { registry = register, prefix = 'recap_' } = options;
  requireFreeNames(registry, prefix);
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
    name: prefix + FLUSH_NAME,
    help: `${FLUSH_DURATION.help}.`,
    buckets: [...FLUSH_DURATION.buckets],
    registers: [registry],
  });
  core.flushes.listen((tookMs) => {
    flushes.observe(tookMs / 1000);
  });
}

function requireFreeNames(registry: Registry, prefix: string): void {
  for (const name of [...RECORDER_METRICS.map(nameOf), FLUSH_NAME]) {
    if (registry.getSingleMetric(prefix + name) === undefined) continue;
    throw new StorageError(
      'CONFIG_INVALID',
      `registerMetrics: ${prefix + name} has already been registered. Call it once for each recorder and registry, and give a second recorder a prefix of its own.`,
    );
  }
}

/** @see https://prometheus.io/docs/practices/naming/ */
function nameOf({ words, unit, kind }: RecorderMetric): string {
  const units: Readonly<Record<string, string>> = { By: 'bytes', s: 'seconds' };
  const suffix = [units[unit], kind === 'counter' ? 'total' : undefined];
  return [...words, ...suffix].filter((part) => part !== undefined).join('_');
}
