import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface StartedServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Starts a server of `scripts/servers` in a process of its own, which ends with this one. */
export async function startServer(
  kind: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<StartedServer> {
  const module = join(__dirname, `../../scripts/servers/${kind}.mjs`);
  const child = fork(join(__dirname, 'programs/server.mjs'), [module, JSON.stringify(settings)], {
    execArgv: [],
  });
  const ended = once(child, 'exit');
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    url,
    stop: async () => {
      child.disconnect();
      await ended;
    },
  };
}
