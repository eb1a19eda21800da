import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBackend, type Backend, type FileDamage } from '@recap/storage';

const KILLS = process.env['RECAP_LONG'] === '1' ? 1_000 : 100;
/** At once, since most of the time is spent waiting for processes and the disk. */
const LANES = 4;
jest.setTimeout(KILLS * 3_000);

const PROGRAM = join(__dirname, 'programs/file-writer.mjs');
const at = (key: string) => ({ partition: 'p', key });

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-kills-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Lets it write, and kills it after it has said so many lines. */
async function runAndKill(path: string, round: number, lines: number): Promise<string[]> {
  // Some while it writes to the journal, some while it writes to the files of values, which says nothing.
  const laterMs = (round * 7) % 40;
  const child = spawn(process.execPath, [PROGRAM, path, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > lines) setTimeout(() => child.kill('SIGKILL'), laterMs);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...how) => resolve(how));
  });
  expect([code, signal]).toEqual([null, 'SIGKILL']);
  return output.split('\n').slice(0, -1);
}

/** What was answered, and what was begun after it and may have happened. */
class Told {
  readonly #done = new Map<string, string>();
  readonly #begun = new Map<string, string[]>();
  readonly #appended = new Map<string, string[]>();
  answers = 0;

  add(lines: readonly string[]): void {
    for (const line of lines) {
      const [, what = '', name = '', value = ''] = /^(begin|done|appended) ([^=]+)=(.*)$/.exec(line) ?? [];
      if (what === 'begin') this.#begun.set(name, [...(this.#begun.get(name) ?? []), value]);
      if (what === 'done') {
        this.answers += 1;
        this.#done.set(name, value);
        this.#begun.set(name, []);
      }
      if (what === 'appended') this.#appended.set(name, [...(this.#appended.get(name) ?? []), value]);
    }
  }

  async check(backend: Backend): Promise<void> {
    for (const [key, value] of this.#done) {
      const found = ((await backend.get(at(key)))?.value ?? '') as string;
      // A delete is begun with the value that it had else been.
      const possible = [
        value,
        ...(this.#begun.get(key) ?? []),
        ...((this.#begun.get(key)?.length ?? 0) > 0 ? [''] : []),
      ];
      expect(possible).toContain(found.slice(0, 30));
      this.#done.set(key, found.slice(0, 30));
      this.#begun.set(key, []);
    }
    for (const [caller, told] of this.#appended) {
      const found = (await backend.range(at(`list ${caller}`))) as string[];
      expect(new Set(found).size).toBe(found.length);
      const answered = new Set(told);
      expect(found.filter((element) => answered.has(element))).toEqual(told);
    }
  }
}

const filesOf = (path: string): string[] => readdirSync(path, { recursive: true }) as string[];

interface Found {
  readonly damages: readonly FileDamage[];
  readonly answers: number;
  readonly left: number;
}

async function killAgainAndAgain(path: string, kills: number): Promise<Found> {
  const told = new Told();
  const damages: FileDamage[] = [];
  let left = 0;
  for (let round = 0; round < kills; round += 1) {
    told.add(await runAndKill(path, round, 2 + ((round * 37) % 150)));
    left += filesOf(path).filter((name) => name.endsWith('.tmp')).length;
    // The lock of the dead process is taken over.
    const backend = createFileBackend({
      path,
      onDamage: (damage) => damages.push(damage),
      sweepIntervalMs: 0,
    });
    await backend.open();
    expect(filesOf(path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await told.check(backend);
    await backend.close();
  }
  return { damages, answers: told.answers, left };
}

it(`loses nothing that was answered to kill -9, ${KILLS} times, and leaves nothing behind`, async () => {
  const paths = Array.from({ length: LANES }, (_, lane) => join(folder, String(lane)));
  const found = await Promise.all(paths.map((path) => killAgainAndAgain(path, KILLS / LANES)));
  const answers = found.reduce((sum, each) => sum + each.answers, 0);
  const left = found.reduce((sum, each) => sum + each.left, 0);
  expect(found.flatMap(({ damages }) => damages)).toEqual([]);
  expect(answers).toBeGreaterThan(KILLS * 10);
  console.info(`${KILLS} kills, ${answers} sets and deletes answered, ${left} temporary files collected`);
});
