import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { root } from './example-program';

jest.setTimeout(90_000);

const demo = join(root, 'scripts/demo.mjs');
const env = { ...process.env, RECAP_DEMO_SKIP_SETUP: '1' };

function runDemo(more: Record<string, string> = {}, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [demo, ...args], {
    env: { ...env, ...more },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

const temporaryFolder = (output: string) => /SQLite in (\S+)\.\s/.exec(output)?.[1] ?? '';

describe('npm run demo', () => {
  it('shows what was recorded, finds all as it should be, and cleans up', () => {
    const { status, stdout, stderr } = runDemo();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/POST +\/v1\/ai\/chat +200 +aborted/);
    expect(stdout).toMatch(/POST +\/v1\/orders\/:id +500 +failed/);
    expect(stdout).toMatch(/GET +\(no route\) +404 +completed/);
    expect(stdout).toMatch(/ann +about-recordings +6 +0 +\/v1\/ai\/chat/);
    expect(stdout).toContain('Error: No answer from https://[REDACTED]@');
    expect(stdout).toMatch(/request\.query\.api_key +1 +GET \/v1\/orders\/:id/);
    expect(stdout).toContain('✓ no secret was stored');
    expect(stdout).toContain('✓ the search works: it finds the control');
    expect(stdout).toMatch(/(\d+) of \1 checks hold\./);
    expect(stdout).toContain('The demo ended well');
    expect(stdout).not.toContain('✗');
    // Not a terminal: no colours.
    expect(stdout).not.toContain('\x1b');
    expect(temporaryFolder(stdout)).not.toBe('');
    expect(existsSync(temporaryFolder(stdout))).toBe(false);
  });

  it('fails, and names each secret, when nothing is redacted', () => {
    const { status, stdout, stderr } = runDemo({ RECAP_REDACTION: 'off' });
    expect(status).toBe(1);
    for (const secret of [
      "ann's password",
      "bob's bearer token",
      'an API key in a query string',
      'a session cookie',
      "a service's key in a chat",
      'a card number in a form',
      'a card number in a note',
      "the warehouse's password in an error",
    ]) {
      expect(stdout).toMatch(new RegExp(`${secret} +FOUND +FOUND`));
      expect(stderr).toContain(secret);
    }
  });

  it('goes on running with --keep, answers the commands that it prints, and ends cleanly on a signal', async () => {
    const child = spawn(process.execPath, [demo, '--keep'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((done) => child.on('close', done));
    let output = '';
    await new Promise<void>((done) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('Ctrl-C')) done();
      });
      void ended.then(() => {
        done();
      });
    });
    const commands = output.split('\n').filter((line) => line.startsWith('curl '));
    expect(commands).toHaveLength(3);
    const [url, token] = [/curl (\S+)\/v1/.exec(output)?.[1], /Bearer ([0-9a-f]{48})/.exec(output)?.[1]];
    const answer = await fetch(`${String(url)}/storage/sessions`, {
      headers: { authorization: `Bearer ${String(token)}` },
    });
    expect(answer.status).toBe(200);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(existsSync(temporaryFolder(output))).toBe(false);
    await expect(fetch(`${String(url)}/storage/health`)).rejects.toThrow('fetch failed');
  });

  it('says what is wrong with an argument', () => {
    const { status, stderr } = runDemo({}, '--port=many');
    expect(status).toBe(2);
    expect(stderr).toContain('"many" is no port.');
  });

  it('says why when the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { status, stderr } = runDemo({}, `--port=${port}`);
    server.close();
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`The demo failed\\. .*Cannot listen on port ${port}`, 's'));
  });
});
