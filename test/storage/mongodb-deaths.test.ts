import { createMongodbBackend, type Backend, type Value } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { MongoClient, type Document } from 'mongodb';
import { withCollections } from './mongodb-doubles';
import { databaseName, freshPrefix, mongodbUrl, removeOurs } from './mongodb-servers';

const at = (key: string) => ({ partition: 'p', key });
const numbers = (count: number, from: number) => Array.from({ length: count }, (_, index) => from + index);
/** Whoever makes a write again gives the version that it had. */
const mine = { version: 'mine' };
const CALLS = [
  ...['findOne', 'insertOne', 'updateOne', 'replaceOne', 'findOneAndUpdate', 'findOneAndDelete'],
  ...['deleteOne', 'deleteMany', 'bulkWrite'],
];

const DEEDS: readonly (readonly [
  title: string,
  prepare: (backend: Backend) => Promise<unknown>,
  deed: (backend: Backend) => Promise<unknown>,
])[] = [
  ['a set', (b) => b.set(at('a'), 1), (b) => b.set(at('a'), 2, mine)],
  ['a set over a long list', fill, (b) => b.set(at('a'), 2, mine)],
  ['a set over a list that ended', ended, (b) => b.set(at('a'), 2, mine)],
  ['the end of a long list', fill, (b) => b.delete(at('a'))],
  ['an append that begins a list', async () => undefined, (b) => b.append(at('a'), numbers(300, 0), mine)],
  ['an append that fills the document', short, (b) => b.append(at('a'), numbers(300, 9), mine)],
  ['an append to a long list', fill, (b) => b.append(at('a'), numbers(300, 9), mine)],
  ['an append after a list that ended', ended, (b) => b.append(at('a'), numbers(300, 9), mine)],
  ['an append that the document has no room for', large, (b) => b.append(at('a'), [huge(2)], mine)],
];

function huge(fill: number): Uint8Array {
  return new Uint8Array(16 * 2 ** 20 - 80 * 1_024).fill(fill);
}
async function short(backend: Backend): Promise<void> {
  await backend.append(at('a'), [1, 2]);
}
async function large(backend: Backend): Promise<void> {
  await backend.append(at('a'), ['x'.repeat(100_000)]);
}
async function fill(backend: Backend): Promise<void> {
  for (let round = 0; round < 2; round += 1) await backend.append(at('a'), numbers(300, 0));
}
async function ended(backend: Backend): Promise<void> {
  await fill(backend);
  await backend.delete(at('a'));
}

(mongodbUrl === undefined ? describe.skip : describe)('A program on MongoDB that dies', () => {
  const admin = new MongoClient(mongodbUrl ?? 'mongodb://127.0.0.1');
  const clock = new FakeClock();
  let collectionPrefix = '';
  let opened: Backend[] = [];

  const open = async (client = admin): Promise<Backend> => {
    const backend = createMongodbBackend({
      ...{ client, database: databaseName, collectionPrefix, clock, sweepIntervalMs: 0 },
    });
    opened.push(backend);
    await backend.open();
    return backend;
  };
  /** Dies before or after its call of that number, counted from when it is armed. */
  const mortal = (last: number, when: 'before' | 'after') => {
    const life = { isArmed: false, calls: 0, isDead: false };
    const client = withCollections(admin, (methods) =>
      Object.fromEntries(
        CALLS.map((name) => [
          name,
          async (...args: unknown[]) => {
            if (!life.isArmed) return methods[name]!(...args);
            const call = life.calls;
            life.calls += 1;
            life.isDead ||= call === last && when === 'before';
            if (life.isDead) throw new Error('It is dead.');
            const answer = await methods[name]!(...args);
            if (call !== last) return answer;
            life.isDead = true;
            throw new Error('It died.');
          },
        ]),
      ),
    );
    return { life, client };
  };
  const collection = (name: string) => admin.db(databaseName).collection(`${collectionPrefix}${name}`);
  const look = async (backend: Backend): Promise<unknown> => {
    const [found] = (await backend.scan('p')).items;
    const shown = (value: Value): unknown =>
      value instanceof Uint8Array ? `${value[0]} ${value.length}` : value;
    if (found === undefined) return undefined;
    return found.type === 'value' ? found.value : (await backend.range(at('a'))).map(shown);
  };
  /** Chunks that no list has elements in, and notes of lists that are no more. */
  const leftOver = async (): Promise<Document[]> => {
    const lists = (await collection('items').find().toArray()).map(({ list }) => list as unknown);
    const chunks = await collection('chunks')
      .find({ list: { $nin: lists } }, { projection: { list: 1 } })
      .toArray();
    const items = await collection('items')
      .find({ $or: [{ kind: 'gone' }, { dropped: { $exists: true } }] })
      .toArray();
    return [...chunks, ...items];
  };

  afterEach(async () => {
    for (const backend of opened) await backend.close();
    opened = [];
  });
  afterAll(async () => {
    await removeOurs(admin);
    await admin.close();
  });

  it.each(DEEDS)(
    'at any call of %s has done all of it or nothing, and what it left behind is swept',
    async (_title, prepare, deed) => {
      collectionPrefix = freshPrefix();
      const good = await open();
      const begin = async (): Promise<void> => {
        for (const name of ['items', 'chunks']) await collection(name).deleteMany({});
        await prepare(good);
      };
      await begin();
      const before = await look(good);
      await deed(good);
      const outcomes = [before, await look(good)];
      for (const when of ['before', 'after'] as const)
        for (let last = 0, isOver = false; !isOver; last += 1) {
          await begin();
          const { client, life } = mortal(last, when);
          const dying = await open(client);
          life.isArmed = true;
          await deed(dying).catch(() => undefined);
          isOver = !life.isDead;
          const seen = await look(good);
          expect(outcomes).toContainEqual(seen);
          let swept = 0;
          do swept = await good.sweep();
          while (swept > 0);
          expect(await look(good)).toEqual(seen);
          expect([when, last, await leftOver()]).toEqual([when, last, []]);
          await deed(good);
          const after = await look(good);
          expect([when, last, after]).toEqual([when, last, outcomes[1]]);
          // And goes on as if nothing had been.
          const length = Array.isArray(after) ? after.length : 0;
          if (length === 0) await good.delete(at('a'));
          expect(await good.append(at('a'), numbers(300, 1_000))).toBe(length + 300);
          expect((await good.range(at('a'), -300)).at(0)).toBe(1_000);
        }
    },
  );
});
