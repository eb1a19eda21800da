import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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
const server = require(process.argv[1])({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
`;

/**
 * Starts one in a process of its own, on a free port of 127.0.0.1 unless one is named; what it keeps is in its memory.
 *
 * @param {number} [port]
 * @returns {Promise<{ url: string, port: number, version: string, kill: () => Promise<void>, freeze: () => void,
 *   thaw: () => void, stop: () => Promise<void> } | { missing: string }>} `kill` ends it at once, as `kill -9` does;
 *   `freeze` stops it from answering
 */
export async function start(port = 0) {
  const found = findPackage();
  if (found.missing) return found;
  const child = spawn(process.execPath, ['-e', program, found.path, String(port)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  child.stdin.on('error', () => undefined);
  const used = await firstLine(child);
  if (used.problem) {
    child.kill('SIGKILL');
    return { missing: `the server did not start: ${used.problem}` };
  }
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url: `http://127.0.0.1:${used.line}`,
    port: Number(used.line),
    version: found.version,
    kill,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    stop: kill,
  };
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
