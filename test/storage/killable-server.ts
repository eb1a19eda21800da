import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface KillableServer {
  /** Of a server; of a cluster the nodes, of sentinels these, as `host:port`, separated by commas. */
  readonly url: string;
  readonly version: string;
  /** `freeze` lets it hold its connections and answer nothing, until `thaw`. */
  readonly act: (action: 'kill' | 'restart' | 'freeze' | 'thaw', node?: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Resolves to `undefined` where no server can be had; with CI set that is a failure. */
export async function startKillableServer(
  kind: 'redis' | 'redis-cluster' | 'redis-sentinel' | 'mongodb' | 'dynamodb',
  settings: Readonly<Record<string, string | boolean>> = {},
): Promise<KillableServer | undefined> {
  const module = join(__dirname, `../../scripts/servers/${kind}.mjs`);
  const program = join(__dirname, 'programs/server.mjs');
  const child = fork(program, [module, JSON.stringify(settings)], { execArgv: [] });
  const ended = once(child, 'exit');
  const [{ url, version, missing }] = (await once(child, 'message')) as [
    { url: string; version: string; missing?: string },
  ];
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await ended;
  };
  if (missing !== undefined) {
    await stop();
    console.warn(`SKIPPED: a server of ${kind} that is killed. ${missing}`);
    expect(process.env['CI']).not.toBe('1');
    return undefined;
  }
  let asked = 0;
  const act = async (action: string, node = 0): Promise<void> => {
    const id = (asked += 1);
    const done = new Promise<void>((resolve) => {
      const hear = (message: unknown): void => {
        if ((message as { id?: unknown }).id !== id) return;
        child.off('message', hear);
        resolve();
      };
      child.on('message', hear);
    });
    child.send({ id, action, node });
    await Promise.race([done, ended.then(() => Promise.reject(new Error(`No ${action}.`)))]);
  };
  return { url, version, act, stop };
}
