import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { createPacker, decodeBody, unpackBody } from '../src/codec';
import type { EntryRecord } from '../src/entries/entry-record';

const text = (length: number) => Buffer.from('compressible text '.repeat(length).slice(0, length));
const random = (length: number) =>
  Buffer.from(Array.from({ length }, (_each, index) => (index * 7919 * (index + 13)) % 251));

function stored(more: Partial<EntryRecord>) {
  return {
    requestBody: null,
    requestCodec: 'identity' as const,
    requestUnpackedBytes: 0,
    requestState: 'captured' as const,
    requestContentType: 'application/json',
    responseBody: null,
    responseCodec: 'identity' as const,
    responseUnpackedBytes: 0,
    responseState: 'empty' as const,
    responseContentType: null,
    ...more,
  };
}

const hasZstd = 'zstdCompressSync' in zlib;
const CODECS = ['zlib', 'pako', 'fast', ...(hasZstd ? (['zstd'] as const) : [])] as const;
const MARKS = { zlib: 'deflate', pako: 'deflate', fast: 'br', zstd: 'zstd' } as const;

describe.each(CODECS)('packing with %s', (codec) => {
  const pack = createPacker({ codec, thresholdBytes: 1_024 });

  it.each([0, 1, 1_023])('leaves %i bytes, below the threshold, as they are', async (length) => {
    expect(await pack(text(length))).toMatchObject({ codec: 'identity', unpackedBytes: length });
  });

  it.each([1_024, 1_025, 70_000, 300_000])('packs %i bytes that get smaller, and back', async (length) => {
    const packed = await pack(text(length));
    expect(packed.codec).toBe(MARKS[codec]);
    expect(packed.bytes.length).toBeLessThan(length * 0.9);
    expect(unpackBody(packed)).toEqual(text(length));
  });

  it('keeps what does not get a tenth smaller', async () => {
    const bytes = Buffer.concat(
      Array.from({ length: 128 }, (_each, index) => createHash('sha256').update(String(index)).digest()),
    );
    expect(await pack(bytes)).toMatchObject({ codec: 'identity' });
  });

  it('gives back every byte of any body', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5_000 }),
        fc.integer({ min: 1, max: 30 }),
        async (unit, times) => {
          const bytes = Buffer.concat(Array(times).fill(Buffer.from(unit)) as Buffer[]);
          expect(unpackBody(await pack(bytes)).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('unpacking', () => {
  it.each(CODECS)(
    'stops at the length that was noted, whatever a damaged or hostile body of %s would unfold to',
    async (codec) => {
      const packed = await createPacker({ codec, thresholdBytes: 0 })(Buffer.alloc(10_000_000));
      expect(() => unpackBody({ ...packed, unpackedBytes: 1_000 })).toThrow();
    },
  );

  it('refuses a codec that it does not know, and those of an object’s own members', () => {
    const body = { bytes: text(100), unpackedBytes: 100 };
    for (const codec of ['lz4', '', 'toString', '__proto__'] as never[]) {
      expect(() => unpackBody({ ...body, codec })).toThrow(/unknown here/);
    }
  });

  if (!hasZstd) {
    it('says at once that zstd needs a newer Node', () => {
      expect(() => createPacker({ codec: 'zstd', thresholdBytes: 0 })).toThrow(/needs Node 22\.15/);
    });
  }
});

describe('decodeBody', () => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));

  it.each([[{ a: [1, null] }], [[1, 2]], ['text'], [0], [false], [null], [{ __proto__x: 1 }]])(
    'reads the JSON value %j',
    (value) => {
      const requestBody = json(value);
      expect(
        decodeBody(stored({ requestBody, requestUnpackedBytes: requestBody.length }), 'request'),
      ).toEqual({ data: value });
    },
  );

  it('reads text with a byte order mark, and bytes that are not text, without loss', () => {
    const bom = Buffer.from('\uFEFFtext');
    const plain = { requestContentType: 'text/plain' };
    expect(
      decodeBody(stored({ ...plain, requestBody: bom, requestUnpackedBytes: bom.length }), 'request').data,
    ).toBe('\uFEFFtext');
    const bytes = random(64);
    expect(
      decodeBody(stored({ ...plain, requestBody: bytes, requestUnpackedBytes: 64 }), 'request').data,
    ).toEqual({
      encoding: 'base64',
      content: bytes.toString('base64'),
    });
  });

  it('shows a prefix as text and says that it is one', () => {
    const requestBody = Buffer.from('{"a": [1, 2');
    expect(
      decodeBody(
        stored({ requestBody, requestUnpackedBytes: requestBody.length, requestState: 'truncated' }),
        'request',
      ),
    ).toEqual({ data: '{"a": [1, 2', state: 'truncated' });
  });

  it.each([
    ['lz4', Buffer.from('some bytes')],
    ...(hasZstd ? [] : [['zstd', Buffer.from('28b52ffd2000010000', 'hex')] as const]),
  ] as const)('says that what is packed as %s cannot be read here', (codec, requestBody) => {
    const entry = stored({ requestBody, requestCodec: codec as 'zstd', requestUnpackedBytes: 10 });
    expect(decodeBody(entry, 'request')).toEqual({ data: null, state: 'unsupported' });
  });

  it.each(CODECS)(
    'says of every single flipped bit in a body of %s that it is corrupt, or reads the same',
    async (name) => {
      const body = json({ text: 'abc '.repeat(600) });
      const { bytes, codec, unpackedBytes } = await createPacker({ codec: name, thresholdBytes: 0 })(body);
      expect(codec).toBe(MARKS[name]);
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const { data, state } = decodeBody(
          stored({ requestBody: damaged, requestCodec: codec, requestUnpackedBytes: unpackedBytes }),
          'request',
        );
        if (state === undefined) expect(data).toEqual({ text: 'abc '.repeat(600) });
        else expect([state, data]).toEqual(['corrupt', null]);
      }
    },
  );

  it.each(['dropped', 'not_captured'] as const)('says that a body was %s', (state) => {
    expect(decodeBody(stored({ requestState: state }), 'request')).toEqual({ data: null, state });
  });
});
