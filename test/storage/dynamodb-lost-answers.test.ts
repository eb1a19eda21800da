import { ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { createDynamodbBackend, type Backend, type DynamodbBackendOptions } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { clientAround, failureOf, type Command } from './dynamodb-clients';
import { startLossyProxy, type LossyProxy } from './dynamodb-lossy-proxy';
import { dynamoEndpoint, freshPrefix, makeClient, place, removeTable, testTable } from './dynamodb-servers';
import { SteadyClock } from './steady-clock';

const at = (key: string, partition = 'p') => ({ partition, key });
const HOUR_MS = 3_600_000;
const kilobyte = 'y'.repeat(1_000);

(dynamoEndpoint === undefined ? describe.skip : describe)('DynamoDB whose answers are lost', () => {
  const admin = makeClient();
  let clock: FakeClock;
  let steady: SteadyClock;
  let keyPrefix: string;
  let opened: Backend[] = [];
  let proxy: LossyProxy;

  const open = async (options: DynamodbBackendOptions = {}): Promise<Backend> => {
    const { endpoint: _endpoint, region: _region, credentials: _credentials, ...shared } = place();
    const where = options.client === undefined ? place() : shared;
    const backend = createDynamodbBackend({ ...where, keyPrefix, clock, sweepIntervalMs: 0, ...options });
    opened.push(backend);
    await backend.open();
    return backend;
  };
  /** Every kind of item of this test that is in the table. */
  const kinds = async (): Promise<string[]> => {
    const found: Record<string, AttributeValue>[] = [];
    let after: Record<string, AttributeValue> | undefined;
    do {
      const answer = await admin.send(
        new ScanCommand({ TableName: testTable, ConsistentRead: true, ExclusiveStartKey: after }),
      );
      found.push(...(answer.Items ?? []));
      after = answer.LastEvaluatedKey;
    } while (after !== undefined);
    return found
      .map(({ pk }) => Buffer.from(pk!.B!).toString())
      .filter((name) => name.startsWith(`${keyPrefix}\0`))
      .map((name) => name.charAt(keyPrefix.length + 1));
  };
  const failure = (call: Promise<unknown>): Promise<{ code?: string; message: string }> =>
    call.then(
      () => Promise.reject(new Error('It did not fail.')),
      (error: unknown) => error as Error,
    );

  beforeEach(async () => {
    clock = new FakeClock();
    steady = new SteadyClock();
    keyPrefix = freshPrefix();
    proxy = await startLossyProxy(dynamoEndpoint!);
  });
  afterEach(async () => {
    steady.restore();
    for (const backend of opened) await backend.close();
    opened = [];
    await proxy.close();
  });
  afterAll(async () => {
    await removeTable(admin);
    admin.destroy();
  });

  describe('an append', () => {
    it('that moved a full tail leaves every older element where it is', async () => {
      const backend = await open({ endpoint: proxy.url });
      for (let index = 0; index < 8; index += 1) await backend.append(at('l'), [kilobyte]);
      proxy.loseNext('UpdateItem', 'tail_start');
      expect(await backend.append(at('l'), ['last'])).toBe(9);
      expect(proxy.lost).toBe(1);
      expect(await backend.range(at('l'))).toEqual([...Array<string>(8).fill(kilobyte), 'last']);
    });

    it.each(['InternalServerError', 'a broken connection'])(
      'of a large element to a new list keeps it after %s',
      async (kind) => {
        let isLost = false;
        const client = clientAround(admin, async (command, send) => {
          const answer = await send(command);
          const { Item: item } = command.input as { Item?: Record<string, AttributeValue> };
          if (item?.['element_count'] === undefined || isLost) return answer;
          isLost = true;
          throw kind === 'InternalServerError'
            ? failureOf(kind)
            : failureOf('TimeoutError', { code: 'ECONNRESET' });
        });
        const backend = await open({ client });
        const large = 'x'.repeat(20_000);
        expect(await backend.append(at('l'), [large])).toBe(1);
        expect(isLost).toBe(true);
        expect(await backend.range(at('l'))).toEqual([large]);
        await backend.sweep();
        steady.advance(2 * HOUR_MS);
        await backend.sweep();
        expect(await backend.range(at('l'))).toEqual([large]);
      },
    );

    it.each([
      ['its tail is moved', 'entries', [kilobyte]],
      ['its elements are written', 'octets', ['x'.repeat(20_000)]],
    ])('to a list that is deleted while %s leaves nothing of it behind', async (_, attribute, values) => {
      let meanwhile: (() => Promise<unknown>) | undefined;
      const client = clientAround(admin, async (command: Command, send) => {
        const { Item: item } = command.input as { Item?: Record<string, AttributeValue> };
        if (item?.[attribute] !== undefined && meanwhile !== undefined) {
          const run = meanwhile;
          meanwhile = undefined;
          await run();
        }
        return send(command);
      });
      const backend = await open({ client });
      for (let index = 0; index < 17; index += 1) await backend.append(at('l'), [kilobyte]);
      expect(await kinds()).toContain('b');
      let isDeleted = false;
      meanwhile = async () => {
        isDeleted = await backend.delete(at('l'));
      };
      for (let index = 0; index < 8; index += 1) await backend.append(at('l'), values);
      expect(isDeleted).toBe(true);
      await backend.delete(at('l'));
      expect((await kinds()).filter((kind) => kind !== 'p')).toEqual([]);
    });
  });

  describe('an append of large elements by a program that dies', () => {
    const large = 'x'.repeat(1_000_000);
    const withBody = async (good: Backend): Promise<void> => {
      await good.append(at('l'), ['y'.repeat(20_000)]);
      for (let index = 0; index < 17; index += 1) await good.append(at('l'), [kilobyte]);
    };
    const dying = (dies: (command: Command) => 'before' | 'after' | undefined) => {
      let isDead = false;
      return clientAround(admin, async (command, send) => {
        const when = dies(command);
        isDead ||= when === 'before';
        if (isDead) throw failureOf('TimeoutError');
        const answer = await send(command);
        if (when === undefined) return answer;
        isDead = true;
        throw failureOf('TimeoutError');
      });
    };
    const itemOf = ({ input }: Command) => (input as { Item?: Record<string, AttributeValue> }).Item ?? {};

    it.each([
      ['its second part', (command: Command) => itemOf(command)['octets']?.B?.length === 393_216],
      ['its head', (command: Command) => command.constructor.name === 'UpdateItemCommand'],
    ])('before %s leaves nothing behind for longer than an hour', async (_, isIt) => {
      const good = await open();
      await withBody(good);
      const before = (await kinds()).sort();
      let parts = 0;
      const client = dying((command) => (isIt(command) && (parts += 1) >= 1 ? 'before' : undefined));
      expect(await failure((await open({ client })).append(at('l'), [large]))).toMatchObject({
        code: 'UNAVAILABLE',
      });
      expect((await kinds()).length).toBeGreaterThan(before.length);
      expect(await good.sweep()).toBe(0);
      steady.advance(HOUR_MS - 60_000);
      expect(await good.sweep()).toBe(0);
      steady.advance(60_000);
      expect(await good.sweep()).toBe(1);
      expect((await kinds()).sort()).toEqual(before);
      expect(await good.length(at('l'))).toBe(18);
      expect((await good.range(at('l'))).at(0)).toHaveLength(20_000);
    });

    it.each([0, 20])('behind its head keeps them, also when %i appends followed', async (followers) => {
      const good = await open();
      await withBody(good);
      const client = dying(({ constructor }) =>
        constructor.name === 'UpdateItemCommand' ? 'after' : undefined,
      );
      await failure((await open({ client })).append(at('l'), [large]));
      for (let index = 0; index < followers; index += 1) await good.append(at('l'), [kilobyte]);
      expect(await good.sweep()).toBe(0);
      steady.advance(HOUR_MS);
      const notes = (await kinds()).filter((kind) => kind === 'o').length;
      expect(await good.sweep()).toBe(0);
      expect((await kinds()).filter((kind) => kind === 'o')).toHaveLength(notes - 1);
      expect(((await good.range(at('l'), 18, 18)) as string[])[0]).toBe(large);
      await good.delete(at('l'));
      expect((await kinds()).filter((kind) => kind !== 'p')).toEqual([]);
    });

    it('into a list that ended meanwhile leaves nothing behind for longer than an hour', async () => {
      const good = await open();
      await withBody(good);
      let isDone = false;
      const client = clientAround(admin, async (command, send) => {
        if (isDone) throw failureOf('TimeoutError');
        if (itemOf(command)['octets'] !== undefined) {
          isDone = true;
          await good.delete(at('l'));
        }
        return send(command);
      });
      await failure((await open({ client })).append(at('l'), ['x'.repeat(20_000)]));
      expect(await kinds()).toContain('b');
      expect(await good.sweep()).toBe(0);
      steady.advance(HOUR_MS);
      expect(await good.sweep()).toBe(1);
      expect((await kinds()).filter((kind) => kind !== 'p')).toEqual([]);
    });

    it('leaves no note of those that were appended', async () => {
      const good = await open();
      await withBody(good);
      const before = (await kinds()).sort();
      await good.append(at('l'), [large]);
      expect((await kinds()).sort()).toEqual([...before, 'b', 'b', 'b'].sort());
    });
  });

  describe('a set', () => {
    it('does not undo what another wrote over it', async () => {
      const [backend, other] = [await open({ endpoint: proxy.url }), await open()];
      await backend.set(at('warm'), 0);
      proxy.loseNext('PutItem', '"mine', async () => {
        const version = (await other.get(at('k')))!.version;
        await other.set(at('k'), 'theirs', { ifVersion: version });
      });
      expect(await failure(backend.set(at('k'), 'mine'))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(proxy.lost).toBe(1);
      expect((await other.get(at('k')))?.value).toBe('theirs');
    });

    it('that another replaced is not called a conflict', async () => {
      const [backend, other] = [await open({ endpoint: proxy.url }), await open()];
      const version = (await backend.set(at('k'), 'before'))!;
      proxy.loseNext('PutItem', '"mine', () => other.set(at('k'), 'theirs'));
      const call = backend.set(at('k'), 'mine', { ifVersion: version });
      expect(await failure(call)).toMatchObject({ code: 'UNAVAILABLE' });
      expect((await other.get(at('k')))?.value).toBe('theirs');
    });

    it.each([{}, { ifAbsent: true }])('with %j is found to have been made', async (condition) => {
      const backend = await open({ endpoint: proxy.url });
      proxy.loseNext('PutItem', '"mine');
      expect(await backend.set(at('k'), 'mine', { ...condition, version: 'v1' })).toBe('v1');
      expect(proxy.lost).toBe(1);
    });

    it.each(['"ifVersion"', 'nothing'])(
      'that did not reach the server is made again where %s tells so',
      async (kind) => {
        let isDown = false;
        const client = clientAround(admin, (command, send) => {
          const { Item: item } = command.input as { Item?: Record<string, AttributeValue> };
          if (!isDown || item?.['version'] === undefined) return send(command);
          isDown = false;
          return Promise.reject(
            kind === 'nothing'
              ? failureOf('Error', { code: 'ECONNREFUSED' })
              : failureOf('InternalServerError'),
          );
        });
        const backend = await open({ client });
        const version = (await backend.set(at('k'), 1))!;
        isDown = true;
        await backend.set(at('k'), 2, kind === 'nothing' ? {} : { ifVersion: version });
        expect((await backend.get(at('k')))?.value).toBe(2);
      },
    );
  });

  describe('a delete', () => {
    it('does not say that nothing was there', async () => {
      const backend = await open({ endpoint: proxy.url });
      await backend.set(at('k'), 1);
      proxy.loseNext('DeleteItem', 'ALL_OLD');
      expect(await failure(backend.delete(at('k')))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(proxy.lost).toBe(1);
      expect(await backend.delete(at('k'))).toBe(false);
    });

    it('does not take away what another wrote after it', async () => {
      const [backend, other] = [await open({ endpoint: proxy.url }), await open()];
      await backend.set(at('k'), 1);
      proxy.loseNext('DeleteItem', 'ALL_OLD', () => other.set(at('k'), 'theirs', { ifAbsent: true }));
      expect(await failure(backend.delete(at('k')))).toMatchObject({ code: 'UNAVAILABLE' });
      expect((await other.get(at('k')))?.value).toBe('theirs');
    });
  });
});
