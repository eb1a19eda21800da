import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import ts from 'typescript';

const guide = readFileSync(join(__dirname, '../../docs/guides/nestjs-and-routing-controllers.md'), 'utf8');
const programs = [...guide.matchAll(/```ts frameworks\n(.*?)```/gs)].map(([, code = '']) => code);

/** What the compiler says of programs that stand in this folder; nothing is written to disk. */
function problemsOf(codes: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(__dirname, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, __dirname);
  const sources = new Map(codes.map((code, at) => [join(__dirname, `guide-${String(at)}.ts`), code]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists.call(host, path);
  host.readFile = (path) => sources.get(path) ?? readFile.call(host, path);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()]
    .map((path) => program.getSourceFile(path))
    .flatMap((source) => [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ])
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** Runs a program in a folder of its own while `use` asks it; resolves when it has ended. */
async function running(code: string, use: (url: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'recap-guide-'));
  symlinkSync(join(__dirname, 'node_modules'), join(folder, 'node_modules'));
  // It listens on a free port instead of its own, and tells which.
  const listening = `const { Server } = require('node:net'); const { listen } = Server.prototype;
    Server.prototype.listen = function (...args) {
      this.once('listening', () => process.send(this.address().port));
      return listen.call(this, 0, '127.0.0.1', ...args.filter((each) => typeof each === 'function'));
    };`;
  const { code: compiled } = transformSync(code, {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'commonjs' },
  });
  writeFileSync(join(folder, 'program.cjs'), `${listening}\n${compiled}`);
  const child = spawn(process.execPath, ['program.cjs'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  try {
    const [port] = (await Promise.race([
      once(child, 'message'),
      ended.then(() => {
        throw new Error('The program ended before it listened.');
      }),
    ])) as [number];
    await use(`http://127.0.0.1:${String(port)}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the programs in the guide', () => {
  it('compile', () => {
    expect(programs).toHaveLength(2);
    expect(problemsOf(programs)).toEqual([]);
    const wrong = problemsOf(["export { noSuchThing } from '@recap/capture';\n"]);
    expect(wrong).toEqual([expect.stringMatching(/no exported member.*noSuchThing/)]);
  });

  it.each(programs.map((code) => [/from '(@nestjs|routing-controllers)/.exec(code)?.[1], code] as const))(
    'run and record: %s',
    async (_name, code) => {
      await running(code, async (url) => {
        const answer = await fetch(`${url}/prices/tea`);
        expect(await answer.json()).toEqual({ article: 'tea', cents: 300 });
        const answers: unknown[] = [];
        const query = async () => {
          const found = await fetch(`${url}/storage/query`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ endpoint: '/prices/:article' }),
          });
          answers.push(await found.json());
          return answers.at(-1) as { data?: { items: unknown[] } };
        };
        // Until the database is open and the entry is written; each question takes a while itself.
        let items: unknown[] = [];
        for (let turn = 0; turn < 1_000 && items.length === 0; turn += 1) {
          items = (await query()).data?.items ?? [];
        }
        expect(items).toMatchObject([{ endpoint: '/prices/:article', storage_info: { audience: 'public' } }]);
      });
    },
  );
});
