import type { Backend } from '../backend';
import type { Piece } from './piece';
import type { FindVersion, Position } from './piece-source';

/** Something that a copy is through with, by which it is told from others. */
export interface Sample extends Position {
  /** That of the source, and of the target unless it kept its own. */
  readonly version: string;
  readonly isKept: boolean;
  readonly expiresAt?: number;
}

const FIRST = 3;
const LAST = 3;

/** The first and the last items that a copy is through with. */
export class CopiedSamples {
  readonly #first: Sample[];
  readonly #last: Sample[];

  constructor(samples: readonly Sample[] = []) {
    this.#first = samples.slice(0, FIRST);
    this.#last = samples.slice(FIRST);
  }

  get all(): readonly Sample[] {
    return [...this.#first, ...this.#last];
  }

  add({ partition, key, version, expiresAt }: Piece, isKept: boolean): void {
    const sample = { partition, key, version, isKept, ...(expiresAt === undefined ? {} : { expiresAt }) };
    if (this.#first.length < FIRST) {
      this.#first.push(sample);
      return;
    }
    this.#last.push(sample);
    if (this.#last.length > LAST) this.#last.shift();
  }
}

export const versionsIn =
  (backend: Backend, prefix: string): FindVersion =>
  async ({ partition, key }) => {
    const { items } = await backend.scan(prefix + partition, { range: { gte: key, lte: key }, limit: 1 });
    return items[0]?.version;
  };

/**
 * Whether both sides still have what was copied: the target all of it that has not expired, the source at least half,
 * since somebody may write to it. When nothing is left to look at, they have not.
 */
export async function haveSamples(
  samples: readonly Sample[],
  inSource: FindVersion | undefined,
  inTarget: FindVersion,
  now: number,
): Promise<boolean> {
  const alive = samples.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
  let same = 0;
  for (const sample of alive) {
    const there = await inTarget(sample);
    if (there === undefined || (!sample.isKept && there !== sample.version)) return false;
    if (inSource === undefined || (await inSource(sample)) === sample.version) same += 1;
  }
  return same > 0 && same * 2 >= alive.length;
}
