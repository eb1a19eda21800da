import { FakeClock } from '@recap/storage/testing';
import fc from 'fast-check';
import type { MetadataCondition } from '../../src/entries/entry-filter';
import type { EntryStore } from '../../src/entries/entry-store';
import { newEntry } from '../../src/testing';
import { meetsCondition } from '../../src/testing/matches-filter';
import { createTypeOrmEntryStore, type DatabaseOption } from '../../src/typeorm';
import { createDatabase, describeOnPostgres, dropDatabase, onDatabase } from './postgres-server';

// Few keys and values, so that paths and values meet often.
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', '0', 'é', 'length') },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
);
const text = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    'true',
    'null',
    'ab',
    'abc',
    'B',
    'Z',
    'ä',
    '\u{1F600}',
    '\uFFFF',
    "'",
    '%',
    '[1]',
    '{}',
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0.1, 1.5, 1e21, 2 ** 53, 5e-324, -1e308),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const metadata = fc.dictionary(key, json, { maxKeys: 4 });
const path = fc.array(key, { minLength: 1, maxLength: 3 });
const condition: fc.Arbitrary<MetadataCondition> = fc.oneof(
  fc.record({
    path,
    operator: fc.constantFrom('eq' as const, 'ne' as const, 'contains' as const),
    value: scalar,
  }),
  fc.record({
    path,
    operator: fc.constantFrom('gt' as const, 'gte' as const, 'lt' as const, 'lte' as const),
    value: fc.oneof(text, number),
  }),
  fc.record({ path, operator: fc.constant('in' as const), value: fc.array(scalar, { maxLength: 4 }) }),
  fc.record({ path, operator: fc.constant('exists' as const), value: fc.boolean() }),
);

async function holdsOn(store: EntryStore, clear: () => Promise<unknown>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(metadata, { minLength: 1, maxLength: 12 }),
      fc.array(condition, { minLength: 1, maxLength: 12 }),
      async (documents, conditions) => {
        await clear();
        await store.append(documents.map((document, at) => newEntry({ id: `id-${at}`, metadata: document })));
        const stored = await store.find({ filter: {}, limit: 100, includeBodies: false });
        for (const wanted of [...conditions.map((one) => [one]), conditions.slice(0, 2)]) {
          const expected = stored.filter((entry) =>
            wanted.every((one) => meetsCondition(entry.metadata, one)),
          );
          const found = await store.find({ filter: { metadata: wanted }, limit: 100, includeBodies: false });
          expect({ wanted, ids: found.map(({ id }) => id) }).toEqual({
            wanted,
            ids: expected.map(({ id }) => id),
          });
          expect(await store.count({ metadata: wanted }, 100)).toMatchObject({ total: expected.length });
        }
      },
    ),
    { numRuns: 60 },
  );
}

async function open(database: DatabaseOption): Promise<EntryStore> {
  const store = createTypeOrmEntryStore({ database, clock: new FakeClock(), sessionMaxAgeMs: 1_000_000 });
  await store.open();
  return store;
}

describe('metadata conditions', () => {
  it('mean on SQLite what they mean in JavaScript', async () => {
    const store = await open({ type: 'sqlite', path: ':memory:' });
    await holdsOn(store, () => store.evictOldest(0));
    await store.close();
  }, 60_000);
});

describeOnPostgres('metadata conditions on PostgreSQL', () => {
  it('mean what they mean in JavaScript', async () => {
    const url = await createDatabase();
    const store = await open({ type: 'postgres', url });
    await holdsOn(store, () => onDatabase(url, 'TRUNCATE recap_entries, recap_sessions'));
    await store.close();
    await dropDatabase(url);
  }, 60_000);
});
