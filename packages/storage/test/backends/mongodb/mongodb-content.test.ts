import fc from 'fast-check';
import { BSON } from 'mongodb';
import { fromContent, toContent, toElements } from '../../../src/backends/mongodb/mongodb-content';
import type { JsonValue } from '../../../src/json-value';

const MIB = 2 ** 20;
const throughBson = (value: object): Record<string, unknown> =>
  BSON.deserialize(BSON.serialize(value), { promoteBuffers: true });
const nested = (levels: number): JsonValue => {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

describe('JSON in BSON', () => {
  it('comes back as the same text, as a document or as text', () => {
    const names = fc.oneof(
      fc.string({ maxLength: 4, unit: 'binary' }),
      fc.constantFrom(
        '$gt',
        'a.b',
        '',
        '__proto__',
        '_bsontype',
        '$ref',
        '$id',
        'toJSON',
        'toBSON',
        '0',
        'a\0',
      ),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom<unknown>(
          null,
          true,
          'ObjectId',
          '\uD800',
          'a\0b',
          -0,
          2 ** 53,
          2 ** 31,
          -(2 ** 31) - 1,
        ),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string(),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(names, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (given) => {
        const json = JSON.stringify(given);
        expect(fromContent(throughBson(toContent(json)))).toBe(json);
        expect(fromContent(throughBson(toElements([json])[0]!))).toBe(json);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['80 levels', nested(80), 'json'],
    ['81 levels', nested(81), 'text'],
    ['many small parts', Array.from({ length: 800_000 }, () => 1), 'json'],
    ['more of them than a document takes', Array.from({ length: 2 * MIB }, () => 1), 'text'],
    ['much text', 'ä'.repeat(5 * MIB), 'json'],
  ])('is kept as it can be: %s', (_what, value, kind) => {
    const content = toContent(JSON.stringify(value));
    expect(Object.keys(content)).toEqual([kind]);
    expect(BSON.calculateObjectSize(content)).toBeLessThan(16 * MIB);
  });

  it('is refused as elements that do not fit into one document', () => {
    const large = JSON.stringify('x'.repeat(6 * MIB));
    expect(() => toElements([large, large, large])).toThrow(
      expect.objectContaining({ code: 'VALUE_TOO_LARGE' }),
    );
    expect(toElements([large, large])).toEqual([{ text: large }, { text: large }]);
  });

  it('is taken as one element as long as it is as a value', () => {
    const most = 16 * MIB - 64 * 1_024;
    expect(toElements([new Uint8Array(most)])).toHaveLength(1);
    expect(() => toElements([new Uint8Array(most + 1)])).toThrow(
      expect.objectContaining({ code: 'VALUE_TOO_LARGE' }),
    );
  });

  it('is refused as elements that are too many for one document, however short', () => {
    expect(() => toElements(Array.from({ length: 600_000 }, () => '1'))).toThrow(
      expect.objectContaining({ code: 'VALUE_TOO_LARGE' }),
    );
  });

  it.each(['1', '1.5', '""', '[]', 'null', '[[1,1,1,1,1]]', JSON.stringify('ä'.repeat(90))])(
    'fits into one document as the most elements %s that are not refused',
    (json) => {
      for (const most of [16 * MIB - 64 * 1_024, 15 * MIB]) {
        const each = most === 15 * MIB ? 32 + 6 * json.length : 32 + Buffer.byteLength(json);
        const values = Array.from({ length: Math.floor((most - 1) / each) }, () => json);
        const size = BSON.calculateObjectSize({ tail: toElements(values) });
        expect(size).toBeLessThan(16 * MIB - 32 * 1_024);
      }
    },
  );

  it('that is none is CORRUPT', () => {
    expect(() => fromContent({ kind: 'bytes' })).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });
});
