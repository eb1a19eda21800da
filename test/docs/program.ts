import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { root } from './markdown-blocks';

const START_LIMIT_MS = 30_000;

/** A program from the documentation, running in a folder of its own. */
export interface Program {
  readonly url: string;
  readonly folder: string;
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts code that says `listen(3000)`; the port is the only thing that is replaced in it. */
export async function startProgram(code: string): Promise<Program> {
  if (!code.includes('listen(3000)')) throw new Error('The program does not listen on port 3000.');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'recap-docs-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'program.ts'), code.replaceAll('listen(3000)', `listen(${port}, '127.0.0.1')`));
  const child = spawn(
    process.execPath,
    ['--conditions=recap-source', '--require', join(__dirname, 'typescript-hook.cjs'), 'program.ts'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await answering(url, child, () => output);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, folder, output: () => output, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function answering(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    try {
      await fetch(`${url}/storage/health`);
      return;
    } catch {
      await wait(50);
    }
  }
  throw new Error(`The program does not answer. It printed:\n${output()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
