import {
  DescribeTimeToLiveCommand,
  QueryCommand,
  ScanCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { createDynamodbBackend, type Backend, type DynamodbBackendOptions, type Value } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { until } from '../faults/rig/until';
import { changed, clientAround, failureOf, withTransactions, type Command } from './dynamodb-clients';
import { dynamoEndpoint, freshPrefix, makeClient, place, removeTable, testTable } from './dynamodb-servers';
import { SteadyClock } from './steady-clock';

const at = (key: string, partition = 'p') => ({ partition, key });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MIB = 2 ** 20;
const bytesOf = (length: number, seed = 1) => Uint8Array.from({ length }, (_, index) => (index * seed) % 251);
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

(dynamoEndpoint === undefined ? describe.skip : describe)('DynamoDB as a server', () => {
  const admin = makeClient();
  let clock: FakeClock;
  let steady: SteadyClock;
  let keyPrefix: string;
  let opened: Backend[] = [];

  const open = async (options: DynamodbBackendOptions = {}): Promise<Backend> => {
    const { endpoint: _endpoint, region: _region, credentials: _credentials, ...shared } = place();
    const where = options.client === undefined ? place() : shared;
    const backend = createDynamodbBackend({ ...where, keyPrefix, clock, sweepIntervalMs: 0, ...options });
    opened.push(backend);
    await backend.open();
    return backend;
  };
  const through = (around: Parameters<typeof clientAround>[1], options: DynamodbBackendOptions = {}) =>
    open({ client: clientAround(admin, around), ...options });
  /** Everything of this test that is in the table. */
  const stored = async (kind = ''): Promise<Record<string, AttributeValue>[]> => {
    const found: Record<string, AttributeValue>[] = [];
    let after: Record<string, AttributeValue> | undefined;
    do {
      const answer = await admin.send(
        new ScanCommand({
          TableName: testTable,
          ConsistentRead: true,
          ProjectionExpression: 'pk, sk, json, delete_after',
          ExclusiveStartKey: after,
        }),
      );
      found.push(...(answer.Items ?? []));
      after = answer.LastEvaluatedKey;
    } while (after !== undefined);
    return found.filter(({ pk }) => Buffer.from(pk!.B!).toString().startsWith(`${keyPrefix}\0${kind}`));
  };
  /** The index by which it is found may follow a little later. */
  const sweepExpired = async (backend: Backend, count: number): Promise<void> => {
    let swept = 0;
    const sweep = async (): Promise<number> => (swept += await backend.sweep());
    await until('all is swept', sweep, () => swept >= count);
    expect(swept).toBe(count);
  };
  const failure = (call: Promise<unknown>): Promise<{ code?: string; message: string }> =>
    call.then(
      () => Promise.reject(new Error('It did not fail.')),
      (error: unknown) => error as Error,
    );
  const all = async (backend: Backend, partition = 'p', limit = 1_000): Promise<string[]> => {
    const found: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await backend.scan(partition, { limit, ...(after !== undefined && { after }) });
      found.push(...page.items.map(({ key }) => key));
      if (page.next === undefined) return found;
      after = page.next;
    }
  };

  beforeEach(() => {
    clock = new FakeClock();
    steady = new SteadyClock();
    keyPrefix = freshPrefix();
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

  describe('large values', () => {
    it.each([
      ['bytes of 384 KiB, in their item', bytesOf(384 * 1_024)],
      ['bytes of one more, in parts', bytesOf(384 * 1_024 + 1)],
      ['bytes of 5 MiB', bytesOf(5 * MIB, 7)],
      ['text of 1 MiB whose characters lie across the cuts', `x${'\u{1F600}'.repeat(MIB / 4)}`],
    ])('come back as they were, alone, together and in a scan: %s', async (_, value: Value) => {
      const backend = await open();
      const version = await backend.set(at('large'), value);
      await backend.set(at('small'), 1);
      const found = await backend.get(at('large'));
      expect(found?.version).toBe(version);
      const isSame = (other: unknown) =>
        typeof value === 'string' ? other === value : Buffer.compare(other as Buffer, value as Buffer) === 0;
      expect(isSame(found?.value)).toBe(true);
      const [again, small] = await backend.getMany([at('large'), at('small')]);
      expect([isSame(again?.value), small?.value]).toEqual([true, 1]);
      expect(await all(backend)).toEqual(['large', 'small']);
    });

    it('leave no part behind when they are replaced, deleted, refused or have expired', async () => {
      const backend = await open();
      const large = bytesOf(MIB);
      const version = await backend.set(at('a'), large, { expiresAt: clock.now() + 10 });
      await backend.set(at('a'), bytesOf(MIB, 3), { ifVersion: version! });
      await backend.set(at('a'), 'small');
      expect(await backend.set(at('a'), large, { ifAbsent: true })).toBeUndefined();
      await failure(backend.set(at('a'), large, { ifVersion: 'other' }));
      await backend.set(at('b'), large);
      await backend.delete(at('b'));
      await backend.set(at('c'), large);
      await backend.append(at('d'), [1]);
      await backend.set(at('d'), large);
      await backend.delete(at('d'));
      await backend.delete(at('c'));
      await backend.set(at('e'), large, { expiresAt: clock.now() + 10 });
      clock.advance(10);
      await sweepExpired(backend, 1);
      expect(await stored('b')).toEqual([]);
      expect(await stored('o')).toEqual([]);
    });

    it.each(['part', 'head'])(
      'are not there at all after a crash at the %s, and their parts are swept',
      async (place) => {
        const good = await open();
        await good.set(at('a'), 'before');
        let isDown = false;
        const crashing = await through((command, send) => {
          const item = (command.input as { Item?: Record<string, AttributeValue> }).Item ?? {};
          const isPart = item['octets'] !== undefined;
          isDown ||=
            place === 'head'
              ? item['body'] !== undefined
              : isPart && Buffer.from(item['sk']!.B!).at(-1) === 2;
          return isDown ? Promise.reject(failureOf('TimeoutError')) : send(command);
        });
        expect(await failure(crashing.set(at('a'), bytesOf(5 * MIB)))).toMatchObject({ code: 'UNAVAILABLE' });
        expect((await good.get(at('a')))?.value).toBe('before');
        expect(await all(good)).toEqual(['a']);
        expect((await stored('b')).length).toBeGreaterThan(0);
        expect(await good.sweep()).toBe(0);
        steady.advance(HOUR_MS - MINUTE_MS);
        expect(await good.sweep()).toBe(0);
        steady.advance(MINUTE_MS);
        expect(await good.sweep()).toBe(1);
        expect([await stored('b'), await stored('o')]).toEqual([[], []]);
        expect((await good.get(at('a')))?.value).toBe('before');
      },
    );

    it('that are named stay, however often the sweep comes by', async () => {
      const backend = await open();
      await backend.set(at('a'), bytesOf(MIB));
      for (let index = 0; index < 3; index += 1) await backend.append(at('l'), ['x'.repeat(10_000)]);
      for (let round = 0; round < 4; round += 1) {
        clock.advance(HOUR_MS);
        steady.advance(HOUR_MS);
        expect(await backend.sweep()).toBe(0);
      }
      expect(((await backend.get(at('a')))?.value as Uint8Array).length).toBe(MIB);
      expect(await backend.range(at('l'))).toEqual(Array(3).fill('x'.repeat(10_000)));
    });

    const text = 'x'.repeat(500_000);
    it.each<[string, Record<'write' | 'read', (backend: Backend) => Promise<unknown>>]>([
      ['a value', { write: (b) => b.set(at('a'), text), read: async (b) => (await b.get(at('a')))?.value }],
      [
        'a new list',
        { write: (b) => b.append(at('a'), [text]), read: async (b) => (await b.range(at('a')))[0] },
      ],
    ])('that are about to be named by %s stay, whatever clock sweeps', async (_, { write, read }) => {
      const ahead = new FakeClock(clock.now() + HOUR_MS);
      const sweeper = await open({ clock: ahead });
      const writer = await through(async (command, send) => {
        const item = (command.input as { Item?: Record<string, AttributeValue> }).Item ?? {};
        if (item['body'] !== undefined)
          for (let round = 0; round < 3; round += 1) {
            await sweeper.sweep();
            ahead.advance(HOUR_MS);
          }
        return send(command);
      });
      await write(writer);
      expect(await read(sweeper)).toBe(text);
    });

    it('are named by nothing that took more than ten minutes, and are swept', async () => {
      const [sweeper, isSlow] = [await open(), (item: Record<string, AttributeValue>) => item['octets']];
      const writer = await through((command, send) => {
        if (isSlow((command.input as { Item?: Record<string, AttributeValue> }).Item ?? {}) !== undefined)
          steady.advance(10 * MINUTE_MS);
        return send(command);
      });
      expect(await failure(writer.set(at('a'), bytesOf(MIB)))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(await sweeper.get(at('a'))).toBeUndefined();
      await sweeper.sweep();
      steady.advance(HOUR_MS);
      expect(await sweeper.sweep()).toBe(1);
      expect([await stored('b'), await stored('o')]).toEqual([[], []]);
    });

    it('are read whole while others replace them', async () => {
      const [writer, reader] = [await open(), await open()];
      const sizes = [1, 2, 3].map((size) => size * 500_000);
      const write = async (): Promise<void> => {
        for (let turn = 0; turn < 12; turn += 1)
          await writer.set(at('a'), bytesOf(sizes[turn % 3]!, turn + 1));
      };
      await writer.set(at('a'), bytesOf(sizes[0]!));
      const state = { isWriting: true };
      const writing = write().finally(() => (state.isWriting = false));
      for (let reads = 0; state.isWriting || reads < 3; reads += 1) {
        const found = (await reader.get(at('a')))!.value as Uint8Array;
        expect(sizes).toContain(found.length);
        const seed = found[1]!;
        expect(found[10]).toBe((10 * seed) % 251);
        expect(found.at(-1)).toBe(((found.length - 1) * seed) % 251);
      }
      await writing;
    });

    it('recognise a write that reached the server though its answer was lost', async () => {
      let isLost = false;
      const backend = await through(async (command, send) => {
        const answer = await send(command);
        const { Item: item } = command.input as { Item?: Record<string, AttributeValue> };
        if (item?.['version'] === undefined || isLost) return answer;
        isLost = true;
        throw failureOf('InternalServerError');
      });
      expect(await backend.set(at('a'), bytesOf(MIB), { ifAbsent: true, version: 'v1' })).toBe('v1');
      expect(((await backend.get(at('a')))!.value as Uint8Array).length).toBe(MIB);
    });
  });

  describe('lists', () => {
    it('of 600 single elements stay in order, and their body goes with them', async () => {
      const backend = await open();
      const elements = numbers(600).map((index) => ({ index, text: 'x'.repeat(90) }));
      for (const [index, element] of elements.entries())
        expect(await backend.append(at('l'), [element])).toBe(index + 1);
      expect(await backend.range(at('l'))).toEqual(elements);
      for (const [start, end] of [
        [0, 0],
        [100, 350],
        [-10, -1],
        [-600, -590],
        [299, 301],
        [590, 700],
      ] as const)
        expect(await backend.range(at('l'), start, end)).toEqual(
          elements.slice(start, end === -1 || end > 599 ? undefined : end + 1),
        );
      expect((await stored('b')).length).toBeGreaterThan(5);
      await backend.delete(at('l'));
      expect([await stored('b'), await stored('o')]).toEqual([[], []]);
    });

    it('of 100,000 elements give their last ten by few calls', async () => {
      let calls = 0;
      const backend = await through((command, send) => {
        calls += 1;
        return send(command);
      });
      for (let from = 0; from < 100_000; from += 1_000)
        expect(await backend.append(at('l'), numbers(1_000, from))).toBe(from + 1_000);
      calls = 0;
      expect(await backend.range(at('l'), -10, -1)).toEqual(numbers(10, 99_990));
      expect(await backend.range(at('l'), 49_995, 50_004)).toEqual(numbers(10, 49_995));
      expect(await backend.length(at('l'))).toBe(100_000);
      expect(calls).toBeLessThan(12);
      expect(await backend.range(at('l'))).toEqual(numbers(100_000));
    });

    it('lose nothing and mix nothing when 20 append at once, and each tail is filled many times', async () => {
      const backends = [await open(), await open()];
      const element = (caller: number, turn: number) => ({ caller, turn, text: 'x'.repeat(700) });
      const lengths = await Promise.all(
        numbers(20).map(async (caller) => {
          const own: number[] = [];
          for (const turn of numbers(10))
            own.push(
              await backends[caller % 2]!.append(at('l'), [element(caller, turn), element(caller, turn)]),
            );
          return own;
        }),
      );
      expect(lengths.flat().sort((a, b) => a - b)).toEqual(numbers(200).map((index) => 2 * index + 2));
      const found = (await backends[0]!.range(at('l'))) as { caller: number; turn: number }[];
      expect(found).toHaveLength(400);
      for (const caller of numbers(20))
        expect(found.filter((one) => one.caller === caller).map(({ turn }) => turn)).toEqual(
          numbers(10).flatMap((turn) => [turn, turn]),
        );
      for (const index of numbers(200)) expect(found[2 * index]).toEqual(found[2 * index + 1]);
    });

    it('take elements of 1 MiB among small ones, also many at once', async () => {
      const backend = await open();
      const large = bytesOf(MIB);
      await backend.append(at('l'), [1, large, 'two']);
      await backend.append(at('l'), [3]);
      await Promise.all(numbers(4).map(() => backend.append(at('l'), [large])));
      const found = await backend.range(at('l'));
      expect(found.map((value) => (value instanceof Uint8Array ? value.length : value))).toEqual([
        ...[1, MIB, 'two', 3],
        ...[MIB, MIB, MIB, MIB],
      ]);
      expect(await backend.range(at('l'), 2, 3)).toEqual(['two', 3]);
      await backend.set(at('l'), 'replaced');
      expect(await stored('b')).toEqual([]);
    });

    it('recognise an append whose answer was lost, small or large', async () => {
      let isLost = true;
      const backend = await through(async (command, send) => {
        const answer = await send(command);
        const isHead =
          /^(Put|Update)/.test(command.constructor.name) && 'ConditionExpression' in command.input;
        if (isLost || !isHead) return answer;
        isLost = true;
        throw failureOf('InternalServerError');
      });
      for (const [turn, value] of ['a', 'x'.repeat(20_000), 'b', 'y'.repeat(20_000)].entries()) {
        isLost = false;
        expect(await backend.append(at('l'), [value])).toBe(turn + 1);
      }
      expect(await backend.length(at('l'))).toBe(4);
    });
  });

  describe('what the server answers by halves', () => {
    const throttled = (every: number) => {
      let calls = 0;
      return (command: Command, send: (command: Command) => Promise<unknown>): Promise<unknown> => {
        calls += 1;
        const name = calls % 2 === 0 ? 'ProvisionedThroughputExceededException' : 'ThrottlingException';
        return calls % every === 0 ? Promise.reject(failureOf(name)) : send(command);
      };
    };

    it('throttled, is asked again', async () => {
      const backend = await through(throttled(3), { random: () => 0.01 });
      const outcomes = await backend.batch(
        numbers(40).map((index) => ({ type: 'set', ...at(`k${index}`), value: index })),
      );
      expect(outcomes.every(({ status }) => status === 'written')).toBe(true);
      for (const index of numbers(10)) expect(await backend.append(at('l'), [index])).toBe(index + 1);
      expect((await backend.getMany([at('k3'), at('none')])).map((item) => item?.value)).toEqual([
        3,
        undefined,
      ]);
      expect(await all(backend)).toHaveLength(41);
    });

    it('throttled for ever, is UNAVAILABLE in time', async () => {
      let isThrottling = false;
      const backend = await through(
        (command, send) =>
          isThrottling ? Promise.reject(failureOf('ProvisionedThroughputExceededException')) : send(command),
        { timeoutMs: 300 },
      );
      isThrottling = true;
      const since = performance.now();
      expect(await failure(backend.set(at('a'), 1))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(performance.now() - since).toBeLessThan(5_000);
    });

    it('in pages of one item, is read to its end', async () => {
      const backend = await through((command, send) =>
        send(command.constructor.name === 'QueryCommand' ? changed(command, { Limit: 1 }) : command),
      );
      for (const index of numbers(9))
        await backend.set(at(`k${index}`), index, index % 3 === 0 ? { expiresAt: clock.now() + 1 } : {});
      for (const partition of ['q', 'r']) await backend.append(at('l', partition), ['x'.repeat(9_000), 1]);
      for (const index of numbers(20)) await backend.append(at('l', 'r'), [String(index).repeat(600)]);
      clock.advance(1);
      expect(await all(backend)).toEqual(['k1', 'k2', 'k4', 'k5', 'k7', 'k8']);
      expect((await backend.scan('p', { limit: 4, reverse: true })).items.map(({ key }) => key)).toEqual([
        ...['k8', 'k7', 'k5', 'k4'],
      ]);
      expect((await backend.partitions()).items).toEqual(['p', 'q', 'r']);
      expect((await backend.stats()).items).toBe(8);
      expect(await backend.range(at('l', 'r'))).toHaveLength(22);
      await sweepExpired(backend, 3);
      await backend.delete(at('l', 'r'));
      await backend.delete(at('l', 'q'));
      expect(await stored('b')).toEqual([]);
    });

    it('undone in batches, is asked for again', async () => {
      let undone = 0;
      const backend = await through(async (command, send) => {
        const { RequestItems: requests } = command.input as { RequestItems?: Record<string, unknown> };
        if (requests === undefined) return send(command);
        undone += 1;
        const own = requests[testTable] as { Keys?: unknown[] } | unknown[];
        if (Array.isArray(own)) {
          if (own.length === 1) return send(command);
          await send(changed(command, { RequestItems: { [testTable]: own.slice(0, 1) } }));
          return { UnprocessedItems: { [testTable]: own.slice(1) } };
        }
        if (own.Keys!.length === 1) return send(command);
        const cut = { ...own, Keys: own.Keys!.slice(0, 1) };
        const answer = (await send(changed(command, { RequestItems: { [testTable]: cut } }))) as object;
        return { ...answer, UnprocessedKeys: { [testTable]: { ...own, Keys: own.Keys!.slice(1) } } };
      });
      for (const index of numbers(5)) await backend.set(at(`k${index}`), index);
      const found = await backend.getMany(numbers(5).map((index) => at(`k${index}`)));
      expect(found.map((item) => item?.value)).toEqual(numbers(5));
      await backend.set(at('large'), bytesOf(3 * MIB));
      await backend.delete(at('large'));
      expect(await stored('b')).toEqual([]);
      expect(undone).toBeGreaterThan(8);
    });

    it.each([
      ['AccessDeniedException', 'ACCESS_DENIED'],
      ['UnrecognizedClientException', 'ACCESS_DENIED'],
      ['ExpiredTokenException', 'ACCESS_DENIED'],
      ['CredentialsProviderError', 'ACCESS_DENIED'],
      ['ResourceNotFoundException', 'CONFIG_INVALID'],
      ['ValidationException', 'REFUSED'],
    ])('with %s, rejects %s', async (name, code) => {
      let isFailing = false;
      const backend = await through((command, send) =>
        isFailing ? Promise.reject(failureOf(name)) : send(command),
      );
      isFailing = true;
      for (const call of [backend.get(at('a')), backend.set(at('a'), 1), backend.scan('p')])
        expect(await failure(call)).toMatchObject({ code });
    });
  });

  describe('partitions', () => {
    const registered = async () => (await stored('p')).map(({ sk }) => Buffer.from(sk!.B!).toString()).sort();

    it('that are empty for an hour are taken off the list of names, and come back with their next item', async () => {
      const backend = await open();
      await backend.set(at('a', 'gone'), 1);
      await backend.set(at('a', 'kept'), 1);
      await backend.delete(at('a', 'gone'));
      await backend.sweep();
      await backend.sweep();
      steady.advance(HOUR_MS - MINUTE_MS);
      await backend.sweep();
      expect(await registered()).toEqual(['gone', 'kept']);
      steady.advance(MINUTE_MS);
      await backend.sweep();
      expect(await registered()).toEqual(['kept']);
      await backend.set(at('a', 'gone'), 2);
      expect((await backend.partitions()).items).toEqual(['gone', 'kept']);
    });

    it('are not taken off while another still relies on having seen them', async () => {
      const [writer, sweeper] = [await open(), await open()];
      await writer.set(at('a', 'q'), 1);
      await writer.delete(at('a', 'q'));
      await sweeper.sweep();
      await sweeper.sweep();
      clock.advance(4 * MINUTE_MS);
      await writer.set(at('b', 'q'), 1);
      clock.advance(HOUR_MS);
      steady.advance(HOUR_MS);
      await sweeper.sweep();
      expect((await sweeper.partitions()).items).toEqual(['q']);
    });

    it('are not taken off by a clock that is hours ahead while an item is written into them', async () => {
      const ahead = new FakeClock(clock.now() + HOUR_MS);
      const sweeper = await open({ clock: ahead });
      const writer = await through(async (command, send) => {
        const item = (command.input as { Item?: Record<string, AttributeValue> }).Item ?? {};
        if (item['json']?.S === '"late"')
          for (let round = 0; round < 3; round += 1) {
            await sweeper.sweep();
            ahead.advance(HOUR_MS);
          }
        return send(command);
      });
      await writer.set(at('a', 'q'), 'early');
      await writer.delete(at('a', 'q'));
      await writer.set(at('b', 'q'), 'late');
      expect((await sweeper.partitions()).items).toEqual(['q']);
    });

    it('are all there after many were written, deleted and swept at once', async () => {
      const [first, second] = [await open(), await open()];
      for (const round of numbers(3)) {
        await Promise.all(
          numbers(30).map(async (index) => {
            const backend = index % 2 === 0 ? first : second;
            await backend.set(at('k', `p${index}`), round);
            if ((index + round) % 3 === 0) await backend.delete(at('k', `p${index}`));
            if (index % 10 === 0) await backend.sweep();
          }),
        );
        clock.advance(HOUR_MS / 2);
        steady.advance(HOUR_MS / 2);
      }
      const wanted = numbers(30).filter((index) => (index + 2) % 3 !== 0);
      expect((await first.partitions()).items).toEqual(wanted.map((index) => `p${index}`).sort());
    });

    it('of 10,000 keys are read over many pages of a megabyte', async () => {
      const backend = await open();
      const keys = numbers(10_000).map((index) => `k${String(index).padStart(5, '0')}`);
      for (let from = 0; from < 10_000; from += 1_000)
        await backend.batch(
          keys.slice(from, from + 1_000).map((key) => ({ type: 'set', ...at(key), value: key.repeat(50) })),
        );
      const { Count: count = 0, LastEvaluatedKey: last } = await admin.send(
        new QueryCommand({
          TableName: testTable,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { B: Buffer.from(`${keyPrefix}\0ip`) } },
        }),
      );
      expect(last).toBeDefined();
      expect(count).toBeLessThan(10_000);
      expect(await all(backend)).toEqual(keys);
      expect(await backend.stats()).toMatchObject({ items: 10_000, isCapped: false });
    }, 180_000);
  });

  it('takes operators and expressions for the texts that they are', async () => {
    const backend = await open();
    const hostile = [
      '$gt',
      '#pk',
      ':now',
      'attribute_not_exists(pk)',
      'a = :b OR 1 = 1',
      'SET version = :v',
      'pk',
    ];
    for (const text of hostile) {
      await backend.set(at(text, text), { [text]: text, $where: 'true', S: 'x', N: '1', NULL: true });
      await backend.append(at('l', text), [{ M: { S: text } }, { L: [] }]);
    }
    for (const text of hostile) {
      expect((await backend.get(at(text, text)))?.value).toEqual({
        ...{ [text]: text, $where: 'true' },
        ...{ S: 'x', N: '1', NULL: true },
      });
      expect(await backend.range(at('l', text))).toEqual([{ M: { S: text } }, { L: [] }]);
    }
    expect((await backend.partitions()).items).toEqual([...hostile].sort());
  });

  it('keeps prefixes apart that begin alike', async () => {
    const [short, long] = [
      await open({ keyPrefix: `${keyPrefix}a` }),
      await open({ keyPrefix: `${keyPrefix}ai` }),
    ];
    await short.set(at('k', 'ix'), 1);
    await long.set(at('k', 'x'), 2);
    expect([(await short.get(at('k', 'ix')))?.value, (await long.get(at('k', 'x')))?.value]).toEqual([1, 2]);
    expect([(await short.partitions()).items, (await long.partitions()).items]).toEqual([['ix'], ['x']]);
    expect(await short.get(at('k', 'x'))).toBeUndefined();
  });

  it('leaves JSON readable in its items, and lets the server drop them no earlier than they expire', async () => {
    const backend = await open();
    await backend.set(at('a'), { name: 'Ann' }, { expiresAt: clock.now() + 90_000 });
    const [item] = await stored('i');
    expect(item?.['json']?.S).toBe('{"name":"Ann"}');
    expect(Number(item?.['delete_after']?.N) * 1_000).toBeGreaterThan(Date.now() + 90_000 + HOUR_MS - 5_000);
  });

  it('tells a table its time to live, where the server can be told, and says so where it cannot', async () => {
    const table = `${testTable}-living`;
    const options = { table, declareTimeToLive: true };
    try {
      const outcome = await open(options).then(
        () => 'told',
        (error: unknown) => (error as { code?: string }).code,
      );
      const { TimeToLiveDescription: known } = await admin.send(
        new DescribeTimeToLiveCommand({ TableName: table }),
      );
      if (outcome === 'UNSUPPORTED') {
        expect(known?.TimeToLiveStatus).toBe('DISABLED');
        return;
      }
      expect(outcome).toBe('told');
      expect(known).toMatchObject({
        TimeToLiveStatus: expect.stringMatching(/^ENABL(ED|ING)$/) as string,
        AttributeName: 'delete_after',
      });
      const again = await open(options);
      await again.set(at('a'), 1, { expiresAt: clock.now() + 1 });
      expect((await again.get(at('a')))?.value).toBe(1);
    } finally {
      await removeTable(admin, table);
    }
  });

  describe('transactions, by a stub where the server has none', () => {
    const large = 'x'.repeat(500_000);
    const openOne = () => open({ client: withTransactions(admin), transact: true });

    it('write nothing that took more than ten minutes for all of their parts', async () => {
      const backend = await open({
        client: clientAround(withTransactions(admin) as never, (command, send) => {
          const item = (command.input as { Item?: Record<string, AttributeValue> }).Item ?? {};
          if (item['octets'] !== undefined) steady.advance(3 * MINUTE_MS);
          return send(command);
        }),
        transact: true,
      });
      const writes = ['a', 'b'].map((key) => ({ type: 'set' as const, ...at(key), value: large }));
      expect(await failure(backend.transact(writes))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(await all(backend)).toEqual([]);
    });

    it('apply writes of every kind, and clear what they replace away', async () => {
      const backend = await openOne();
      const version = (await backend.set(at('a'), large))!;
      for (const index of numbers(12)) await backend.append(at('l'), [String(index).repeat(1_000)]);
      await backend.set(at('gone'), large);
      await backend.set(at('expired'), large, { expiresAt: clock.now() + 1 });
      clock.advance(1);
      const outcomes = await backend.transact([
        { type: 'set', ...at('a'), value: 1, ifVersion: version },
        { type: 'set', ...at('new'), value: large, ifAbsent: true },
        { type: 'append', ...at('l'), values: [1, 2] },
        { type: 'append', ...at('m'), values: [large] },
        { type: 'delete', ...at('gone') },
        { type: 'delete', ...at('expired') },
        { type: 'delete', ...at('never') },
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual([
        ...['written', 'written', 'written', 'written'],
        ...['deleted', 'missing', 'missing'],
      ]);
      expect(outcomes.map((outcome) => (outcome as { length?: number }).length)).toEqual([
        ...[undefined, undefined, 14, 1],
        ...[undefined, undefined, undefined],
      ]);
      expect(await all(backend)).toEqual(['a', 'l', 'm', 'new']);
      expect((await backend.get(at('new')))?.value).toBe(large);
      expect(await backend.range(at('l'), -2, -1)).toEqual([1, 2]);
      expect(await backend.range(at('m'))).toEqual([large]);
      for (const key of ['new', 'l', 'm']) await backend.delete(at(key));
      expect(await stored('b')).toEqual([]);
    });

    it('apply nothing when one condition fails', async () => {
      const backend = await openOne();
      await backend.set(at('there'), 1);
      const good = { type: 'set', ...at('new'), value: large } as const;
      for (const bad of [
        { type: 'set', ...at('there'), value: 2, ifAbsent: true },
        { type: 'delete', ...at('there'), ifVersion: 'other' },
      ] as const)
        expect(await failure(backend.transact([good, bad]))).toMatchObject({ code: 'CONFLICT' });
      expect(
        await failure(backend.transact([good, { type: 'append', ...at('there'), values: [1] }])),
      ).toMatchObject({ code: 'WRONG_TYPE' });
      expect(await all(backend)).toEqual(['there']);
      expect(await stored('b')).toEqual([]);
    });

    it('take turns where they meet', async () => {
      const backend = await openOne();
      await backend.set(at('other'), 0);
      const lengths = await Promise.all(
        numbers(6).map(async (index) => {
          const [first] = await backend.transact([
            { type: 'append', ...at('l'), values: [index] },
            { type: 'set', ...at('other'), value: index },
          ]);
          return (first as { length: number }).length;
        }),
      );
      expect(lengths.sort()).toEqual(numbers(6, 1));
    });

    it('are refused where they are not declared', async () => {
      const backend = await open({ transact: false });
      expect(await failure(backend.transact([]))).toMatchObject({ code: 'UNSUPPORTED' });
    });
  });
});
