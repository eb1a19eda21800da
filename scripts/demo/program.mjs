import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const server = fileURLToPath(new URL('../../examples/demo/server.mjs', import.meta.url));
const startsWithinMs = 20_000;
const stopsWithinMs = 10_000;

/**
 * Starts the example API as a process of its own.
 *
 * @param {{ port: number, database: string, token: string, warehouseUrl: string }} settings port 0 takes a free one
 * @returns {Promise<{ url: string, ended: Promise<string>, stop: () => Promise<string> }>} `stop` and `ended` give how it ended.
 * @throws {Error} with what it printed, when it does not come up.
 */
export async function startProgram({ port, database, token, warehouseUrl }) {
  const child = spawn(process.execPath, [server], {
    env: {
      ...process.env,
      PORT: String(port),
      RECAP_DATABASE: database,
      RECAP_TOKEN: token,
      WAREHOUSE_URL: warehouseUrl,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(signal ?? `code ${code}`));
  });
  const url = await new Promise((resolve, reject) => {
    const fail = (why) =>
      reject(new Error(`The example API ${why}. It printed:\n${output.trim() || '(nothing)'}`));
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`did not listen within ${startsWithinMs / 1000} s`);
    }, startsWithinMs);
    ended.then((how) => {
      clearTimeout(limit);
      fail(`ended with ${how}`);
    });
    const read = (chunk) => {
      output += chunk;
      const address = /Listening on (\S+)/.exec(output)?.[1];
      if (address === undefined) return;
      clearTimeout(limit);
      resolve(address);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  return {
    url,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const limit = setTimeout(() => child.kill('SIGKILL'), stopsWithinMs);
      const how = await ended;
      clearTimeout(limit);
      return how;
    },
  };
}
