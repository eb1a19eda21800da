import { setTimeout as wait } from 'node:timers/promises';
import { findProgram } from '../debian.mjs';
import { runCommand } from '../run-command.mjs';
import { ask, start as startNode } from './redis.mjs';

/* In the shape that postgres.mjs describes: three masters, each with a replica. */

export const name = 'Redis Cluster';
export const variable = 'RECAP_TEST_REDIS_CLUSTER';

const nodeCount = 6;
const nodeTimeoutMs = 2_000;
const formLimitMs = 60_000;

/**
 * Starts six nodes of their own on free ports of 127.0.0.1, each as redis.mjs starts a server, and makes them one
 * cluster of 3 masters and 3 replicas.
 *
 * @returns {Promise<{ url: string, version: string, nodes: object[], stop: () => Promise<void> }
 *   | { missing: string }>} `url` lists the nodes as `host:port`; `nodes` are what redis.mjs starts
 */
export async function start() {
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': nodeTimeoutMs };
  const nodes = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  for (let count = 0; count < nodeCount; count += 1) {
    const node = await startNode(settings);
    if (node.missing) {
      await stop();
      return node;
    }
    nodes.push(node);
  }
  const problem = await form(nodes);
  if (problem) {
    await stop();
    return { missing: `the nodes formed no cluster: ${problem}` };
  }
  const url = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return { url, version: nodes[0].version, nodes, stop };
}

async function form(nodes) {
  const cli = findProgram('redis-cli');
  if (!cli) return 'there is no redis-cli; it is in the package "redis-tools"';
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const options = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'];
  const { code, output } = await runCommand(cli, options, { quiet: true, limitMinutes: 1 });
  if (code !== 0) return output.trim();
  const deadline = Date.now() + formLimitMs;
  for (;;) {
    const states = await Promise.all(nodes.map(({ port }) => isReady(port)));
    if (states.every(Boolean)) return undefined;
    if (Date.now() > deadline) return `not ready after ${formLimitMs / 1000} s`;
    await wait(50);
  }
}

/** Every node knows all slots, and every replica has its master's data. */
async function isReady(port) {
  const info = await ask(port, 'CLUSTER INFO', /cluster_state:\w+[^]*cluster_known_nodes:\d+/);
  const replication = await ask(port, 'INFO replication', /second_repl_offset/);
  const isLinked = /role:master[^]*connected_slaves:1|master_link_status:up/.test(replication);
  return /cluster_state:ok/.test(info) && isLinked;
}
