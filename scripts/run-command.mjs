import { spawn } from 'node:child_process';

const running = new Set();

/**
 * Runs a program to its end with its output shown (`quiet: true` collects it instead).
 * Never rejects: a program that cannot be started ends with code 127, one that ran out of time with 124, and one
 * that goes on for more than 20 s after `isDone` said that its work is done with 125.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, quiet?: boolean, limitMinutes?: number,
 *   isDone?: () => boolean, stillDoing?: string, account?: { uid?: number, gid?: number } }} [options] `stillDoing` is said every 20 s,
 *   so that a silent step does not look dead.
 * @returns {Promise<{ code: number, output: string, seconds: number }>}
 */
export function runCommand(command, args, options = {}) {
  const startedAt = Date.now();
  const seconds = () => (Date.now() - startedAt) / 1000;
  return new Promise((resolve) => {
    let output = '';
    let killedAs;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      ...options.account,
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    running.add(child);
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));

    const kill = (code) => {
      killedAs ??= code;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
    };
    const limit = options.limitMinutes && setTimeout(() => kill(124), options.limitMinutes * 60_000);
    let secondsDone = 0;
    const watch =
      options.isDone &&
      setInterval(() => {
        if (secondsDone > 0 || options.isDone()) secondsDone += 1;
        if (secondsDone > 20) kill(125);
      }, 1_000);
    const pulse =
      options.stillDoing &&
      setInterval(() => console.log(`  … ${options.stillDoing} (${Math.round(seconds())} s)`), 20_000);

    const end = (code, text = output) => {
      clearTimeout(limit);
      clearInterval(watch);
      clearInterval(pulse);
      running.delete(child);
      resolve({ code, output: text, seconds: seconds() });
    };
    child.on('error', (error) => end(127, error.message));
    child.on('close', (code, signal) => end(killedAs ?? code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

/** Ends what `runCommand` started and is still running. */
export function endRunningCommands() {
  for (const child of running) child.kill('SIGTERM');
}
