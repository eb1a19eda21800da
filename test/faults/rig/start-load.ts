import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Ledger } from './check-ledger';

export interface LoadSettings {
  readonly port: number;
  /** Unique within a test. */
  readonly prefix: string;
  readonly connections?: number;
  readonly perSecond?: number;
  readonly stopsAtFailure?: boolean;
}

export type Load = ReturnType<typeof startLoad>;

const running = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of running) {
    running.delete(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** The client, in a process of its own that no fault ends. */
export function startLoad() {
  const child = fork(join(__dirname, '../programs/load.mjs'), { execArgv: [] });
  running.add(child);
  const start = (settings: LoadSettings, tellAt?: number): void => {
    child.send({ kind: 'start', connections: 16, perSecond: 1_000, ...settings, tellAt });
  };
  return {
    start,
    /** Resolves when so many answers have come. It goes on after that. */
    startUntil: async (answers: number, settings: LoadSettings): Promise<void> => {
      const reached = once(child, 'message');
      start(settings, answers);
      await reached;
    },
    count: async (): Promise<number> => {
      child.send({ kind: 'count' });
      const [{ count }] = (await once(child, 'message')) as [{ count: number }];
      return count;
    },
    /** Ends when what was sent is answered or has failed. The next ledger begins empty. */
    stop: async (): Promise<Ledger> => {
      child.send({ kind: 'stop' });
      const [{ ledger }] = (await once(child, 'message')) as [{ ledger: Ledger }];
      return ledger;
    },
  };
}
