import type { Clock } from '../clock';
import { comparePositions } from './compare-positions';
import { MAX_TOLD } from './copy-counts';
import type { Difference } from './copy-error';
import { DigestOfAll, type Fingerprint } from './fingerprints';
import type { ExistingPolicy } from './piece-writer';

export interface CompareOptions {
  readonly existing: ExistingPolicy;
  /** What the target could not take is not missing there. */
  readonly maxValueBytes: number;
  readonly clock: Clock;
  /** Called for each item of the source. */
  readonly onItem: () => Promise<void> | void;
}

export interface Comparison {
  /** SHA-256 over all of the source, in hexadecimal: equal for two that hold the same, whatever their engines. */
  readonly digest: string;
  readonly differences: readonly Difference[];
  readonly differing: number;
}

/** Goes through both sides at once, in their common order. */
export async function compareSides(
  source: AsyncGenerator<Fingerprint>,
  target: AsyncGenerator<Fingerprint>,
  { existing, maxValueBytes, clock, onItem }: CompareOptions,
): Promise<Comparison> {
  const digest = new DigestOfAll();
  const differences: Difference[] = [];
  let differing = 0;
  const note = (kind: Difference['kind'], at: Fingerprint): void => {
    // Between the two looks it may have expired.
    if (at.expiresAt !== undefined && at.expiresAt <= clock.now()) return;
    differing += 1;
    if (differences.length < MAX_TOLD) differences.push({ partition: at.partition, key: at.key, kind });
  };
  try {
    let [ours, theirs] = await Promise.all([source.next(), target.next()]);
    while (ours.done !== true || theirs.done !== true) {
      const order = orderOf(ours, theirs);
      if (order <= 0) {
        const item = ours.value as Fingerprint;
        digest.add(item);
        await onItem();
        if (order < 0) {
          if (item.largestBytes <= maxValueBytes) note('missing', item);
        } else {
          const kind = differenceOf(item, theirs.value as Fingerprint);
          if (kind !== undefined && !(kind === 'changed' && existing === 'onlyMissing')) note(kind, item);
        }
      } else if (existing === 'refuse') {
        note('extra', theirs.value as Fingerprint);
      }
      [ours, theirs] = await Promise.all([
        order <= 0 ? source.next() : ours,
        order >= 0 ? target.next() : theirs,
      ]);
    }
  } finally {
    await Promise.all([source.return(undefined), target.return(undefined)]);
  }
  return { digest: digest.toString(), differences, differing };
}

type Next = IteratorResult<Fingerprint, unknown>;

function orderOf(ours: Next, theirs: Next): number {
  if (ours.done === true) return 1;
  if (theirs.done === true) return -1;
  return comparePositions(ours.value, theirs.value);
}

function differenceOf(ours: Fingerprint, theirs: Fingerprint): 'changed' | 'damaged' | undefined {
  if (ours.version !== theirs.version) return 'changed';
  const isSame =
    ours.type === theirs.type && ours.digest === theirs.digest && ours.expiresAt === theirs.expiresAt;
  return isSame ? undefined : 'damaged';
}
