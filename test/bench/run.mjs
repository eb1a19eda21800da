// Throughput with Recap against the bare program and its peers: `npm run bench [-- --rounds=5 --seconds=3 --sizes=1024,10240]`.
// Variants take turns within each round, so that a busy moment of the machine hits all of them; ratios
// are taken within a round. Fails when Recap is not 4 times as fast as two awaited saves a request.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { findProgram } from '../../scripts/debian.mjs';
import { listBody } from './bodies.mjs';
import { load } from './load.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const GATE = 4;
const ALL = ['bare', 'recap', 'recap-spooled', 'recap-strict', 'morgan', 'pino-http', 'naive'];
/** Of `buffered`, the least that `spooled` must reach. */
const SPOOLED_GATE = 0.75;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '1024,10240' },
    variants: { type: 'string', default: ALL.join(',') },
  },
});
const wrk = findProgram('wrk');
const rounds = Number(values.rounds);
const sizes = values.sizes.split(',').map(Number);
const VARIANTS = values.variants.split(',');

let isGateHeld = true;
for (const size of sizes) {
  const results = Object.fromEntries(VARIANTS.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const variant of VARIANTS) {
      results[variant].push(await measure(variant, size));
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  print(size, results);
  hold('Recap against the naive recorder', results.recap, results.naive, GATE);
  hold('Durability "spooled" against "buffered"', results['recap-spooled'], results.recap, SPOOLED_GATE);
}
if (!isGateHeld) {
  console.error('The gate does not hold.');
  process.exitCode = 1;
}

/** Compares two variants round by round, where both were measured. */
function hold(what, own, other, gate) {
  if (own === undefined || other === undefined) return;
  const ratios = own.map((each, round) => each.perSecond / other[round].perSecond);
  const gain = median(ratios);
  isGateHeld &&= gain >= gate;
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  console.log(`\n${what}: ${gain.toFixed(2)} times (${spread}; gate: ${gate}).\n`);
}

async function measure(variant, size) {
  const folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
  const server = fork(join(here, 'server.mjs'), [variant, folder], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [{ port }] = await once(server, 'message');
    const loaded = await load(`http://127.0.0.1:${port}/echo`, listBody(size), values.seconds, folder, wrk);
    if (loaded.failures > 0) throw new Error(`${variant}: ${loaded.failures} requests failed`);
    server.send({ ask: 'finish' });
    const [end] = await once(server, 'message');
    const shed = Object.values(end.shed ?? {}).reduce((sum, count) => sum + count, 0);
    if (end.captured !== undefined && end.stored + shed < end.answered) {
      throw new Error(`${variant}: ${end.answered} answered, ${end.stored} stored, ${shed} shed`);
    }
    return { ...loaded, ...end, shed };
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

function print(size, results) {
  console.log(
    `Express 5, ${size} bytes of JSON each way, 32 connections, load by ${wrk ? 'wrk' : 'autocannon'}, medians of ${rounds} rounds, Node ${process.version}\n`,
  );
  console.log(
    '| variant | requests/s | of bare | spread of the ratio | p50 ms | p99 ms | CPU µs/request | of it main thread | stored | shed |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  for (const variant of VARIANTS) {
    const own = results[variant];
    const ratios = own.map((each, round) => each.perSecond / results.bare[round].perSecond);
    const figures = [
      median(own.map((each) => each.perSecond)).toFixed(0),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      median(own.map((each) => each.p50)).toFixed(1),
      median(own.map((each) => each.p99)).toFixed(1),
      median(own.map((each) => each.cpuMicros / each.answered)).toFixed(0),
      median(own.map((each) => each.mainMicros / each.answered)).toFixed(0),
      own.every((each) => each.stored === undefined) ? '–' : own.reduce((sum, each) => sum + each.stored, 0),
      own.reduce((sum, each) => sum + each.shed, 0),
    ];
    console.log(`| ${variant} | ${figures.join(' | ')} |`);
  }
}

function median(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
