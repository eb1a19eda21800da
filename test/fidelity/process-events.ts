import { runInThisContext } from 'node:vm';
import { describeError } from './describe-value';
import type { Run } from './run';

/** The real process: tests run with a copy of it, on which nothing is emitted. */
const realProcess = runInThisContext('process') as NodeJS.Process;

const EVENTS = ['uncaughtException', 'unhandledRejection', 'warning'];

/** Given to whoever comes first in a process, which says nothing of the second. */
const ONCE_IN_A_PROCESS = new Set(['UnsupportedWarning', 'DeprecationWarning']);

/** Notes what would end or warn a program of its own process, until the function that it returns is called. */
export function watchProcess(run: Run): () => void {
  const held = EVENTS.map((name) => [name, realProcess.rawListeners(name)] as const);
  for (const name of EVENTS) {
    realProcess.removeAllListeners(name);
    realProcess.on(name, (value: unknown) => {
      const isOnceOnly = name === 'warning' && ONCE_IN_A_PROCESS.has((value as Error).name);
      if (isOnceOnly) return;
      run.note(`process ${name} ${describeError(value)}`);
      run.signal('left alone');
    });
  }
  return () => {
    for (const [name, listeners] of held) {
      realProcess.removeAllListeners(name);
      for (const listener of listeners) realProcess.on(name, listener as () => void);
    }
  };
}
