import { createRedisBackend } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { Cluster, Redis } from 'ioredis';
import { startKillableServer, type KillableServer } from './killable-server';

const PARTITION = 'p';
const at = (key: string) => ({ partition: PARTITION, key });

let server: KillableServer | undefined;
let addresses: { host: string; port: number }[] = [];
const clock = new FakeClock();

beforeAll(async () => {
  server = await startKillableServer('redis-cluster');
  addresses = (server?.url ?? '').split(',').map((address) => {
    const [host = '', port] = address.split(':');
    return { host, port: Number(port) };
  });
});
afterAll(() => server?.stop());

interface Node {
  readonly id: string;
  readonly port: number;
  readonly client: Redis;
}

/** The master of the partition, and another one. */
async function findMasters(
  cluster: Cluster,
): Promise<{ slot: number; from: Node; to: Node; others: Node[] }> {
  const slot = await cluster.cluster('KEYSLOT', `recap:{${PARTITION}}:k`);
  const ranges = (await cluster.cluster('SLOTS')) as unknown as [number, number, [string, number, string]][];
  const masters = new Map(ranges.map(([, , [, port, id]]) => [id, port]));
  const [, , [, , owner]] = ranges.find(([first, last]) => first <= slot && slot <= last)!;
  const nodes = [...masters].map(([id, port]) => ({ id, port, client: new Redis({ port }) }));
  const from = nodes.find(({ id }) => id === owner)!;
  const others = nodes.filter((node) => node !== from);
  return { slot, from, to: others[0]!, others };
}

describe('a Redis Cluster that moves a partition to another node', () => {
  it.each(['the indexes first', 'the items first'])('loses nothing of it: %s', async (order) => {
    if (server === undefined) return;
    // What waits for the rest of the partition waits for a moment.
    const client = new Cluster(addresses, { retryDelayOnTryAgain: 1 });
    const backend = createRedisBackend({ client, clock, sweepIntervalMs: 0 });
    await backend.open();
    const { slot, from, to, others } = await findMasters(client);
    try {
      await backend.sweep();
      for (const { key } of (await backend.scan(PARTITION)).items) await backend.delete(at(key));
      for (const key of ['a', 'b', 'c']) await backend.set(at(key), { key });
      await backend.append(at('l'), ['x']);
      await backend.set(at('lasting'), 1, { expiresAt: clock.now() + 1_000 });
      // Its expiry stays noted, and is no longer true.
      await backend.set(at('lasting'), { key: 'lasting' });
      await backend.set(at('expired'), 1, { expiresAt: clock.now() + 1_000 });
      clock.advance(2_000);
      const expected = await backend.scan(PARTITION);
      expect(expected.items.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'l', 'lasting']);

      await to.client.cluster('SETSLOT', slot, 'IMPORTING', from.id);
      await from.client.cluster('SETSLOT', slot, 'MIGRATING', to.id);
      const names = await from.client.cluster('GETKEYSINSLOT', slot, 100);
      const isIndex = (name: string): boolean => !name.includes('}:i:');
      const sign = order === 'the indexes first' ? -1 : 1;
      names.sort((a, b) => sign * (Number(isIndex(a)) - Number(isIndex(b))) || a.localeCompare(b));
      let waited = 0;
      for (const name of names) {
        await from.client.migrate('127.0.0.1', to.port, name, 0, 5_000);
        const looks: Promise<unknown>[] = [
          backend.scan(PARTITION).then((page) => expect(page).toEqual(expected)),
          backend.keys(PARTITION).then((page) => expect(page.items).toEqual(expected.items.map(keyOf))),
          backend.sweep(),
          backend.stats(),
          backend
            .scan(PARTITION, { range: { gte: 'b', lt: 'c' } })
            .then(({ items }) => expect(items).toHaveLength(1)),
          backend
            .keys(PARTITION, { range: { gte: 'b', lt: 'c' } })
            .then(({ items }) => expect(items).toEqual(['b'])),
        ];
        for (const outcome of await Promise.allSettled(looks))
          if (outcome.status === 'rejected') {
            expect(outcome.reason).toMatchObject({ code: 'UNAVAILABLE' });
            waited += 1;
          }
      }
      expect(waited).toBeGreaterThan(0);
      for (const node of [to, from, ...others]) await node.client.cluster('SETSLOT', slot, 'NODE', to.id);

      expect(await backend.scan(PARTITION)).toEqual(expected);
      expect(await backend.keys(PARTITION)).toEqual({ items: expected.items.map(keyOf) });
      await backend.sweep();
      expect(await backend.scan(PARTITION)).toEqual(expected);
    } finally {
      for (const { client: node } of [from, ...others]) node.disconnect();
      await backend.close();
      client.disconnect();
    }
  });
});

const keyOf = ({ key }: { readonly key: string }): string => key;
