import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findProgram, installDebianPackages } from '../debian.mjs';
import { runCommand } from '../run-command.mjs';
import { makeServerFolder, serverAccount } from './server-account.mjs';

/*
 * The shape of a server's module, for its siblings: `name`, `variable` (where tests find the server's address)
 * and `start()`, which resolves to `{ url, version, stop }` or to `{ missing }` with the reason.
 */

export const name = 'PostgreSQL';
export const variable = 'RECAP_TEST_POSTGRES_URL';

const startLimitMs = 60_000;

// The server outlives nothing: when this process ends, however it ends, the pipe closes, and the shell stops it.
const keeper = `
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null &
server=$!
trap '' INT TERM HUP
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
rm -rf "$folder"
`;

/**
 * Starts a PostgreSQL of its own on a free port of 127.0.0.1, in a temporary folder, without syncing to disk.
 * Installs it from Debian's packages where it is absent and this user may.
 *
 * @param {Record<string, string | number>} [settings] of the server, instead of those for tests
 * @returns {Promise<{ url: string, version: string, folder: string, kill: () => void, restart: () => Promise<void>,
 *   stop: () => Promise<void> } | { missing: string }>} `kill` ends all of its processes at once, as `kill -9` does
 */
export async function start(settings = {}) {
  let programs = findPrograms();
  if (!programs) {
    console.log('PostgreSQL is not on this machine.');
    const problem = await installDebianPackages(['postgresql']);
    if (problem) return { missing: `${problem}; to have it: apt-get install postgresql` };
    programs = findPrograms();
    if (!programs) return { missing: 'the package "postgresql" is installed, but holds no initdb' };
  }

  const account = await serverAccount(['postgres']);
  if (account.missing) return account;
  for (let attempt = 1; ; attempt += 1) {
    const server = await startOnce(programs, account, settings);
    // Between asking the kernel for a free port and using it, another program can take it.
    if (!server.missing?.includes('in use') || attempt === 3) return server;
  }
}

async function startOnce(programs, account, settings) {
  const folder = makeServerFolder('recap-postgres-', account);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const data = join(folder, 'data');
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const initdb = await runCommand(programs.initdb, options, { quiet: true, limitMinutes: 2, account });
  if (initdb.code !== 0) {
    remove();
    return { missing: `initdb failed: ${initdb.output.trim()}` };
  }
  const port = await freePort();
  let server = await startServer(programs.postgres, folder, port, account, settings);
  if (server.problem) {
    remove();
    return { missing: `the server did not start: ${server.problem}` };
  }
  const version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  const before = [];
  const kill = () => {
    const [postmaster] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    killFamily(Number(postmaster));
    // What the killed one wrote there would pass for the next one's.
    rmSync(join(data, 'postmaster.pid'), { force: true });
  };
  const restart = async () => {
    before.push(server);
    server = await startServer(programs.postgres, folder, port, account, settings);
    if (server.problem) throw new Error(`The server did not start again: ${server.problem}`);
  };
  const stop = async () => {
    await server.stop();
    for (const one of before) await one.stop();
    remove();
  };
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    version,
    folder,
    kill,
    restart,
    stop,
  };
}

/** A process and its children, none of which gets to know of the others' end. */
function killFamily(parent) {
  const isChild = (pid) =>
    readIfThere(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[1] === String(parent);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isChild(name));
  for (const pid of [parent, ...pids.map(Number)]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It has ended by itself meanwhile.
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

function findPrograms() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = versions.map((version) => join(debian, version, 'bin'));
  const initdb = findProgram('initdb', folders);
  const postgres = findProgram('postgres', folders);
  return initdb && postgres ? { initdb, postgres } : undefined;
}

async function startServer(postgres, folder, port, account, own) {
  const data = join(folder, 'data');
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    ...own,
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const child = spawn('sh', ['-c', keeper, 'sh', folder, postgres, '-D', data, ...flags], {
    ...account,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = () => {
    child.stdin.end();
    return ended;
  };

  const deadline = Date.now() + startLimitMs;
  for (;;) {
    await wait(50);
    if (readIfThere(join(data, 'postmaster.pid')).split('\n')[7]?.trim() === 'ready') return { stop };
    const log = readIfThere(join(folder, 'log'));
    // Clients who come too early are told so, in the same word.
    if (/FATAL:(?!  the database system is )/.test(log) || Date.now() > deadline) {
      await stop();
      return { problem: log.trim() || `not ready after ${startLimitMs / 1000} s` };
    }
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return '';
    throw error;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
