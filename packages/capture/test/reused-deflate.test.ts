import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { reusedDeflate } from '../src/reused-deflate';

const OPTIONS = { level: 1, windowBits: 13, memLevel: 6 };
const MAX_BYTES = 8_192;

const noise = (blocks: number): Buffer =>
  Buffer.concat(Array.from({ length: blocks }, (_, at) => createHash('sha256').update(`${at}`).digest()));

/** As if this were another release of Node. */
function inNode(version: string): ReturnType<typeof reusedDeflate> {
  const { versions } = process;
  Object.defineProperty(process, 'versions', { value: { ...versions, node: version }, configurable: true });
  try {
    return reusedDeflate(OPTIONS, MAX_BYTES);
  } finally {
    Object.defineProperty(process, 'versions', { value: versions, configurable: true });
  }
}

describe('reusedDeflate', () => {
  const deflate = reusedDeflate(OPTIONS, MAX_BYTES);

  it('makes of one body after another what deflateSync makes of it', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: MAX_BYTES }),
      fc.string({ maxLength: 2_000 }).map((text) => Buffer.from(text.repeat(4).slice(0, 2_000))),
    );
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 4 }), (bodies) => {
        for (const body of bodies)
          expect(deflate?.(Buffer.from(body))).toEqual(zlib.deflateSync(body, OPTIONS));
      }),
    );
  });

  it('has room for what does not get smaller', () => {
    const body = noise(MAX_BYTES / 32);
    expect(zlib.inflateSync(deflate?.(body) ?? Buffer.alloc(0))).toEqual(body);
  });

  it('gives bytes of their own, which the next body does not change', () => {
    const first = deflate?.(Buffer.from('first '.repeat(100)));
    deflate?.(noise(100));
    expect(String(zlib.inflateSync(first ?? Buffer.alloc(0)))).toBe('first '.repeat(100));
  });

  it('leaves what is larger, and releases of Node that are not known', () => {
    expect(deflate?.(Buffer.alloc(MAX_BYTES + 1))).toBeUndefined();
    expect(inNode('26.0.0')).toBeUndefined();
    expect(inNode(process.versions.node)).toBeDefined();
  });

  it('is not used where a stream has not the parts that are known, or does something else with them', () => {
    const without = reusedDeflate(OPTIONS, MAX_BYTES, () =>
      Object.assign(zlib.createDeflate(OPTIONS), { _handle: null }),
    );
    expect(without).toBeUndefined();
    const other = reusedDeflate(OPTIONS, MAX_BYTES, () => zlib.createGzip() as unknown as zlib.Deflate);
    expect(other).toBeUndefined();
  });

  it('leaves the body to others where its stream has failed', () => {
    let stream: zlib.Deflate | undefined;
    const failing = reusedDeflate(OPTIONS, MAX_BYTES, (options) => (stream = zlib.createDeflate(options)));
    expect(failing?.(noise(1))).toBeDefined();
    stream?.close();
    expect(failing?.(noise(1))).toBeUndefined();
  });
});
