import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPacked } from './consumer';
import type { Consumer } from './consumer';

const tsc = require.resolve('typescript/bin/tsc');

jest.setTimeout(120_000);

let consumer: Consumer;
const names = new Map<string, string[]>();

beforeAll(() => {
  consumer = installPacked();
  for (const entryPoint of consumer.entryPoints) names.set(entryPoint, namesOf(entryPoint));
});
afterAll(() => consumer.remove());

describe('the packed packages', () => {
  it('have the promised entry points', () => {
    expect(consumer.entryPoints).toEqual(
      expect.arrayContaining([
        '@recap/capture',
        '@recap/capture/express',
        '@recap/capture/koa',
        '@recap/capture/opentelemetry',
        '@recap/capture/prometheus',
        '@recap/capture/testing',
        '@recap/storage',
        '@recap/storage/testing',
      ]),
    );
  });

  it('export something from each entry point', () => {
    for (const [entryPoint, exported] of names) expect([entryPoint, exported]).not.toEqual([entryPoint, []]);
  });

  it('give an ESM program every name that a CommonJS program gets', () => {
    const program = eachEntryPoint((entryPoint, exported, index) => [
      `import { ${exported.map((name) => `${name} as ${name}${index}`).join(', ')} } from '${entryPoint}';`,
      ...exported.map(
        (name) => `if (typeof ${name}${index} === 'undefined') throw new Error('${name} is undefined');`,
      ),
    ]);
    expect(run(write('program.mjs', program))).toEqual({ status: 0, output: '' });
  });

  it('are the same module for both kinds of program', () => {
    const program = eachEntryPoint((entryPoint, exported, index) => [
      `import * as esm${index} from '${entryPoint}';`,
      `const cjs${index} = createRequire(import.meta.url)('${entryPoint}');`,
      ...exported.map(
        (name) => `if (esm${index}.${name} !== cjs${index}.${name}) throw new Error('two of ${name}');`,
      ),
    ]);
    const file = write('same.mjs', `import { createRequire } from 'node:module';\n${program}`);
    expect(run(file)).toEqual({ status: 0, output: '' });
  });

  it('bring the command recap-storage, which runs', () => {
    const home = join(consumer.folder, 'node_modules/@recap/storage');
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
      version: string;
      bin: Record<string, string>;
    };
    const command = join(home, manifest.bin['recap-storage']!);
    expect(readFileSync(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const ran = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
        cwd: consumer.folder,
        encoding: 'utf8',
      });
      return { status, stdout, stderr };
    };
    expect(ran('--version')).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
    run(
      write(
        'notes.cjs',
        `const backend = require('@recap/storage').createFileBackend({ path: './notes' });
         backend.open().then(() => backend.set({ partition: 'p', key: 'k' }, 1)).then(() => backend.close());`,
      ),
    );
    const stats = ran('stats', 'file:./notes', '--json');
    expect(stats).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(stats.stdout)).toMatchObject({ items: 1 });
    expect(ran('stats')).toMatchObject({ status: 2, stdout: '' });
  });

  it('have a page, a licence and keywords for npm', () => {
    const licence = readFileSync(join(__dirname, '../../LICENSE'), 'utf8');
    for (const name of ['@recap/capture', '@recap/storage']) {
      const read = (file: string) => readFileSync(join(consumer.folder, 'node_modules', name, file), 'utf8');
      expect(read('LICENSE')).toBe(licence);
      expect(read('README.md')).toContain(`npm install ${name}`);
      expect((JSON.parse(read('package.json')) as { keywords?: unknown[] }).keywords?.length).toBeGreaterThan(
        3,
      );
    }
  });

  it('keep their inner files to themselves', () => {
    for (const name of ['@recap/capture', '@recap/storage']) {
      expect(run(write('inner.cjs', `require('${name}/dist/index.js');`)).output).toContain(
        'ERR_PACKAGE_PATH_NOT_EXPORTED',
      );
    }
  });

  it.each([
    ['a CommonJS program under node16', 'program.cts', { module: 'node16', moduleResolution: 'node16' }],
    ['an ESM program under node16', 'program.mts', { module: 'node16', moduleResolution: 'node16' }],
    ['a bundled program', 'program.ts', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('have types for %s', (_kind, file, settings) => {
    const program = eachEntryPoint((entryPoint, exported, index) => [
      `import { ${exported.map((name) => `${name} as ${name}${index}`).join(', ')} } from '${entryPoint}';`,
      `export const all${index} = [${exported.map((name) => `${name}${index}`).join(', ')}];`,
      // Nothing public is `any`.
      ...exported.map((name) => `export const any${name}${index}: IsAny<typeof ${name}${index}> = false;`),
    ]);
    const compilerOptions = {
      ...settings,
      strict: true,
      target: 'es2022',
      types: ['node'],
      noEmit: true,
      skipLibCheck: false,
    };
    const folder = join(consumer.folder, file.replace('.', '-'));
    mkdirSync(folder);
    writeFileSync(join(folder, file), `type IsAny<T> = 0 extends 1 & T ? true : false;\n${program}`);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
    expect(ownErrors(run(tsc, '-p', folder).output)).toEqual([]);
  });
});

function namesOf(entryPoint: string): string[] {
  const program = `process.stdout.write(JSON.stringify(Object.keys(require('${entryPoint}'))))`;
  const { status, output } = run(write('names.cjs', program));
  if (status !== 0) throw new Error(`require('${entryPoint}') fails:\n${output}`);
  return JSON.parse(output) as string[];
}

function eachEntryPoint(lines: (entryPoint: string, exported: string[], index: number) => string[]): string {
  return [...names].flatMap(([entryPoint, exported], index) => lines(entryPoint, exported, index)).join('\n');
}

/** Library checks are on for the sake of our declarations; what is wrong in those of others is not ours. */
function ownErrors(output: string): string[] {
  return output.split('\n').filter((line) => line.includes('error TS') && !line.startsWith('../'));
}

function write(file: string, program: string): string {
  const path = join(consumer.folder, file);
  writeFileSync(path, program);
  return path;
}

function run(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: consumer.folder,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}
