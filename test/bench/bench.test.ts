import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Folders of the program under test are made in here. */
let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'recap-bench-test-'));
});
afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

async function run(args: readonly string[], onStderr?: (text: string, pid: number) => void): Promise<Ended> {
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: scratch } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    onStderr?.(stderr, child.pid!);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** One quick round of requests one after the other: their count is the same however busy the machine is. */
function bench(variants: string): Promise<Ended> {
  return run([join(__dirname, 'run.mjs'), '--quick', '--scenario=empty-route', `--variants=${variants}`]);
}

async function stopOnceRecording(pid: number): Promise<void> {
  const isRecording = async () =>
    (await readdir(scratch, { recursive: true })).some((file) => file.endsWith('.db'));
  while (!(await isRecording())) await nextTurn();
  process.kill(pid, 'SIGTERM');
}

/** The last columns of a variant's row: answered, stored, without bodies, shed, lost. */
function accountOf(label: string, { stdout }: Ended): string[] {
  const row = stdout.split('\n').find((line) => line.startsWith(`| ${label} |`));
  return (
    row
      ?.split('|')
      .slice(-6, -1)
      .map((cell) => cell.trim()) ?? []
  );
}

/** Runs a module that imports from this folder. */
function evaluate(code: string): Promise<Ended> {
  return run(['--input-type=module', '--eval', code.replaceAll("'./", `'${__dirname}/`)]);
}

describe('the benchmark', () => {
  it('shows that all that was answered with Recap is in the database', async () => {
    const ended = await bench('bare,recap');
    expect(ended.stderr).not.toContain('Error');
    expect(accountOf('Recap', ended)).toEqual(['1000', '1000', '0', '0', '0']);
    expect(accountOf('bare', ended)).toEqual(['1000', '–', '–', '–', '–']);
    expect(ended.code).toBe(0);
  });

  it('fails when a recorder that has to keep everything lost exchanges', async () => {
    const ended = await bench('bare,forgetful');
    expect(ended.stdout).toContain('forgetful: 250 exchanges are lost: 1000 answered, 750 stored, 0 shed');
    expect(ended.code).toBe(1);
  });

  it('fails when more is stored than came', async () => {
    const ended = await bench('bare,doubling');
    expect(ended.stdout).toContain('doubling: more is stored than came');
    expect(ended.code).toBe(1);
  });

  it('shows how many were shed by a recorder that counts them', async () => {
    const ended = await bench('bare,shedding');
    expect(accountOf('shedding', ended)).toEqual(['1000', '750', '0', '250', '0']);
    expect(ended.code).toBe(0);
  });

  it('leaves out, and says so, what this machine does not have', async () => {
    const { stdout, code } = await evaluate(`
      import { runScenario } from './rounds.mjs';
      import { SCENARIOS } from './scenarios.mjs';
      import { Databases } from './databases.mjs';
      const scenario = { ...SCENARIOS.find(({ name }) => name === 'postgres-1k-spare'), variants: ['recap-postgres'] };
      const databases = new Databases({ start: async () => ({ missing: 'there is none' }) });
      const outcome = await runScenario(scenario, { rounds: 2, seconds: 1, databases, tell: () => {} });
      console.log(JSON.stringify(outcome));
    `);
    expect(JSON.parse(stdout)).toEqual({
      results: {},
      leftOut: { 'recap-postgres': 'PostgreSQL: there is none' },
    });
    expect(code).toBe(0);
  });

  it('leaves no process and no file behind when it is stopped in the middle', async () => {
    let stopped: Promise<void> | undefined;
    const args = ['--quick', '--scenario=empty-route', '--variants=bare,recap', '--rounds=1000'];
    const ended = await run([join(__dirname, 'run.mjs'), ...args], (stderr, pid) => {
      if (stderr.includes('round 1')) stopped ??= stopOnceRecording(pid);
    });
    await stopped;
    // `close` came, so that nobody holds its standard error any longer.
    expect(ended.code).toBe(130);
    expect(await readdir(scratch)).toEqual([]);
  });

  it('holds gates by the median of what was measured within a round, and only where every exchange is whole', async () => {
    const { stdout } = await evaluate(`
      import { judge } from './figures.mjs';
      const rounds = (...figures) => figures.map((perSecond) => ({ perSecond, p99: 1000 / perSecond }));
      const results = { bare: rounds(1000, 2000, 1000), recap: rounds(900, 1600, 500) };
      results['recap-inline'] = results.bare.map((each) => ({ ...each, answered: 10, withoutBodies: 2, shed: 1, lost: 0 }));
      const gate = (figure, gate, aim) => ({ figure, of: 'recap', against: 'bare', gate, aim });
      const gates = [gate('throughput', 0.8, 0.9), gate('throughput', 0.81), gate('p99', 1.2, 1.1), gate('p99', 1.3, 1.25)];
      const absent = { figure: 'p99', of: 'recap-postgres', against: 'bare', gate: 1 };
      const thinned = { ...gate('throughput', 0.5), of: 'recap-inline' };
      console.log(JSON.stringify(judge([...gates, absent, thinned], results)));
    `);
    expect(JSON.parse(stdout)).toMatchObject([
      { state: 'held', isAimReached: false, median: 0.8, least: 0.5, most: 0.9 },
      { state: 'missed' },
      { state: 'missed', isAimReached: false },
      { state: 'held', isAimReached: true },
      { state: 'not measured' },
      { state: 'missed', median: 1, notWhole: 9, answered: 30 },
    ]);
  });

  it('writes what was measured as a page with its verdicts, and as charts, and keeps what was measured before', async () => {
    const write = (name: string, figures: string) => `
      import { writeDocument } from './document.mjs';
      import { SCENARIOS } from './scenarios.mjs';
      const scenario = SCENARIOS.find(({ name }) => name === '${name}');
      const whole = { answered: 100000, stored: 100000, shed: 0, lost: 0, withoutBodies: 0 };
      const measured = (perSecond, more) => [{ perSecond, p50: 1, p99: 2, mainMicros: 3, cpuMicros: 4, delayP99Ms: 5, peakMib: 6, ...whole, ...more }];
      const report = { scenario, rounds: 1, seconds: 1, leftOut: {}, results: ${figures} };
      await writeDocument([report], 'a machine', ${JSON.stringify(scratch)});
    `;
    const first = '{ bare: measured(1000), recap: measured(650) }';
    const second =
      '{ bare: measured(1000), recap: measured(500, { stored: 99000, shed: 1000, withoutBodies: 5 }) }';
    expect(await evaluate(write('express-1k-pinned', first))).toMatchObject({ stderr: '' });
    expect(await evaluate(write('peers-1k-pinned', second))).toMatchObject({ stderr: '' });

    const page = await readFile(join(scratch, 'README.md'), 'utf8');
    const lines = page.split('\n').map((line) => line.replace(/ +/g, ' '));
    expect(lines).toContain('- a machine');
    expect(lines).toContain(
      '| express-1k-pinned | Recap against bare: requests/s | 0.62 | 0.70 | 0.65 (0.65 to 0.65) | held, aim not reached |',
    );
    expect(lines).toContain('**Not to be cited**: some of it was measured in fewer than 3 rounds.');
    expect(page).toContain('](peers-1k-pinned.svg)');
    expect(page).toMatch(/Recap .* 99000 +\| +5 +\| +1000 +\| +0 +\|/);
    const chart = await readFile(join(scratch, 'peers-1k-pinned.svg'), 'utf8');
    expect(chart).toMatch(/^<svg [^]*>Recap<[^]*>0\.50, 99 % stored<[^]*<\/svg>\n$/);
  });

  it('refuses names that it does not know, and says which there are', async () => {
    const ended = await run([join(__dirname, 'run.mjs'), '--scenario=express-1k-spare,nothing']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/There is no scenario "nothing". There are: express-1k-spare, /);
  });
});

