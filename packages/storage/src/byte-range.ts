import type { KeyRange } from './backend';

/** Keys by their UTF-8 bytes, from `from` up to but not including `to`. Any bytes, not only those of a string. */
export interface ByteRange {
  readonly from: Buffer;
  readonly to: Buffer | undefined;
}

const NUL = Buffer.of(0);

/** The smallest bytes after these: a key and everything up to it ends right before them. */
function behind(key: string): Buffer {
  return Buffer.concat([Buffer.from(key), NUL]);
}

/** The smallest bytes after all that begin with these. UTF-8 has no byte 0xFF, so there always are such. */
function behindPrefix(prefix: string): Buffer | undefined {
  if (prefix === '') return undefined;
  const bytes = Buffer.from(prefix);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) + 1, bytes.length - 1);
  return bytes;
}

/** Where a scan reads: what the bounds have in common, less what earlier pages had. */
export function toByteRange(range: KeyRange, after: string | undefined, reverse = false): ByteRange {
  const { gt, gte, lt, lte, prefix } = range;
  const from = [
    gt === undefined ? undefined : behind(gt),
    gte === undefined ? undefined : Buffer.from(gte),
    prefix === undefined ? undefined : Buffer.from(prefix),
    after === undefined || reverse ? undefined : behind(after),
  ];
  const to = [
    lt === undefined ? undefined : Buffer.from(lt),
    lte === undefined ? undefined : behind(lte),
    prefix === undefined ? undefined : behindPrefix(prefix),
    after === undefined || !reverse ? undefined : Buffer.from(after),
  ];
  return {
    from: last(from) ?? Buffer.alloc(0),
    to: last(to, -1),
  };
}

/** The largest of them, or with `sign` -1 the smallest. */
function last(bounds: readonly (Buffer | undefined)[], sign = 1): Buffer | undefined {
  return bounds.reduce((best, bound) => {
    if (best === undefined || bound === undefined) return best ?? bound;
    return Buffer.compare(bound, best) * sign > 0 ? bound : best;
  }, undefined);
}
