import { metrics, type HrTime } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Gauge, Registry } from 'prom-client';
import { createRecorder } from '../../src/create-recorder';
import * as opentelemetry from '../../src/opentelemetry';
import * as prometheus from '../../src/prometheus';
import type { RecorderCore } from '../../src/recorder/recorder-core';
import { exchangeWith } from '../worker/arbitrary-exchange';

const database = { type: 'sqlite', path: ':memory:' } as const;
const ignore = (): void => undefined;

/** A recorder that has stored two exchanges, lost one, and has one waiting. */
async function busyRecorder(): Promise<RecorderCore> {
  const recorder = createRecorder({
    database,
    flushIntervalMs: 60_000,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  }) as RecorderCore;
  const exchange = () => exchangeWith({ id: recorder.newId(), storageType: 'both', expiresAt: undefined });
  recorder.record(exchange());
  recorder.record(exchange());
  await recorder.flush();
  recorder.writer.lose('queue_full');
  recorder.record(exchange());
  recorder.onError(new Error('odd'), 'test');
  return recorder;
}

/** The lines that say something, by the name and its labels. */
async function scraped(registry: Registry): Promise<Record<string, string>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => line.split(/ (?=\S+$)/) as [string, string]));
}

describe('metrics for Prometheus', () => {
  it('say at each scrape what stats() says', async () => {
    const registry = new Registry();
    const recorder = await busyRecorder();
    prometheus.registerMetrics(recorder, { registry });
    const { bytesBefore, bytesAfter } = recorder.stats();
    for (let scrape = 0; scrape < 2; scrape += 1) {
      expect(await scraped(registry)).toMatchObject({
        recap_exchanges_captured_total: '4',
        recap_exchanges_stored_total: '2',
        'recap_exchanges_shed_total{reason="queue_full"}': '1',
        recap_exchanges_left_out_total: '0',
        'recap_exchanges_waiting{place="queue"}': '1',
        'recap_exchanges_waiting{place="spool"}': '0',
        recap_exchanges_open: '0',
        recap_body_original_bytes_total: String(bytesBefore),
        recap_body_stored_bytes_total: String(bytesAfter),
        recap_entries_evicted_total: '0',
        recap_internal_errors_total: '1',
        recap_flush_duration_seconds_count: '0',
      });
    }
    await recorder.close();
    const after = await scraped(registry);
    expect(after).toMatchObject({
      recap_exchanges_stored_total: '3',
      'recap_exchanges_waiting{place="queue"}': '0',
      recap_flush_duration_seconds_count: '1',
    });
    expect(Number(after['recap_flush_duration_seconds_sum'])).toBeGreaterThan(0);
    expect(Number(after['recap_flush_duration_seconds_sum'])).toBeLessThan(60);
  });

  it('show why recording is paused, for as long as it is', async () => {
    const registry = new Registry();
    const recorder = await busyRecorder();
    prometheus.registerMetrics(recorder, { registry });
    recorder.writer.pause('disk_full');
    expect(await scraped(registry)).toHaveProperty(['recap_paused{reason="disk_full"}'], '1');
    recorder.writer.pause(undefined);
    expect(await scraped(registry)).not.toHaveProperty(['recap_paused{reason="disk_full"}']);
    await recorder.close();
  });

  it('are of two recorders in one registry under two names', async () => {
    const registry = new Registry();
    const recorders = [await busyRecorder(), await busyRecorder()];
    prometheus.registerMetrics(recorders[0], { registry });
    expect(() => {
      prometheus.registerMetrics(recorders[1], { registry });
    }).toThrow(/^registerMetrics: recap_exchanges_captured_total has already been registered/);
    prometheus.registerMetrics(recorders[1], { registry, prefix: 'audit_' });
    expect(await scraped(registry)).toMatchObject({
      recap_exchanges_stored_total: '2',
      audit_exchanges_stored_total: '2',
    });
    for (const recorder of recorders) await recorder.close();
  });

  it('have names, units and help as Prometheus wants them', async () => {
    const registry = new Registry();
    const recorder = await busyRecorder();
    prometheus.registerMetrics(recorder, { registry });
    for (const { name, help, type } of await registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^recap_[a-z]+(?:_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(String(type) === 'counter');
      expect(help).toMatch(/^[A-Z].+\.$/);
    }
    await recorder.close();
  });

  it('are added all or none', async () => {
    const registry = new Registry();
    const taken = new Gauge({ name: 'recap_flush_duration_seconds', help: 'Mine.', registers: [registry] });
    const recorder = await busyRecorder();
    expect(() => {
      prometheus.registerMetrics(recorder, { registry });
    }).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(registry.getMetricsAsArray()).toEqual([taken]);
    await recorder.close();
  });

  it('refuse what is no recorder', () => {
    for (const recorder of [{}, null]) {
      expect(() => {
        prometheus.registerMetrics(recorder as never, { registry: new Registry() });
      }).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  });

  it.each([
    [{ regsitry: new Registry() }, /Unrecognized key: "regsitry"/],
    [{ registry: {} }, /registry: must be a Registry/],
    [{ registry: null }, /registry: must be a Registry/],
    [{ prefix: 'a b' }, /prefix: must hold letters/],
    [{ prefix: 7 }, /prefix: .*expected string/],
    [null, /options: .*expected object/],
  ])('refuse the options %p by name', async (options, message) => {
    const recorder = await busyRecorder();
    const register = (): void => {
      prometheus.registerMetrics(recorder, options as never);
    };
    expect(register).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(register).toThrow(message);
    await recorder.close();
  });
});

describe('metrics for OpenTelemetry', () => {
  it.each([
    [{ metre: {} }, /Unrecognized key: "metre"/],
    [{ meter: {} }, /meter: must be a Meter/],
    [{ attributes: 'north' }, /attributes: .*expected record/],
    [{ attributes: { shop: 7 } }, /attributes.shop: .*expected string/],
    [null, /options: .*expected object/],
  ])('refuse the options %p by name', async (options, message) => {
    const recorder = await busyRecorder();
    const register = (): void => {
      opentelemetry.registerMetrics(recorder, options as never);
    };
    expect(register).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(register).toThrow(message);
    await recorder.close();
  });

  const collected = async (
    register: (provider: MeterProvider) => void,
    act: () => Promise<void> = async () => undefined,
  ) => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    register(provider);
    await act();
    await provider.forceFlush();
    const found = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    await provider.shutdown();
    return new Map(found.map((metric) => [metric.descriptor.name, metric]));
  };

  it('are observed when a meter collects', async () => {
    const recorder = await busyRecorder();
    const found = await collected((provider) => {
      opentelemetry.registerMetrics(recorder, {
        meter: provider.getMeter('test'),
        attributes: { shop: 'north' },
      });
    });
    const points = (name: string) =>
      found.get(name)?.dataPoints.map(({ attributes, value }) => [attributes, value as number | HrTime]);
    expect(points('recap.exchanges.captured')).toEqual([[{ shop: 'north' }, 4]]);
    expect(points('recap.exchanges.stored')).toEqual([[{ shop: 'north' }, 2]]);
    expect(points('recap.exchanges.shed')).toEqual([[{ shop: 'north', 'recap.reason': 'queue_full' }, 1]]);
    expect(points('recap.exchanges.waiting')).toEqual([
      [{ shop: 'north', 'recap.place': 'queue' }, 1],
      [{ shop: 'north', 'recap.place': 'spool' }, 0],
    ]);
    expect(found.get('recap.exchanges.captured')).toMatchObject({
      descriptor: { unit: '{exchange}' },
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
    });
    expect(found.get('recap.exchanges.waiting')?.dataPointType).toBe(DataPointType.GAUGE);
    expect(found.get('recap.body.stored')?.descriptor.unit).toBe('By');
    await recorder.close();
  });

  it('have a histogram of the time that batches take', async () => {
    const recorder = await busyRecorder();
    const found = await collected(
      (provider) => {
        opentelemetry.registerMetrics(recorder, { meter: provider.getMeter('test') });
      },
      () => recorder.close(),
    );
    const histogram = found.get('recap.flush.duration');
    expect(histogram).toMatchObject({ descriptor: { unit: 's' }, dataPointType: DataPointType.HISTOGRAM });
    expect(histogram?.dataPoints[0]?.value).toMatchObject({ count: 1 });
    expect(found.get('recap.exchanges.stored')?.dataPoints[0]?.value).toBe(3);
  });

  // A program that was set up twice had each batch counted twice.
  it('are observed once, however often the same is registered', async () => {
    const recorder = await busyRecorder();
    const found = await collected(
      (provider) => {
        for (const attributes of [{ a: '1', b: '2' }, { b: '2', a: '1' }, { a: '1' }]) {
          opentelemetry.registerMetrics(recorder, { meter: provider.getMeter('test'), attributes });
        }
      },
      () => recorder.close(),
    );
    const points = found.get('recap.flush.duration')?.dataPoints ?? [];
    expect(points.map(({ attributes, value }) => [attributes, (value as { count: number }).count])).toEqual([
      [{ a: '1', b: '2' }, 1],
      [{ a: '1' }, 1],
    ]);
    expect(found.get('recap.exchanges.stored')?.dataPoints.map(({ value }) => value)).toEqual([3, 3]);
  });

  it('go to the global provider unless a meter is given', async () => {
    const recorder = await busyRecorder();
    const found = await collected((provider) => {
      metrics.setGlobalMeterProvider(provider);
      opentelemetry.registerMetrics(recorder);
      metrics.disable();
    });
    expect(found.has('recap.exchanges.stored')).toBe(true);
    await recorder.close();
  });

  it('cost nothing, and fail at nothing, without a provider', async () => {
    const recorder = await busyRecorder();
    opentelemetry.registerMetrics(recorder);
    await recorder.close();
    expect(recorder.stats()).toMatchObject({ stored: 3, internalErrors: 1 });
  });
});
