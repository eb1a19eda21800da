import { setTimeout as wait } from 'node:timers/promises';
import { ask, start as startNode } from './redis.mjs';

/* In the shape that postgres.mjs describes: a master, a replica, and three sentinels that watch over them. */

export const name = 'Redis Sentinel';
export const masterName = 'recap';

const sentinelCount = 3;
const formLimitMs = 30_000;

/**
 * Starts a master with a replica and three sentinels on free ports of 127.0.0.1, each as redis.mjs starts a server.
 *
 * @returns {Promise<{ url: string, version: string, nodes: object[], stop: () => Promise<void> }
 *   | { missing: string }>} `url` lists the sentinels as `host:port`; `nodes` are the master, the replica and the
 *   sentinels, as redis.mjs starts them
 */
export async function start() {
  const nodes = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const add = async (...given) => {
    const node = await startNode(...given);
    if (!node.missing) nodes.push(node);
    return node;
  };
  const master = await add();
  if (master.missing) return master;
  const replica = await add({ replicaof: `127.0.0.1 ${master.port}` });
  const sentinels = [];
  for (let count = 0; count < sentinelCount; count += 1) sentinels.push(await add({}, watching(master.port)));
  const failed = [replica, ...sentinels].find((node) => node.missing);
  const problem = failed?.missing ?? (await form(sentinels));
  if (problem) {
    await stop();
    return { missing: problem };
  }
  const url = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return { url, version: master.version, nodes, stop };
}

function watching(port) {
  return [
    `sentinel monitor ${masterName} 127.0.0.1 ${port} 2`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    `sentinel failover-timeout ${masterName} 5000`,
  ];
}

/** Every sentinel knows the others and the replica. */
async function form(sentinels) {
  const deadline = Date.now() + formLimitMs;
  for (;;) {
    const infos = await Promise.all(
      sentinels.map(({ port }) => ask(port, 'INFO sentinel', /master0:.*|sentinel_masters:0/)),
    );
    const areReady = infos.every((info) =>
      new RegExp(`status=ok,.*slaves=1,sentinels=${sentinelCount}`).test(info),
    );
    if (areReady) return undefined;
    if (Date.now() > deadline) return `the sentinels did not find each other within ${formLimitMs / 1000} s`;
    await wait(50);
  }
}
