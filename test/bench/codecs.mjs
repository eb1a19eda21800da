// What each codec makes of bodies, and how long it takes: `npm run bench -- --codecs [--only=1024,10240] [--webhooks=file.ndjson]`.
// Bodies are JSON lists whose values differ from one to the next; with --webhooks also real ones, a line each as
// { event, body }. A dictionary is what was learnt from other bodies of the same endpoint (or event).
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as zlib from 'node:zlib';
import { learnDictionary } from './dictionaries.mjs';
import { RestBodies } from './rest-bodies.mjs';

const ROUNDS = 5;
/** Bodies that a dictionary is learnt from. */
const SAMPLES = 8;
const DICTIONARIES = [
  ['names', 4_096],
  ['shared', 4_096],
  ['whole', 4_096],
  ['whole', 8_192],
  ['whole', 32_768],
];
const here = fileURLToPath(new URL('.', import.meta.url));
const { createPacker } = createRequire(import.meta.url)(`${here}../../packages/capture/dist/codec.js`);

const { values } = parseArgs({
  options: {
    codecs: { type: 'boolean' },
    only: { type: 'string', default: '1024,10240,102400' },
    webhooks: { type: 'string' },
  },
});

const { BROTLI_PARAM_QUALITY, ZSTD_c_compressionLevel } = zlib.constants;
const chunkSize = (bytes) => Math.max(64, Math.min(bytes.length >> 1, 16_384));
const recaps = (codec) => {
  const pack = createPacker({ codec, thresholdBytes: 0 });
  return (bytes) => {
    const packed = pack(bytes);
    return packed instanceof Promise ? packed.then((one) => one.bytes) : packed.bytes;
  };
};
/** As Recap has them, and others beside them. */
const CODECS = {
  'zlib (default)': recaps('zlib'),
  'zlib, a stream for each body': (bytes) =>
    zlib.deflateSync(bytes, {
      level: 1,
      memLevel: 6,
      windowBits: bytes.length <= 8_192 ? 13 : 15,
      chunkSize: chunkSize(bytes),
    }),
  'fast (brotli 1)': recaps('fast'),
  ...('zstdCompressSync' in zlib && { 'zstd (1)': recaps('zstd') }),
  pako: recaps('pako'),
  'deflate 6': (bytes) => zlib.deflateSync(bytes, { level: 6, chunkSize: chunkSize(bytes) }),
  'brotli 4': (bytes) =>
    zlib.brotliCompressSync(bytes, { chunkSize: chunkSize(bytes), params: { [BROTLI_PARAM_QUALITY]: 4 } }),
  ...('zstdCompressSync' in zlib && {
    'zstd 3': (bytes) =>
      zlib.zstdCompressSync(bytes, { chunkSize: chunkSize(bytes), params: { [ZSTD_c_compressionLevel]: 3 } }),
  }),
};

console.log(
  `Node ${process.version}, zlib ${process.versions.zlib}, brotli ${process.versions.brotli}, best of ${ROUNDS} rounds`,
);
for (const size of values.only.split(',').map(Number)) {
  const bodies = new RestBodies(7);
  const count = Math.max(40, Math.min(600, Math.floor(4_000_000 / size)));
  const group = Array.from({ length: count }, () => Buffer.from(bodies.next(size)));
  await compare(`REST lists of ${size} bytes`, [group]);
  if (size > 4_096) continue;
  const pairs = group
    .filter((_body, at) => at % 2 === 0)
    .map((body, at) => Buffer.concat([body, group[2 * at + 1] ?? body]));
  await compare(`two REST lists of ${size} bytes as one`, [pairs]);
}
if (values.webhooks !== undefined && existsSync(values.webhooks)) {
  const lines = readFileSync(values.webhooks, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const groups = groupBy(lines);
  const events = [...groups.values()].filter((group) => group.length >= 4);
  await compare(
    'real webhooks, of events with four or more',
    events.map((group) => group.map(({ body }) => Buffer.from(JSON.stringify(body)))),
  );
}

/** The first half of each group is what dictionaries are learnt from, the second what is packed. */
async function compare(title, groups) {
  const halves = groups.map((group) => ({
    learnt: group.slice(0, group.length >> 1),
    packed: group.slice(group.length >> 1),
  }));
  const tested = halves.flatMap(({ packed }) => packed);
  const mean = tested.reduce((sum, { length }) => sum + length, 0) / tested.length;
  console.log(`\n${title}: ${tested.length} bodies, ${mean.toFixed(0)} bytes on average\n`);
  console.log('| codec | bytes | ratio | µs to pack |\n|---|---|---|---|');
  for (const [name, pack] of Object.entries(CODECS)) {
    await row(
      name,
      mean,
      halves.map(({ packed }) => [pack, packed]),
    );
  }
  for (const [kind, bytes] of DICTIONARIES) {
    const withDictionary = halves.map(({ learnt, packed }) => {
      const dictionary = learnDictionary(learnt.slice(-SAMPLES), kind, bytes);
      const settings = { level: 1, memLevel: 6, dictionary };
      // The body has to be within the window's reach of the dictionary.
      const windowBits = (body) => (body.length + dictionary.length > 8_000 ? 15 : 13);
      const pack = (body) =>
        zlib.deflateSync(body, { ...settings, windowBits: windowBits(body), chunkSize: chunkSize(body) });
      return [pack, packed];
    });
    await row(`deflate 1, dictionary of ${kind}, ${bytes} bytes at most`, mean, withDictionary);
  }
}

async function row(name, mean, work) {
  let bytes = 0;
  let count = 0;
  for (const [pack, bodies] of work) {
    for (const body of bodies) bytes += (await pack(body)).length;
    count += bodies.length;
  }
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    for (const [pack, bodies] of work) {
      for (const body of bodies) {
        const packed = pack(body);
        // A promise costs what packing costs; only what needs one waits.
        if (packed instanceof Promise) await packed;
      }
    }
    best = Math.min(best, performance.now() - startedAt);
  }
  const figures = [
    (bytes / count).toFixed(0),
    ((mean * count) / bytes).toFixed(2),
    ((best * 1000) / count).toFixed(1),
  ];
  console.log(`| ${name} | ${figures.join(' | ')} |`);
}

function groupBy(lines) {
  const groups = new Map();
  for (const line of lines) groups.set(line.event, [...(groups.get(line.event) ?? []), line]);
  return groups;
}