describe('the load at a fixed rate', () => {
  it('sends what is due while earlier requests wait for their answers', async () => {
    const total = 40;
    const waiting: ServerResponse[] = [];
    const server = createServer((request, response) => {
      request.resume();
      waiting.push(response);
      // None is answered before all are here.
      if (waiting.length === total) for (const each of waiting) each.end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const rate = { seconds: 0.1, perSecond: total * 10, hasOwnCore: false };
    const settings = { port, path: '/', bodyBytes: 100, ...rate };
    const client = fork(join(__dirname, 'load/paced-client.mjs'), [JSON.stringify(settings)]);
    let seen: { latencies: number[]; failures: number } | undefined;
    client.once('message', (message: typeof seen) => (seen = message));
    await once(client, 'exit');
    server.close();
    if (seen === undefined) throw new Error('The client ended without an answer');
    expect(seen.failures).toBe(0);
    expect(seen.latencies).toHaveLength(total);
    // From when it was due: the first one waited for the last to become due.
    expect(Math.max(...seen.latencies)).toBeGreaterThan(90);
  });

  it('counts a request as failed that goes to a connection which the server has closed', async () => {
    const { stdout } = await evaluate(`
      import { createServer } from 'node:http';
      import { HttpConnection, requestBytes } from './load/http-connection.mjs';
      const server = createServer((request, response) => response.end('{}')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const connection = await HttpConnection.open(server.address().port);
      const bytes = requestBytes('GET', '/');
      const ask = () => new Promise((resolve) => connection.send(bytes, resolve));
      const statuses = [await ask(), await ask()];
      server.closeAllConnections();
      while (!connection.isClosed) await new Promise((resolve) => setImmediate(resolve));
      statuses.push(await ask());
      console.log(JSON.stringify(statuses));
      server.close();
    `);
    expect(JSON.parse(stdout)).toEqual([200, 200, 0]);
  });
});

describe('a peer that sends to a service', () => {
  it('reaches this machine only', async () => {
    const { stdout } = await evaluate(`
      import http from 'node:http';
      import net from 'node:net';
      import tls from 'node:tls';
      import { allowLoopbackOnly } from './peers/loopback-only.mjs';
      allowLoopbackOnly();
      const server = http.createServer((request, response) => response.end('here')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address();
      const socket = (made) => new Promise((resolve, reject) => made.on('error', reject).on('connect', resolve));
      // 192.0.2.1 is of a range that is kept for documentation.
      const ways = {
        here: async () => (await fetch('http://127.0.0.1:' + port)).text(),
        fetch: () => fetch('http://192.0.2.1/'),
        name: () => fetch('http://service.invalid/'),
        net: () => socket(net.connect(80, '192.0.2.1')),
        options: () => socket(net.connect({ port: 80, host: '192.0.2.1' })),
        tls: () => socket(tls.connect({ port: 443, host: '192.0.2.1' })),
      };
      const seen = {};
      for (const [name, go] of Object.entries(ways)) {
        seen[name] = await go().catch((error) => (error.cause ?? error).message);
      }
      console.log(JSON.stringify(seen));
      process.exit();
    `);
    const refused = (host: string) => `Only this machine may be reached, not ${host}`;
    expect(JSON.parse(stdout)).toEqual({
      here: 'here',
      fetch: refused('192.0.2.1'),
      name: refused('service.invalid'),
      net: refused('192.0.2.1'),
      options: refused('192.0.2.1'),
      tls: refused('192.0.2.1'),
    });
  });
});
