import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Report {
  readonly written?: number;
  readonly pendingWrites?: number;
  readonly code?: string;
  readonly warnings?: readonly string[];
}

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-fallback-'));
});
afterEach(async () => {
  for (const child of begun.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const begun: ChildProcess[] = [];
const begin = (name: string, count: number): ChildProcess => {
  const child = fork(
    join(__dirname, 'fallback-writer.mjs'),
    [join(folder, 'fallback.db'), name, String(count)],
    {
      execArgv: [],
    },
  );
  begun.push(child);
  return child;
};

/** The first so many reports of a process. */
async function reportsOf(child: ChildProcess, count: number): Promise<Report[]> {
  const reports: Report[] = [];
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('It ended too early.')));
  ended.catch(() => undefined);
  while (reports.length < count) {
    const [report] = (await Promise.race([once(child, 'message'), ended])) as [Report];
    reports.push(report);
  }
  return reports;
}

describe('the file in which a fallback keeps writes until its server is back', () => {
  // Two that numbered their entries by themselves wrote over each other's, and counted -1 of them.
  it('belongs to one process, and to the next as soon as that one is dead, with all that it kept', async () => {
    const first = begin('a', 3);
    const written = await reportsOf(first, 3);
    expect(written.map(({ pendingWrites }) => pendingWrites)).toEqual([1, 2, 3]);

    const second = begin('b', 1);
    const [refused] = await reportsOf(second, 1);
    expect(refused).toMatchObject({
      code: 'UNAVAILABLE',
      warnings: [
        expect.stringMatching(/Another process keeps its own writes in .*fallback\.db.*path of its own/),
      ],
    });

    const firstEnded = once(first, 'exit');
    first.kill('SIGKILL');
    await firstEnded;
    const third = begin('c', 1);
    const [taken] = await reportsOf(third, 1);
    expect(taken).toEqual({ written: 1, pendingWrites: 4 });
    const thirdEnded = once(third, 'exit');
    third.send('stop');
    expect((await thirdEnded)[0]).toBe(0);
  });
});
