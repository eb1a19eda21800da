import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(__dirname, '../..');

const startsWithinMs = 20_000;
const storedWithinMs = 10_000;

/** What the storage router answers, as far as these tests look at it. */
export interface Answer {
  readonly success: boolean;
  readonly data: {
    readonly items: readonly Item[];
    readonly recorder: { readonly stored: number; readonly queued: number };
  };
}

export interface Item {
  readonly id: string;
  readonly endpoint: string | null;
  readonly [field: string]: unknown;
}

/** An example as its README says to run it, on a free port, with a database of its own. */
export class ExampleProgram {
  readonly folder = mkdtempSync(join(tmpdir(), 'recap-example-'));
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | NodeJS.Signals | null>;
  #output = '';
  url = '';

  private constructor(script: string, environment: Record<string, string>) {
    if (!existsSync(join(root, 'packages/capture/dist/index.js'))) {
      throw new Error('The examples run on the built packages: npm run build');
    }
    this.#child = spawn(process.execPath, [join(root, script)], {
      env: { ...process.env, PORT: '0', RECAP_DATABASE: join(this.folder, 'recap.db'), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = new Promise((done) => {
      this.#child.on('close', (code, signal) => {
        done(code ?? signal);
      });
    });
  }

  static async start(script: string, environment: Record<string, string> = {}): Promise<ExampleProgram> {
    const program = new ExampleProgram(script, environment);
    await program.#listening();
    return program;
  }

  async #listening(): Promise<void> {
    await new Promise<void>((done, fail) => {
      const give = (why: string) => {
        clearTimeout(limit);
        this.#child.kill('SIGKILL');
        fail(new Error(`The example ${why}. It printed:\n${this.#output}`));
      };
      const limit = setTimeout(give, startsWithinMs, 'does not listen');
      const read = (chunk: Buffer) => {
        this.#output += chunk.toString();
        const url = /Listening on (\S+)/.exec(this.#output)?.[1];
        if (url === undefined || this.url !== '') return;
        this.url = url;
        clearTimeout(limit);
        done();
      };
      this.#child.stdout?.on('data', read);
      this.#child.stderr?.on('data', read);
      void this.#ended.then((how) => {
        if (this.url === '') give(`ended with ${String(how)}`);
      });
    });
  }

  /** Sends JSON, or `GET`s when there is no body. */
  async ask(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    if (body === undefined) return fetch(this.url + path, { headers });
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** What was recorded, oldest first, once that many entries are stored. */
  async recorded(count: number, headers: Record<string, string> = {}): Promise<readonly Item[]> {
    const until = Date.now() + storedWithinMs;
    for (;;) {
      const { recorder } = ((await (await this.ask('/storage/stats', undefined, headers)).json()) as Answer)
        .data;
      if (recorder.stored >= count && recorder.queued === 0) break;
      if (Date.now() > until) throw new Error(`${recorder.stored} entries are stored, not ${count}.`);
      // Another process: there is nothing here to wait for.
      await new Promise((done) => setTimeout(done, 50));
    }
    const answer = (await (await this.ask('/storage/query', {}, headers)).json()) as Answer;
    return [...answer.data.items].reverse();
  }

  /** True when a file of the database holds the text. */
  keeps(text: string): boolean {
    return readdirSync(this.folder).some((name) => readFileSync(join(this.folder, name)).includes(text));
  }

  /** Ends it as Ctrl-C does. @returns its exit code, or the signal that it died of. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.#child.kill('SIGINT');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    const how = await this.#ended;
    clearTimeout(limit);
    return how;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Compiles an example in its folder, as its `npm start` does. */
export function compile(folder: string): void {
  const { status, stdout } = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc')], {
    cwd: join(root, folder),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${folder} does not compile:\n${stdout}`);
}
