import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { createDynamodbBackend, type Backend, type DynamodbBackendOptions } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { MongoClient, type Document } from 'mongodb';
import { until } from '../faults/rig/until';
import { changed, clientAround } from './dynamodb-clients';
import * as dynamo from './dynamodb-servers';
import * as mongo from './mongodb-servers';

const at = (key: string, partition = 'p') => ({ partition, key });
const large = new Uint8Array(500_000).fill(7);
const elements = Array.from({ length: 300 }, (_, index) => `element ${index}`.padEnd(40));
const clock = new FakeClock();

let opened: Backend[] = [];
afterEach(async () => {
  for (const backend of opened) await backend.close();
  opened = [];
});

async function opening(backend: Backend): Promise<Backend> {
  opened.push(backend);
  await backend.open();
  return backend;
}

async function fill(backend: Backend): Promise<void> {
  await backend.set(at('a'), { x: 'x'.repeat(1_000) });
  await backend.set(at('b'), large);
  for (let round = 0; round < 2; round += 1) await backend.append(at('l'), elements);
  await backend.set(at('old'), 1, { expiresAt: clock.now() + 1 });
  clock.advance(1);
}

(mongo.mongodbUrl === undefined ? describe.skip : describe)('keys that MongoDB lists', () => {
  const admin = new MongoClient(mongo.mongodbUrl ?? 'mongodb://127.0.0.1', { monitorCommands: true });
  let collectionPrefix = '';
  const open = (): Promise<Backend> => {
    collectionPrefix = mongo.freshPrefix();
    return opening(mongo.toBackend({ client: admin, clock, collectionPrefix }));
  };
  const items = () => admin.db(mongo.databaseName).collection(`${collectionPrefix}items`);

  afterAll(async () => {
    await mongo.removeOurs(admin);
    await admin.close();
  });

  it('come without anything else of their documents', async () => {
    const backend = await open();
    await fill(backend);
    const answers: Document[] = [];
    const note = ({ reply }: { reply: unknown }) => answers.push(...documentsOf(reply as Document));
    admin.on('commandSucceeded', note);
    const page = await backend.keys('p');
    admin.off('commandSucceeded', note);
    expect(page).toEqual({ items: ['a', 'b', 'l'] });
    expect(answers).toEqual([{ key: 'a' }, { key: 'b' }, { key: 'l' }]);
  });

  it('are those of damaged documents too, and not of lists that are gone but for their elements', async () => {
    const backend = await open();
    await fill(backend);
    await items().updateOne({ key: 'a' }, { $unset: { json: '' } });
    await expect(backend.scan('p')).rejects.toMatchObject({ code: 'CORRUPT' });
    await items().updateOne({ key: 'l' }, { $set: { kind: 'gone', version: '', expiresAt: 0 } });
    expect(await backend.keys('p')).toEqual({ items: ['a', 'b'] });
    expect(await backend.delete(at('a'))).toBe(true);
    expect(await backend.keys('p')).toEqual({ items: ['b'] });
  });
});

(dynamo.dynamoEndpoint === undefined ? describe.skip : describe)('keys that DynamoDB lists', () => {
  const admin = dynamo.makeClient();
  let calls: string[] = [];
  let answered: Readonly<Record<string, AttributeValue>>[] = [];
  let holdUp: Promise<void> | undefined;
  const open = (queries: object = {}): Promise<Backend> => {
    const { endpoint: _endpoint, region: _region, credentials: _credentials, ...shared } = dynamo.place();
    const client = clientAround(admin, async (command, send) => {
      const { name } = command.constructor;
      calls.push(name);
      if (name === 'BatchWriteItemCommand') await holdUp;
      const answer = await send(name === 'QueryCommand' ? changed(command, queries) : command);
      answered.push(...((answer as { Items?: typeof answered }).Items ?? []));
      return answer;
    });
    const options: DynamodbBackendOptions = { ...shared, client, clock, sweepIntervalMs: 0 };
    return opening(createDynamodbBackend({ ...options, keyPrefix: dynamo.freshPrefix() }));
  };
  const forget = (): void => {
    calls = [];
    answered = [];
  };

  afterEach(() => {
    holdUp = undefined;
  });
  afterAll(async () => {
    await dynamo.removeTable(admin);
    admin.destroy();
  });

  it('come by one query without values and bodies', async () => {
    const backend = await open();
    await fill(backend);
    forget();
    expect(await backend.keys('p')).toEqual({ items: ['a', 'b', 'l'] });
    expect(calls).toEqual(['QueryCommand']);
    const names = new Set(answered.flatMap((item) => Object.keys(item)));
    expect([...names].sort()).toEqual(['expires_at', 'sk']);
  });

  it('are those of what is there, and not of what is being taken away', async () => {
    const backend = await open();
    await fill(backend);
    let goOn = (): void => undefined;
    holdUp = new Promise((resolve) => {
      goOn = resolve;
    });
    const replacing = backend.set(at('b'), 'small');
    const deleting = backend.delete(at('l'));
    const heldUp = (): number => calls.filter((name) => name === 'BatchWriteItemCommand').length;
    await until('both take parts away', heldUp, (count) => count === 2);
    expect(await backend.keys('p')).toEqual({ items: ['a', 'b'] });
    goOn();
    await Promise.all([replacing, deleting]);
    expect(await backend.keys('p')).toEqual({ items: ['a', 'b'] });
  });

  it('come in a page of what so many answers bring, which goes on where they ended', async () => {
    const backend = await open({ Limit: 1 });
    const names = Array.from({ length: 50 }, (_, index) => `k${index + 10}`);
    const gone = names.slice(20, 45);
    await backend.batch(
      names.map((key) => ({
        ...{ type: 'set', ...at(key), value: 1 },
        ...(gone.includes(key) && { expiresAt: clock.now() + 1 }),
      })),
    );
    clock.advance(1);
    const found: string[] = [];
    const sizes: number[] = [];
    for (let after: string | undefined; ;) {
      forget();
      const page = await backend.keys('p', { limit: 1_000, ...(after !== undefined && { after }) });
      found.push(...page.items);
      sizes.push(page.items.length);
      if (page.next === undefined) break;
      after = page.next;
    }
    expect(found).toEqual(names.filter((key) => !gone.includes(key)));
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.slice(0, -1)).not.toContain(0);
  });
});

function documentsOf({ cursor }: Document): Document[] {
  const { firstBatch, nextBatch } = (cursor ?? {}) as Readonly<Record<string, Document[]>>;
  return firstBatch ?? nextBatch ?? [];
}
