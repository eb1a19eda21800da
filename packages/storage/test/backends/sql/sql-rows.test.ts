import { decodeRow } from '../../../src/backends/postgres/postgres-page';
import { postgresDialect } from '../../../src/backends/postgres/postgres-schema';
import { driveNow } from '../../../src/backends/sql/drive-steps';
import type { SqlRow } from '../../../src/backends/sql/sql-contract';
import { SqlOperations } from '../../../src/backends/sql/sql-operations';
import { fromColumns, toItem } from '../../../src/backends/sql/sql-rows';

const JSON_TEXT = '{"a":1}';
const NOW = 1_000;

const operations = new SqlOperations(postgresDialect(undefined));

// A program that told `pg` to make bigint of every integer read nothing but CORRUPT.
describe.each([
  ['numbers', (kind: number): unknown => kind],
  ['bigint', BigInt],
  ['text', String],
])('rows of which the driver hands over integers as %s', (_what, toInteger) => {
  const item = { key: Buffer.from('k'), version: 'v', expires_at: null, json: null, bytes: null };
  const json: SqlRow = { ...item, kind: toInteger(1), json: JSON_TEXT };
  const bytes: SqlRow = { ...item, kind: toInteger(2), bytes: Buffer.of(7) };
  const jsonAsBytes: SqlRow = { ...item, kind: toInteger(3), bytes: Buffer.from(JSON_TEXT) };
  const list: SqlRow = { ...item, kind: toInteger(4), length: toInteger(2), recent: ' v ' };

  it('are read as the values they hold', () => {
    expect([json, bytes, jsonAsBytes].map(fromColumns)).toEqual([JSON_TEXT, Buffer.of(7), JSON_TEXT]);
    expect([json, bytes, jsonAsBytes].map((row) => toItem(row).value)).toEqual([
      JSON_TEXT,
      Buffer.of(7),
      JSON_TEXT,
    ]);
    expect([json, bytes, jsonAsBytes].map(decodeRow)).toMatchObject([
      { type: 'value', value: { a: 1 } },
      { type: 'value', value: Buffer.of(7) },
      { type: 'value', value: { a: 1 } },
    ]);
  });

  it('are known for lists', () => {
    expect(toItem(list).value).toBeUndefined();
    expect(decodeRow(list)).toMatchObject({ type: 'list', key: 'k' });
    expect(driveNow(operations.length('p', 'k', NOW), () => [list])).toBe(2);
    expect(driveNow(operations.length('p', 'k', NOW), () => [json])).toBeUndefined();
    const element = { ...json, item_kind: toInteger(4), position: toInteger(0) };
    expect(driveNow(operations.range('p', 'k', 0, -1, NOW), () => [element])).toEqual({
      values: [JSON_TEXT],
    });
  });

  it('answer an append that had arrived already', () => {
    const append = {
      type: 'append',
      partition: 'p',
      key: 'k',
      values: [JSON_TEXT],
      version: 'v',
      expiresAt: undefined,
    } as const;
    const verdictBeside = (there: SqlRow): unknown => {
      const answers = [[], [there]];
      return driveNow(operations.write(append, NOW), () => answers.shift() ?? []);
    };
    expect(verdictBeside(list)).toEqual({ status: 'written', length: 2 });
    expect(verdictBeside(json)).toEqual({ status: 'wrong-type' });
  });

  it('are CORRUPT where the kind is none', () => {
    expect(() => fromColumns({ ...json, kind: toInteger(9) })).toThrow(
      expect.objectContaining({ code: 'CORRUPT', message: expect.stringContaining('(9)') }),
    );
  });
});
