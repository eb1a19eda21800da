import { ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { createDynamodbBackend, type Backend, type Value } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { clientAround, failureOf, withTransactions } from './dynamodb-clients';
import { dynamoEndpoint, freshPrefix, makeClient, place, removeTable, testTable } from './dynamodb-servers';
import { SteadyClock } from './steady-clock';

const at = (key: string) => ({ partition: 'p', key });
const HOUR_MS = 3_600_000;
/** Whoever makes a write again gives the version that it had. */
const mine = { version: 'mine' };
const kilobyte = 'k'.repeat(1_000);
const large = (letter: string) => letter.repeat(500_000);

type Seen = readonly unknown[];

/** What is done, to what was there before. */
const DEEDS: readonly (readonly [
  title: string,
  prepare: (backend: Backend) => Promise<unknown>,
  deed: (backend: Backend) => Promise<unknown>,
])[] = [
  ['a large set', (b) => b.set(at('a'), 1), (b) => b.set(at('a'), large('n'), mine)],
  [
    'a large set over a large one',
    (b) => b.set(at('a'), large('o')),
    (b) => b.set(at('a'), large('n'), mine),
  ],
  ['a small set over a large one', (b) => b.set(at('a'), large('o')), (b) => b.set(at('a'), 2, mine)],
  ['the end of a large value', (b) => b.set(at('a'), large('o')), (b) => b.delete(at('a'))],
  ['a large set over a list', (b) => fill(b), (b) => b.set(at('a'), large('n'), mine)],
  ['the end of a list', (b) => fill(b), (b) => b.delete(at('a'))],
  ['a small append to a full tail', (b) => fill(b), (b) => b.append(at('a'), ['n'], mine)],
  ['a large append to a new list', async () => undefined, (b) => b.append(at('a'), [large('n'), 'n'], mine)],
  [
    'a large append to a short list',
    (b) => b.append(at('a'), [1]),
    (b) => b.append(at('a'), [large('n')], mine),
  ],
  ['a large append to a long list', (b) => fill(b), (b) => b.append(at('a'), [large('n'), 'n'], mine)],
  [
    'a transaction of large appends',
    (b) => fill(b),
    (b) => b.transact([{ type: 'append', ...at('a'), values: [large('n')], ...mine }]),
  ],
];

async function fill(backend: Backend): Promise<void> {
  await backend.append(at('a'), [large('o')]);
  for (let index = 0; index < 8; index += 1) await backend.append(at('a'), [kilobyte]);
}

(dynamoEndpoint === undefined ? describe.skip : describe)('A program on DynamoDB that dies', () => {
  const admin = makeClient();
  let clock: FakeClock;
  let steady: SteadyClock;
  let keyPrefix: string;
  let opened: Backend[] = [];

  const open = async (client: object = withTransactions(admin)): Promise<Backend> => {
    const { endpoint: _endpoint, region: _region, credentials: _credentials, ...shared } = place();
    const given = { ...shared, client, transact: true, keyPrefix, clock, sweepIntervalMs: 0 };
    const backend = createDynamodbBackend(given);
    opened.push(backend);
    await backend.open();
    return backend;
  };
  /** Dies before or after its call of that number, counted from when it is armed. */
  const mortal = (last: number, when: 'before' | 'after') => {
    const life = { isArmed: false, calls: 0, isDead: false };
    const client = clientAround(withTransactions(admin) as never, async (command, send) => {
      if (!life.isArmed) return send(command);
      const call = life.calls;
      life.calls += 1;
      life.isDead ||= call === last && when === 'before';
      if (life.isDead) throw failureOf('TimeoutError');
      const answer = await send(command);
      if (call !== last) return answer;
      life.isDead = true;
      throw failureOf('TimeoutError');
    });
    return { life, client };
  };
  const look = async (backend: Backend): Promise<Seen> => {
    const [found] = (await backend.scan('p')).items;
    if (found === undefined) return [];
    const shown = (value: Value | undefined): unknown =>
      typeof value === 'string' ? `${value[0]}${value.length}` : value;
    return found.type === 'value'
      ? ['value', shown(found.value)]
      : ['list', ...(await backend.range(at('a'))).map(shown)];
  };
  /** All that is in the table but the names of partitions. */
  const stored = async (): Promise<string[]> => {
    const found: Record<string, AttributeValue>[] = [];
    let after: Record<string, AttributeValue> | undefined;
    do {
      const input = { TableName: testTable, ConsistentRead: true, ExclusiveStartKey: after };
      const answer = await admin.send(new ScanCommand({ ...input, ProjectionExpression: 'pk, sk' }));
      found.push(...(answer.Items ?? []));
      after = answer.LastEvaluatedKey;
    } while (after !== undefined);
    return found
      .map(({ pk, sk }) => [Buffer.from(pk!.B!).toString(), Buffer.from(sk!.B!).toString()] as const)
      .filter(([name]) => name.startsWith(`${keyPrefix}\0`))
      .map(([name, sort]) => [name.charAt(keyPrefix.length + 1), sort.charAt(0)])
      .map(([kind = '', first = '']) => (kind === 'b' ? kind + first : kind))
      .filter((kind) => kind !== 'p')
      .sort();
  };

  beforeEach(() => {
    clock = new FakeClock();
    steady = new SteadyClock();
  });
  afterEach(async () => {
    steady.restore();
    for (const backend of opened) await backend.close();
    opened = [];
  });
  afterAll(async () => {
    await removeTable(admin);
    admin.destroy();
  });

  it.each(DEEDS)(
    'at any call of %s has done all of it or nothing, and leaves nothing of it behind for longer than an hour',
    async (_title, prepare, deed) => {
      keyPrefix = freshPrefix();
      const sample = await open();
      await prepare(sample);
      // Of a tail that was moved and not cut off the copy stays: the next to move it finds it there.
      const state = async (backend: Backend) => [
        await look(backend),
        (await stored()).filter((kind) => kind !== 'bs'),
      ];
      const before = await state(sample);
      await deed(sample);
      const outcomes = [before, await state(sample)];
      for (const when of ['before', 'after'] as const)
        for (let last = 0, isOver = false; !isOver; last += 1) {
          keyPrefix = freshPrefix();
          clock = new FakeClock();
          const good = await open();
          await prepare(good);
          const { client, life } = mortal(last, when);
          const dying = await open(client);
          life.isArmed = true;
          await deed(dying).catch(() => undefined);
          isOver = !life.isDead;
          const seen = await look(good);
          await good.sweep();
          steady.advance(HOUR_MS);
          while ((await good.sweep()) > 0) continue;
          expect(await look(good)).toEqual(seen);
          expect(outcomes).toContainEqual(await state(good));
          await deed(good);
          expect([when, last, await look(good)]).toEqual([when, last, outcomes[1]![0]]);
          await good.delete(at('a'));
          expect([when, last, await stored()]).toEqual([when, last, []]);
        }
    },
  );
});
