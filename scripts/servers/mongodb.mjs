import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/*
 * In the shape that postgres.mjs describes. No genuine MongoDB is to be had from npm or Debian, so without one that
 * MONGODB_URL names, the tests run on a stand-in for its protocol, and say so.
 */

export const name = 'MongoDB';
export const variable = 'RECAP_TEST_MONGODB_URL';
/** Where users of the project name a server of their own. */
export const ownVariable = 'MONGODB_URL';

const program = fileURLToPath(new URL('../../test/services/mongodb/server.mjs', import.meta.url));

/**
 * Starts the stand-in on a free port of 127.0.0.1. It keeps what it has in memory.
 *
 * @param {{ kind?: 'replica-set' }} [settings] a single server, unless it is to play a replica set of one member
 * @returns {Promise<{ url: string, version: string, kill: () => Promise<void>, restart: () => Promise<void>,
 *   freeze: () => void, thaw: () => void, stop: () => Promise<void> }>} `kill` ends it at once, as `kill -9` does,
 *   and what it had with it
 */
export async function start({ kind } = {}) {
  let server = await startOnce(0, kind);
  const { port } = server;
  const stop = async () => {
    server.child.kill('SIGKILL');
    await server.ended;
  };
  return {
    url: `mongodb://127.0.0.1:${port}`,
    version: '(a protocol stand-in)',
    kill: stop,
    restart: async () => {
      await stop();
      server = await startOnce(port, kind);
    },
    freeze: () => server.child.kill('SIGSTOP'),
    thaw: () => server.child.kill('SIGCONT'),
    stop,
  };
}

async function startOnce(port, kind = 'single') {
  const child = spawn(process.execPath, [program, String(port), kind], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    ended.then(([code]) => Promise.reject(new Error(`The stand-in for MongoDB ended with ${code}.`))),
  ]);
  return { child, ended, port: Number(String(line)) };
}
