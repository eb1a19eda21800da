import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface SqliteConnection {
  exec(sql: string): void;
  prepare(sql: string): { all(): unknown[] };
  close(): void;
}
/** The driver has no types of its own. */
export const Database = createRequire(__filename)('better-sqlite3') as new (
  path: string,
  options?: object,
) => SqliteConnection;

/** `recorder.stats()` of the program, and what failed in it. */
export interface Told {
  readonly captured: number;
  readonly open: number;
  readonly stored: number;
  readonly queued: number;
  readonly spooled: number;
  readonly replayed: number;
  readonly shed: Readonly<Record<string, number>>;
  readonly reduced: Readonly<Record<'bodies' | 'headers', Readonly<Record<string, number>>>>;
  readonly strictFailures: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly error?: string;
}

const running: ChildProcess[] = [];

/** Ends what a test has started. */
export async function killAll(): Promise<void> {
  for (const child of running.splice(0)) await kill(child);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A program of its own on the built packages. */
export async function startProgram(database: object, options: object) {
  const child = fork(join(__dirname, 'recorded.mjs'), [JSON.stringify(database), JSON.stringify(options)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  running.push(child);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const tell = async (ask: 'stats' | 'ready' | 'flush' | 'close' | 'leave'): Promise<Told> => {
    child.send(ask);
    const [answer] = (await once(child, 'message')) as [Told];
    expect(answer.captured).toBe(answer.stored + answer.queued + answer.spooled + sum(answer.shed));
    return answer;
  };
  return {
    exited,
    tell,
    kill: () => kill(child),
    signal: (name: NodeJS.Signals): void => {
      child.kill(name);
    },
    /** Resolves when a program that drains has heard the signal. */
    draining: async (): Promise<void> => {
      await once(child, 'message');
    },
    /** Resolves when the whole answer is here; rejects when it never comes. */
    get: async (url: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${url}`)).text(),
    post: async (url: string, body: object = {}): Promise<{ status: number; answer: unknown }> => {
      const answer = await fetch(`http://127.0.0.1:${port}${url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: answer.status, answer: await answer.json() };
    },
    /** Asks again and again until the figures are such. */
    until: async (isSo: (told: Told) => boolean): Promise<Told> => {
      for (;;) {
        const told = await tell('stats');
        if (isSo(told)) return told;
        await wait(20);
      }
    },
    /** Has all stored: a write that began while the database was away may still fail. */
    flush: async (): Promise<Told> => {
      let told = await tell('flush');
      for (let tries = 0; told.error !== undefined && tries < 20; tries += 1) told = await tell('flush');
      return told;
    },
  };
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

export function pathsInSqlite(path: string): string[] {
  const database = new Database(path, { readonly: true });
  const rows = database.prepare('SELECT path FROM recap_entries').all() as { path: string }[];
  database.close();
  return rows.map((row) => row.path);
}
