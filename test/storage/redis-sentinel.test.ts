import { createRedisBackend, createStorageBackends, type Backend } from '@recap/storage';
import { Redis } from 'ioredis';
import { until } from '../faults/rig/until';
import { startKillableServer, type KillableServer } from './killable-server';

const at = (key: string) => ({ partition: 'p', key });
const MASTER = 0;
const REPLICA = 1;

describe('Redis behind three sentinels', () => {
  let servers: KillableServer | undefined;
  let nodes: { host: string; port: number }[] = [];
  const opened: Backend[] = [];
  const figures: string[] = [];

  beforeEach(async () => {
    servers = await startKillableServer('redis-sentinel');
    nodes = (servers?.url ?? '').split(',').map((address) => {
      const [host = '', port] = address.split(':');
      return { host, port: Number(port) };
    });
  });
  afterEach(async () => {
    for (const backend of opened.splice(0)) await backend.close();
    await servers?.stop();
  });
  afterAll(() => {
    if (figures.length > 0)
      process.stdout.write(`\nA master behind sentinels is killed:\n${figures.join('')}`);
  });

  const open = async (name = 'recap'): Promise<Backend> => {
    const backend = createRedisBackend({ sentinel: { name, nodes }, sweepIntervalMs: 0 });
    opened.push(backend);
    await backend.open();
    return backend;
  };
  const portOfMaster = async (): Promise<number> => {
    const sentinel = new Redis(nodes[0]!.port);
    try {
      const found = (await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'recap')) as string[];
      return Number(found[1]);
    } finally {
      sentinel.disconnect();
    }
  };
  const replicaHasAll = async (port: number): Promise<boolean> => {
    const master = new Redis(port);
    try {
      const waited = await master.wait(1, 1_000);
      return waited === 1;
    } finally {
      master.disconnect();
    }
  };
  const works = (backend: Backend): Promise<boolean> =>
    backend.set(at('again'), 1).then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'UNAVAILABLE' });
        return false;
      },
    );

  it('goes on with the replica when the master is killed, and with the old master as a replica', async () => {
    if (servers === undefined) return;
    const backend = await open();
    const heard: unknown[] = [];
    await backend.subscribe('c', (message) => heard.push(message));
    for (let index = 0; index < 100; index += 1) await backend.append(at('l'), [index]);
    await backend.set(at('kept'), { x: 1 });
    const before = await portOfMaster();
    await until('the replica has it', () => replicaHasAll(before), Boolean);

    const killedAt = performance.now();
    await servers.act('kill', MASTER);
    await until('it works again', () => works(backend), Boolean, 45_000);
    const outageMs = Math.round(performance.now() - killedAt);
    figures.push(
      `  writes again after ${outageMs} ms (Redis ${servers.version}, down-after-milliseconds 1000)\n`,
    );
    expect(await portOfMaster()).not.toBe(before);
    expect(await backend.get(at('kept'))).toMatchObject({ value: { x: 1 } });
    expect(await backend.range(at('l'))).toEqual(Array.from({ length: 100 }, (_, index) => index));
    await until(
      'it is heard',
      async () => {
        await backend.publish('c', 'again').catch(() => undefined);
        return heard.length;
      },
      (count) => count > 0,
      45_000,
    );

    // It comes back as a replica, which takes no writes; nobody is led to it.
    await servers.act('restart', MASTER);
    const other = await open();
    expect(await other.append(at('l'), [100])).toBe(101);
    expect(await backend.length(at('l'))).toBe(101);
    await servers.act('freeze', REPLICA + 1);
    expect(await works(backend)).toBe(true);
    await servers.act('thaw', REPLICA + 1);
  });

  it('is found by the configuration of a manager too, and a name that no sentinel knows is UNAVAILABLE', async () => {
    if (servers === undefined) return;
    const sentinel = { name: 'recap', nodes };
    const { manager, backends } = await createStorageBackends({ cache: { type: 'redis', sentinel } });
    await backends.cache.set('session:1', { user: 1 }, 60);
    expect(await backends.cache.get('session:1')).toEqual({ user: 1 });
    await manager.disconnect();
    await expect(open('another')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
