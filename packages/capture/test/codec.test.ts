import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { createPacker, decodeBody, packBodies, unpackBody } from '../src/codec';
import type { EntryRecord } from '../src/entries/entry-record';

const text = (length: number) => Buffer.from('compressible text '.repeat(length).slice(0, length));
const random = (length: number) =>
  Buffer.from(Array.from({ length }, (_each, index) => (index * 7919 * (index + 13)) % 251));

function stored(more: Partial<EntryRecord>) {
  return {
    requestBody: null as Buffer | null,
    requestCodec: 'identity' as EntryRecord['requestCodec'],
    requestUnpackedBytes: 0,
    requestState: 'captured' as EntryRecord['requestState'],
    requestContentType: 'application/json',
    responseBody: null as Buffer | null,
    responseCodec: 'identity' as EntryRecord['responseCodec'],
    responseUnpackedBytes: 0,
    responseState: 'empty' as EntryRecord['responseState'],
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

describe('the two bodies of an entry', () => {
  const pack = createPacker({ codec: 'zlib', thresholdBytes: 1_024 });
  const entryOf = async (requestBody: Buffer | null, responseBody: Buffer | null, by = pack) => {
    const packed = await packBodies({ requestBody, responseBody }, by);
    return stored({
      ...packed,
      requestUnpackedBytes: requestBody?.length ?? 0,
      responseUnpackedBytes: responseBody?.length ?? 0,
      responseState: 'captured',
      requestContentType: 'text/plain',
      responseContentType: 'text/plain',
    });
  };
  const textOf = (entry: ReturnType<typeof stored>, side: 'request' | 'response') =>
    decodeBody(entry, side).data;

  it('are packed as one, in less room than apart, and read one by one', async () => {
    const [one, other] = [text(800), Buffer.concat([text(790), Buffer.from('é and an end')])];
    const entry = await entryOf(one, other);
    expect(entry).toMatchObject({ requestCodec: 'deflate', responseCodec: 'joined', responseBody: null });
    expect(textOf(entry, 'request')).toBe(one.toString());
    expect(textOf(entry, 'response')).toBe(other.toString());
  });

  it.each(CODECS)(
    'come back from %s whatever they are, and their stored bytes are counted',
    async (codec) => {
      const by = createPacker({ codec, thresholdBytes: 1_024 });
      const part = fc.oneof(
        fc.constant(null),
        fc.tuple(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 0, max: 200 })),
      );
      await fc.assert(
        fc.asyncProperty(part, part, async (...parts) => {
          const [one, other] = parts.map((each) =>
            each === null ? null : Buffer.concat(Array(each[1]).fill(Buffer.from(each[0])) as Buffer[]),
          ) as [Buffer | null, Buffer | null];
          const binary = { requestContentType: 'image/png', responseContentType: 'image/png' };
          const entry = { ...(await entryOf(one, other, by)), ...binary };
          for (const [side, body] of [
            ['request', one],
            ['response', other],
          ] as const) {
            const expected = body === null ? null : { encoding: 'base64', content: body.toString('base64') };
            expect(decodeBody(entry, side)).toEqual({ data: expected });
          }
          const { requestStoredBytes, responseStoredBytes } = await packBodies(
            { requestBody: one, responseBody: other },
            by,
          );
          expect(requestStoredBytes + responseStoredBytes).toBe(
            (entry.requestBody?.length ?? 0) + (entry.responseBody?.length ?? 0),
          );
        }),
        { numRuns: 100 },
      );
    },
  );

  it('take as much room as one of them when they are the same, up to 32 KiB each', async () => {
    const body = Buffer.from(
      Array.from({ length: 240 }, (_each, at) =>
        createHash('sha256').update(String(at)).digest('hex'),
      ).join(),
    );
    const alone = await pack(body);
    const both = await entryOf(body, body);
    expect(both.requestBody?.length).toBeLessThan(alone.bytes.length * 1.05);
    expect(textOf(both, 'response')).toBe(body.toString());
  });

  it('are packed apart when they are large, since one of them may be asked for alone', async () => {
    const entry = await entryOf(text(60_000), text(6_000));
    expect(entry).toMatchObject({ requestCodec: 'deflate', responseCodec: 'deflate' });
    expect(textOf(entry, 'response')).toBe(text(6_000).toString());
  });

  it('are both said to be corrupt when what they share is damaged, cut, or gone', async () => {
    const entry = await entryOf(text(800), text(900));
    const { requestBody } = entry;
    const damaged = Buffer.from(requestBody!);
    damaged[20] = damaged[20]! ^ 1;
    for (const bytes of [damaged, requestBody!.subarray(0, 20), Buffer.alloc(0)]) {
      for (const side of ['request', 'response'] as const) {
        expect(decodeBody({ ...entry, requestBody: bytes }, side)).toEqual({ data: null, state: 'corrupt' });
      }
    }
    expect(decodeBody({ ...entry, responseUnpackedBytes: 5 }, 'response').state).toBe('corrupt');
    // A program's own query that selects the response's column alone.
    expect(decodeBody({ ...entry, requestBody: undefined as never }, 'response').state).toBe('corrupt');
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
