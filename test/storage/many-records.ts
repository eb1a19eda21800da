import type { Backend, Value, Write } from '@recap/storage';

const MIB = 2 ** 20;
const PARTITIONS = [
  'plain',
  'a:b',
  '%_*?[',
  '\'"\\',
  '__proto__',
  '../..',
  'nul\0',
  '\u{1F600}',
  '\uFFFD',
  'x'.repeat(1_024),
];
const WORDS = [
  '',
  'word',
  'nul\0in it',
  'emoji \u{1F469}\u200D\u{1F4BB}',
  '\uD800',
  '"quoted"\n\u2028',
  '__proto__',
  '$gt',
];

/** How many, counting each list once. */
export const RECORDS = 10_000;

/** Fills a backend with values, bytes and lists of all kinds; the same ones each time. */
export async function writeManyRecords(backend: Backend, now: number): Promise<void> {
  const random = randomNumbers(6);
  let writes: Write[] = [];
  const flush = async (): Promise<void> => {
    for (const outcome of await backend.batch(writes)) if (outcome.status === 'failed') throw outcome.error;
    writes = [];
  };
  for (let number = 0; number < RECORDS; number += 1) {
    const partition = PARTITIONS[number % PARTITIONS.length]!;
    const key = `${WORDS[random(4)]!}${number}${number % 11 === 0 ? '\0' : ''}`;
    const expiry = number % 3 === 0 ? { expiresAt: now + 1 + random(1e9) } : {};
    const version = `v-${number}`;
    if (number % 10 === 9) {
      const values = Array.from({ length: 1 + random(12) }, () => valueOf(random));
      writes.push({ type: 'append', partition, key, values, version, ...expiry });
    } else {
      writes.push({
        type: 'set',
        partition,
        key,
        value: large(number) ?? valueOf(random),
        version,
        ...expiry,
      });
    }
    if (writes.length === 500) await flush();
  }
  await flush();
  for (const length of [1_000, 1_000, 500])
    await backend.append(
      { partition: 'plain', key: 'long' },
      Array.from({ length }, () => valueOf(random)),
      { version: `long-${length}` },
    );
}

/** A few are as large as every engine takes them by default. */
function large(number: number): Value | undefined {
  if (number === 5_001) return new Uint8Array(MIB).map((_, index) => index * 7);
  if (number === 5_002) return 'x'.repeat(MIB - 2);
  if (number === 5_003) return { text: '\u00e9'.repeat(MIB / 2 - 16) };
  return undefined;
}

function valueOf(random: (below: number) => number): Value {
  switch (random(8)) {
    case 0:
      return Uint8Array.from({ length: random(200) }, () => random(256));
    case 1:
      return random(1e9) / (1 + random(1_000));
    case 2:
      return [random(2) === 0, null, -random(1e15), 1e-7, 1e300];
    case 3:
      return WORDS[random(WORDS.length)]!;
    case 4:
      return { [WORDS[random(WORDS.length)]!]: { deep: [[[WORDS[random(WORDS.length)]!]]] }, b: {}, a: [] };
    default:
      return { id: random(1e6), name: `name ${random(1_000)}`, tags: ['a', 'b'], at: '2026-01-01T00:00:00Z' };
  }
}

/** A linear congruential generator: the same numbers on every machine. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
