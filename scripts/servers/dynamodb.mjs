import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * In the shape that postgres.mjs describes. DynamoDB itself is a service of AWS; this is `dynalite`, a server of npm
 * that speaks its language, without transactions and without dropping what has expired.
 */

export const name = 'dynalite';
export const variable = 'RECAP_TEST_DYNAMODB_ENDPOINT';
/** Where users of the project name a server of their own: DynamoDB Local, or AWS. */
export const ownVariable = 'DYNAMODB_ENDPOINT';

const startLimitMs = 30_000;

// The server outlives nothing: when this process ends, however it ends, its input closes, and it ends as well.
const program = `
const [, module, port, path] = process.argv;
const server = require(module)({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0, path });
server.listen(Number(port), '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
`;

/**
 * Starts one in a process of its own, on a free port of 127.0.0.1.
 *
 * @param {{ keeps?: boolean }} [settings] whether it keeps in a temporary folder, over a restart, what is in its memory else
 * @returns {Promise<{ url: string, version: string, kill: () => Promise<void>, freeze: () => void, thaw: () => void,
 *   restart: () => Promise<void>, stop: () => Promise<void> } | { missing: string }>} `kill` ends it at once, as
 *   `kill -9` does; `freeze` stops it from answering
 */
export async function start({ keeps = false } = {}) {
  const found = findPackage();
  if (found.missing) return found;
  const folder = keeps ? mkdtempSync(join(tmpdir(), 'recap-dynalite-')) : undefined;
  const remove = () => folder && rmSync(folder, { recursive: true, force: true });
  let server = await startOnce(found.path, 0, folder);
  if (server.problem) {
    remove();
    return { missing: `the server did not start: ${server.problem}` };
  }
  const { port } = server;
  return {
    url: `http://127.0.0.1:${port}`,
    version: found.version,
    kill: () => server.kill(),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    restart: async () => {
      await server.kill();
      server = await startOnce(found.path, port, folder);
      if (server.problem) throw new Error(`The server did not start again: ${server.problem}`);
    },
    stop: async () => {
      await server.kill();
      remove();
    },
  };
}

async function startOnce(path, port, folder) {
  const child = spawn(process.execPath, ['-e', program, path, String(port), ...(folder ? [folder] : [])], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  child.stdin.on('error', () => undefined);
  const { line, problem } = await firstLine(child);
  const signal = (name) => child.kill(name);
  const kill = async () => {
    signal('SIGKILL');
    await ended;
  };
  if (problem !== undefined) await kill();
  return { port: Number(line), problem, signal, kill };
}

function findPackage() {
  try {
    const require = createRequire(fileURLToPath(import.meta.url));
    const path = require.resolve('dynalite');
    const { version } = JSON.parse(readFileSync(require.resolve('dynalite/package.json'), 'utf8'));
    return { path, version };
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return { missing: 'the package "dynalite" is not installed; to have it: npm install' };
  }
}

/** Of what it prints, or why there is none. */
async function firstLine(child) {
  let output = '';
  let problems = '';
  child.stderr.on('data', (data) => (problems += data));
  const late = setTimeout(() => child.kill('SIGKILL'), startLimitMs);
  try {
    for await (const data of child.stdout) {
      output += data;
      if (output.includes('\n')) return { line: output.trim() };
    }
    return { problem: problems.trim().split('\n').slice(-3).join(' ') || 'it said nothing' };
  } finally {
    clearTimeout(late);
    child.stdout.destroy();
  }
}
