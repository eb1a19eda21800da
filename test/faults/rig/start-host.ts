import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

/** What a host tells of its recorder. */
export interface Told {
  readonly captured: number;
  readonly stored: number;
  readonly queued: number;
  readonly spooled: number;
  readonly replayed: number;
  readonly spoolCorrupt: number;
  readonly shed: Readonly<Record<string, number>>;
  readonly pausedFor: string | null;
  readonly worker: boolean;
  /** Threads that were started. */
  readonly threads: number;
  /** Each with its place. */
  readonly failures: readonly string[];
  /** What was asked for failed with this. */
  readonly error?: string;
  readonly rss?: number;
  readonly peak?: number;
  /** Files and connections that are open. */
  readonly files?: number;
  /** Large answers that wait for their client. */
  readonly blocked?: number;
  /** Calls of `write` that did not tell the program what the response says of itself. */
  readonly badWrites?: number;
}

export type Ask = 'stats' | 'ready' | 'flush' | 'kill' | 'close' | 'leave' | 'memory';

export interface HostSettings {
  readonly database: object;
  readonly options?: object;
  /** With a listener of its own for SIGTERM. */
  readonly handlesSignals?: boolean;
  /** Without Recap in its way. */
  readonly isBare?: boolean;
  readonly execArgv?: readonly string[];
  /** Takes what it prints. */
  readonly log?: string;
  /** Default: the one that holds the packed build. */
  readonly consumer?: string;
}

export type Host = Awaited<ReturnType<typeof startHost>>;

const running = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of [...running]) await kill(child);
});

async function kill(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A program of its own on the packed build. What a test leaves running is killed after it. */
export async function startHost(settings: HostSettings) {
  const folder = settings.consumer ?? process.env['RECAP_FAULTS_CONSUMER'];
  if (folder === undefined) throw new Error('The packed build is not there.');
  const begunAt = performance.now();
  const child = fork(join(folder, 'programs/host.mjs'), [JSON.stringify(settings)], {
    execArgv: [...(settings.execArgv ?? [])],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  if (settings.log !== undefined) {
    const log = createWriteStream(settings.log, { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('close', () => log.end());
  } else {
    child.stdout?.resume();
    child.stderr?.resume();
  }
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    ended.then(([code, signal]) => {
      throw new Error(`The host ended at once (${code ?? signal}).`);
    }),
  ])) as [{ port: number }];
  const send = (url: string, body?: object): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${url}`, {
      headers: { 'content-type': 'application/json', connection: 'close' },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
  const tell = async (ask: Ask): Promise<Told> => {
    const answer = await askChild(child, ask, ended);
    expect(sumOf(answer)).toBe(answer.captured);
    return answer;
  };
  return {
    port,
    pid: child.pid,
    ended,
    get isAlive() {
      return child.exitCode === null && child.signalCode === null;
    },
    /** From its start until its recorder took it up, in ms. */
    readyMs: async (): Promise<number> => {
      await tell('ready');
      return performance.now() - begunAt;
    },
    kill: () => kill(child),
    signal: (name: NodeJS.Signals) => child.kill(name),
    /** Resolves when the whole answer is here; rejects when it never comes. */
    get: async (url: string): Promise<string> => (await send(url)).text(),
    post: async (url: string, body: object = {}): Promise<unknown> => (await send(url, body)).json(),
    send,
    tell,
    /** Tells it to close and to leave, and waits for it to end by itself. */
    end: async (): Promise<Told> => {
      const told = await tell('close');
      await tell('leave');
      await expect(ended).resolves.toEqual([0, null]);
      return told;
    },
  };
}

/** `captured = stored + queued + spooled + shed`. */
export function sumOf({ stored, queued, spooled, shed }: Told): number {
  return stored + queued + spooled + Object.values(shed).reduce((sum, count) => sum + count, 0);
}

let lastNumber = 0;

function askChild(child: ChildProcess, ask: Ask, ended: Promise<unknown>): Promise<Told> {
  const number = (lastNumber += 1);
  return new Promise((resolve, reject) => {
    const take = (message: { number?: number; answer?: Told }): void => {
      if (message.number !== number || message.answer === undefined) return;
      child.off('message', take);
      resolve(message.answer);
    };
    child.on('message', take);
    ended.then(() => reject(new Error(`The host ended before it answered "${ask}".`)), reject);
    child.send({ ask, number });
  });
}
