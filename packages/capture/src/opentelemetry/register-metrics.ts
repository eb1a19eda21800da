import { metrics, type Meter, type Observable } from '@opentelemetry/api';
import { z } from 'zod';
import { resolveRecorder } from '../default-recorder';
import { FLUSH_DURATION, RECORDER_METRICS, type RecorderMetric } from '../metrics/recorder-metrics';
import { checkOptions } from '../recorder/capture-options';
import type { Recorder } from '../recorder/recorder';

export interface OpenTelemetryOptions {
  /** Default: the meter `@recap/capture` of the global provider, which has to be set before. */
  readonly meter?: Meter;
  /** Added to each figure, such as the name of one of several recorders. */
  readonly attributes?: Readonly<Record<string, string>>;
}

const schema = z.strictObject({
  meter: z
    .custom<Meter>(
      (value) => typeof (value as Partial<Meter> | null)?.addBatchObservableCallback === 'function',
      'must be a Meter of OpenTelemetry',
    )
    .optional(),
  attributes: z.record(z.string(), z.string()).optional(),
});

/** The attributes with which a meter observes a recorder. */
const registered = new WeakMap<Meter, WeakMap<object, Set<string>>>();

/**
 * Lets a meter of OpenTelemetry observe the figures of a recorder whenever it collects. The same again changes nothing.
 *
 * @param recorder default: the process's own
 * @throws {StorageError} `CONFIG_INVALID` for wrong options
 */
export function registerMetrics(recorder?: Recorder, options: OpenTelemetryOptions = {}): void {
  checkOptions(schema, options, 'registerMetrics');
  const { meter = metrics.getMeter('@recap/capture'), attributes = {} } = options;
  const core = resolveRecorder(recorder);
  if (!isNew(meter, core, attributes)) return;
  const instruments = RECORDER_METRICS.map((metric) => [instrumentOf(meter, metric), metric] as const);
  meter.addBatchObservableCallback(
    (result) => {
      const stats = core.stats();
      for (const [instrument, { label, read }] of instruments) {
        for (const [value, figure] of Object.entries(read(stats))) {
          const own = label === undefined ? {} : { [`recap.${label}`]: value };
          result.observe(instrument, figure, { ...attributes, ...own });
        }
      }
    },
    instruments.map(([instrument]) => instrument),
  );
  const flushes = meter.createHistogram(nameOf(FLUSH_DURATION.words), {
    description: `${FLUSH_DURATION.help}.`,
    unit: FLUSH_DURATION.unit,
    advice: { explicitBucketBoundaries: [...FLUSH_DURATION.buckets] },
  });
  core.flushes.listen((tookMs) => {
    flushes.record(tookMs / 1000, attributes);
  });
}

/** Whether it is the first time. A meter would count each batch as often as it was told to. */
function isNew(meter: Meter, recorder: object, attributes: Readonly<Record<string, string>>): boolean {
  const ofMeter = registered.get(meter) ?? new WeakMap<object, Set<string>>();
  const known = ofMeter.get(recorder) ?? new Set<string>();
  registered.set(meter, ofMeter.set(recorder, known));
  const { size } = known;
  return known.add(JSON.stringify(Object.entries(attributes).sort())).size > size;
}

function instrumentOf(meter: Meter, { words, help, unit, kind }: RecorderMetric): Observable {
  const options = { description: `${help}.`, unit };
  return kind === 'counter'
    ? meter.createObservableCounter(nameOf(words), options)
    : meter.createObservableGauge(nameOf(words), options);
}

/** @see https://opentelemetry.io/docs/specs/semconv/general/naming/ */
function nameOf([first, ...others]: readonly string[]): string {
  return ['recap', first, others.join('_')].filter((part) => part !== '').join('.');
}
