import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A server of its own, which syncs to the disk. */
export interface KillablePostgres {
  readonly url: string;
  /** Its data and what it prints. */
  readonly folder: string;
  /** Ends all its processes at once. */
  kill(): Promise<void>;
  /** Resolves when it takes connections again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves to `undefined` where no server can be had; with CI set that is a failure. */
export async function startKillablePostgres(): Promise<KillablePostgres | undefined> {
  const module = join(__dirname, '../../../scripts/servers/postgres.mjs');
  const child = fork(join(__dirname, '../programs/postgres.mjs'), [module], { execArgv: [] });
  const ended = once(child, 'exit');
  const [{ url, folder, missing }] = (await once(child, 'message')) as [
    { url: string; folder: string; missing?: string },
  ];
  const ask = async (what: 'kill' | 'restart'): Promise<void> => {
    child.send(what);
    await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(new Error(`No ${what}.`)))]);
  };
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await ended;
  };
  if (missing !== undefined) {
    await stop();
    console.warn(`SKIPPED: a PostgreSQL that is killed. ${missing}`);
    expect(process.env['CI']).not.toBe('1');
    return undefined;
  }
  return { url, folder, kill: () => ask('kill'), restart: () => ask('restart'), stop };
}
