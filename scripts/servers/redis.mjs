import { spawn } from 'node:child_process';
import { chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findProgram, installDebianPackages } from '../debian.mjs';
import { makeServerFolder, serverAccount } from './server-account.mjs';

/* In the shape that postgres.mjs describes: a single server; redis-cluster.mjs starts six, redis-sentinel.mjs five. */

export const name = 'Redis';
export const variable = 'RECAP_TEST_REDIS_URL';
/** Where users of the project name a server of their own. */
export const ownVariable = 'REDIS_URL';

const startLimitMs = 30_000;

// The server outlives nothing: when this process ends, however it ends, the pipe closes, and the shell stops it.
const keeper = `
folder=$1; shift
"$@" >>"$folder/log" 2>&1 </dev/null &
server=$!
echo $server >"$folder/pid"
trap '' INT TERM HUP
cat >/dev/null
kill -TERM $server 2>/dev/null
wait $server
`;

/**
 * Starts a Redis of its own on a free port of 127.0.0.1, in a temporary folder, without saving to disk.
 * Installs it from Debian's packages where it is absent and this user may.
 *
 * @param {Record<string, string | number>} [settings] of the server, beside those for tests
 * @param {string[]} [watching] lines of the configuration of a sentinel, which it is then
 * @returns {Promise<{ url: string, port: number, version: string, folder: string, kill: () => Promise<void>,
 *   freeze: () => void, thaw: () => void, restart: () => Promise<void>, stop: () => Promise<void> }
 *   | { missing: string }>} `kill` ends it at once, as `kill -9` does; `freeze` stops it from answering
 */
export async function start(settings = {}, watching = undefined) {
  const program = await findServer();
  if (program.missing) return program;
  const account = await serverAccount(['redis', 'nobody']);
  if (account.missing) return account;
  for (let attempt = 1; ; attempt += 1) {
    const server = await startOnce(program.path, account, settings, watching);
    // Between asking the kernel for a free port and using it, another program can take it.
    if (!server.missing?.includes('in use') || attempt === 3) return server;
  }
}

async function findServer() {
  const path = findProgram('redis-server');
  if (path) return { path };
  console.log('Redis is not on this machine.');
  const problem = await installDebianPackages(['redis-server']);
  if (problem) return { missing: `${problem}; to have it: apt-get install redis-server` };
  const installed = findProgram('redis-server', ['/usr/bin', '/usr/sbin']);
  return installed
    ? { path: installed }
    : { missing: 'the package "redis-server" is installed, but holds no redis-server' };
}

async function startOnce(program, account, settings, watching) {
  const folder = makeServerFolder('recap-redis-', account);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const port = await freePort();
  const begin = () => startServer(program, folder, port, account, settings, watching);
  let server = await begin();
  if (server.problem) {
    remove();
    return { missing: `the server did not start: ${server.problem}` };
  }
  const pid = () => Number(readIfThere(join(folder, 'pid')));
  const stopAll = async () => {
    // A frozen one would not hear of its end.
    signal(pid(), 'SIGCONT');
    await server.stop();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    version: await askVersion(port, settings.requirepass),
    folder,
    kill: async () => {
      signal(pid(), 'SIGKILL');
      await server.stop();
    },
    freeze: () => signal(pid(), 'SIGSTOP'),
    thaw: () => signal(pid(), 'SIGCONT'),
    restart: async () => {
      await stopAll();
      server = await begin();
      if (server.problem) throw new Error(`The server did not start again: ${server.problem}`);
    },
    stop: async () => {
      await stopAll();
      remove();
    },
  };
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended by itself meanwhile.
    if (error.code !== 'ESRCH') throw error;
  }
}

async function startServer(program, folder, port, account, own, watching) {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'no',
    'repl-diskless-sync-delay': 0,
    ...own,
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, ...String(value).split(' ')]);
  if (watching) flags.unshift(writeSentinel(folder, account, watching), '--sentinel');
  const child = spawn('sh', ['-c', keeper, 'sh', folder, program, ...flags], {
    ...account,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const state = { hasEnded: false };
  void ended.then(() => (state.hasEnded = true));
  const stop = () => {
    child.stdin.end();
    return ended;
  };
  const deadline = Date.now() + startLimitMs;
  for (;;) {
    await wait(20);
    const log = readIfThere(join(folder, 'log'));
    const answer = await ask(port, 'PING').catch((error) => error.code ?? '');
    if (/^\+PONG|^-NOAUTH/.test(answer)) return { stop };
    if (/Fatal|FATAL|in use|Can't/.test(log) || state.hasEnded || Date.now() > deadline) {
      await stop();
      return { problem: log.trim() || `not ready after ${startLimitMs / 1000} s` };
    }
  }
}

/** A sentinel keeps what it finds out in its configuration, so it needs a file that it may write. */
function writeSentinel(folder, { uid, gid }, lines) {
  const path = join(folder, 'sentinel.conf');
  if (existsSync(path)) return path;
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  if (uid !== undefined) chownSync(path, uid, gid);
  return path;
}

async function askVersion(port, password) {
  const auth = password ? `AUTH ${password}\r\n` : '';
  const answer = await ask(port, `${auth}INFO server`, /redis_version:\S+/);
  return /redis_version:(\S+)/.exec(answer)?.[1] ?? 'of an unknown version';
}

/** Sends a line, and resolves to what is answered up to what is waited for. */
export function ask(port, line, until = /\r\n/) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`The server hung up after "${answer.slice(0, 200)}".`)));
    socket.on('data', (data) => {
      answer += data;
      if (!until.test(answer)) return;
      resolve(answer);
      socket.end();
    });
    socket.write(`${line}\r\n`);
  });
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Below 45,000: a node of a cluster also needs the port 10,000 above it. */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all([port, port + 10_000].map(isFree));
    if (free.every(Boolean)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
