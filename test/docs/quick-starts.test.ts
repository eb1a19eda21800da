import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseCurl } from './curl';
import { blocksOf } from './markdown-blocks';
import { shapeOf } from './answer-shape';
import { startProgram, type Program } from './program';

jest.setTimeout(90_000);

/** The programs of a page, by the word after `start` on their fence. */
function starts(file: string): [name: string, code: string][] {
  return blocksOf(file)
    .filter(({ info }) => info.startsWith('start '))
    .map(({ info, code }) => [info.slice('start '.length), code]);
}

function curlLines(file: string): string[] {
  return blocksOf(file)
    .filter(({ language, code }) => language === 'sh' && code.startsWith('curl '))
    .map(({ code }) => code.trim());
}

/** Sends what a documented line sends; the address is the only thing that is replaced. */
async function curl(line: string, program: Program): Promise<unknown> {
  const { url, method, headers, body } = parseCurl(line);
  const answer = await fetch(url.replace('http://localhost:3000', program.url), {
    method,
    headers: { ...headers },
    ...(body !== undefined && { body }),
  });
  return answer.json();
}

interface Answer {
  readonly data: { readonly items: readonly Record<string, unknown>[] };
  readonly warnings: readonly unknown[];
}

/** Asks until an entry is there: it is written a moment after its exchange. */
async function until<T>(ask: () => T | Promise<T>, isThere: (answer: T) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    if (isThere(answer) || attempt === 50) return answer;
    await wait(100);
  }
}

const hasItems = (answer: unknown): boolean => (answer as Answer).data.items.length > 0;

describe('the starts in the README', () => {
  const programs = new Map(starts('README.md'));
  let program: Program | undefined;

  afterEach(async () => {
    await program?.stop();
    program = undefined;
  });

  async function start(name: string): Promise<Program> {
    const code = programs.get(name);
    if (code === undefined) throw new Error(`README.md has no start "${name}"`);
    program = await startProgram(code);
    return program;
  }

  it('are those of Express, Koa and the decorator', () => {
    expect([...programs.keys()]).toEqual(['express', 'koa', 'decorator']);
  });

  it('on Express answer the documented requests with what is documented', async () => {
    const running = await start('express');
    const [send, ask] = curlLines('README.md');
    expect(await curl(send ?? '', running)).toEqual({ id: '7', quantity: 2 });
    const answer = await until(() => curl(ask ?? '', running), hasItems);
    const documented: unknown = JSON.parse(
      blocksOf('README.md').find(({ info }) => info === 'answer')?.code ?? '',
    );
    expect(shapeOf(answer)).toEqual(shapeOf(documented));
    expect(existsSync(join(running.folder, '.recap/recap.db'))).toBe(true);
    expect(running.output()).toBe('');
  });

  it('on Koa record and show an exchange', async () => {
    const running = await start('koa');
    await fetch(`${running.url}/?name=ann&token=secret`);
    const answer = await until(() => query(running), hasItems);
    expect(answer.data.items).toMatchObject([
      { method: 'GET', path: '/', endpoint: null, status: 200, data: { response: { hello: 'ann' } } },
    ]);
    expect(running.output()).toBe('');
  });

  it('with the decorator alone record by themselves', async () => {
    const { url, folder, output } = await start('decorator');
    const answer = await fetch(`${url}/ai/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'Hello' }),
    });
    expect(await answer.json()).toEqual({ text: 'You said: Hello' });
    const file = join(folder, '.recap/recap.db');
    const rows = await until(
      () => storedEntries(file),
      (found) => found.length > 0,
    );
    expect(rows).toEqual([
      { endpoint: '/ai/generate', metadata: '{"model":"gpt-4"}', lifetime: 7 * 86_400_000 },
    ]);
    expect(output()).toBe('');
  });
});

describe('the start in Figures and metrics', () => {
  it('answers a scrape with what was recorded', async () => {
    const [, code = ''] = starts('docs/guides/metrics.md').find(([name]) => name === 'prometheus') ?? [];
    const program = await startProgram(code);
    try {
      await fetch(`${program.url}/orders/7`);
      const scrape = async (): Promise<string> => (await fetch(`${program.url}/metrics`)).text();
      const stored = /^recap_exchanges_stored_total [1-9]/m;
      expect(await until(scrape, (text) => stored.test(text))).toMatch(stored);
    } finally {
      await program.stop();
    }
  });
});

describe('the start in Getting started', () => {
  it('records and shows what the page says', async () => {
    const [[, code] = ['', '']] = starts('docs/getting-started.md');
    const program = await startProgram(code);
    try {
      for (const line of curlLines('docs/getting-started.md')) {
        const answer = await until(
          () => curl(line, program),
          (got) => !line.includes('/storage/query') || hasItems(got),
        );
        expect(answer).not.toMatchObject({ success: false });
      }
      expect(program.output()).toBe('');
    } finally {
      await program.stop();
    }
  });
});

async function query({ url }: Program): Promise<Answer> {
  const answer = await fetch(`${url}/storage/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  return (await answer.json()) as Answer;
}

function storedEntries(file: string): unknown[] {
  if (!existsSync(file)) return [];
  const Database = jest.requireActual<new (path: string, options: object) => SqliteFile>('better-sqlite3');
  const database = new Database(file, { readonly: true });
  try {
    return database
      .prepare('SELECT endpoint, metadata, expires_at - created_at AS lifetime FROM recap_entries')
      .all();
  } catch {
    // The tables are not there yet.
    return [];
  } finally {
    database.close();
  }
}

interface SqliteFile {
  prepare(sql: string): { all(): unknown[] };
  close(): void;
}
