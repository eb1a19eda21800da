import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRecorder, storeApiData } from '@recap/capture';
import * as onExpress from '@recap/capture/express';
import * as onKoa from '@recap/capture/koa';
import { registerMetrics } from '@recap/capture/prometheus';
import { Registry } from 'prom-client';
import ts from 'typescript';
import { firstCells, headingsOf, readMarkdown, root, withoutBlocks } from './markdown-blocks';
import { Types } from './exported-types';

jest.setTimeout(60_000);

const SOURCES = join(root, 'packages/capture/src');
const OPTIONS = 'docs/reference/options.md';

const at = (name: string): string => join(SOURCES, name);
const ERRORS = join(root, 'packages/storage/src/errors.ts');
let types: Types;
beforeAll(() => {
  types = new Types([
    ERRORS,
    ...[
      'recorder/recorder-options.ts',
      'recorder/recorder.ts',
      'express/storage-middleware.ts',
      'koa/storage-middleware.ts',
      'express/storage-router.ts',
      'koa/storage-router.ts',
      'store-api-data.ts',
      'recorder/batch-processor.ts',
      'query/query-error.ts',
      'router/router-error.ts',
    ].map(at),
  ]);
});

/** Every object literal in the sources that a predicate takes. */
function literals(take: (properties: ReadonlyMap<string, ts.Expression>) => string | undefined): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.startsWith('testing')) continue;
    const source = ts.createSourceFile(
      name,
      readFileSync(join(SOURCES, name), 'utf8'),
      ts.ScriptTarget.ES2022,
    );
    const open: ts.Node[] = [source];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (ts.isObjectLiteralExpression(node)) {
        const properties = new Map<string, ts.Expression>();
        for (const property of node.properties) {
          if (!ts.isPropertyAssignment(property)) continue;
          const key = ts.isComputedPropertyName(property.name) ? '' : property.name.text;
          properties.set(key, property.initializer);
        }
        const value = take(properties);
        if (value !== undefined) found.add(value);
      }
      node.forEachChild((child) => void open.push(child));
    }
  }
  return found;
}

const documented = (...sections: string[]): string[] =>
  sections.flatMap((section) => firstCells(OPTIONS, section)).sort();

describe('the reference of options', () => {
  it('names the options of createRecorder', () => {
    const names = documented('Entry options', 'Capture options', 'createRecorder').filter(
      (name) => !name.startsWith('{'),
    );
    expect(names).toEqual(types.properties(at('recorder/recorder-options.ts'), 'RecorderOptions'));
  });

  it.each(['express', 'koa'])('names the options of the middleware on %s', (framework) => {
    const file = at(`${framework}/storage-middleware.ts`);
    const names = documented('Entry options', 'Capture options', 'storageMiddleware');
    expect(names).toEqual(types.properties(file, 'StorageMiddlewareOptions'));
  });

  it('names the options of the decorator', () => {
    const names = documented('Entry options', 'storeApiData');
    expect(names).toEqual(types.properties(at('store-api-data.ts'), 'StoreApiDataOptions'));
  });

  it('names the options of the router', () => {
    const names = documented('storageRouter');
    expect(names).toEqual(types.properties(at('koa/storage-router.ts'), 'KoaStorageRouterOptions'));
    expect(names.filter((name) => name !== 'prefix')).toEqual(
      types.properties(at('express/storage-router.ts'), 'ExpressStorageRouterOptions'),
    );
  });

  it.each([
    ['createRecorder', createRecorder, ['Entry options', 'Capture options', 'createRecorder']],
    [
      'storageMiddleware on Express',
      onExpress.storageMiddleware,
      ['Entry options', 'Capture options', 'storageMiddleware'],
    ],
    [
      'storageMiddleware on Koa',
      onKoa.storageMiddleware,
      ['Entry options', 'Capture options', 'storageMiddleware'],
    ],
    ['storeApiData', storeApiData, ['Entry options', 'storeApiData']],
  ] as [string, (options: never) => unknown, string[]][])(
    'names no option that %s does not know',
    (_name, make, sections) => {
      const names = documented(...sections).filter((name) => !name.startsWith('{'));
      const options = Object.fromEntries([...names, 'noSuchOption'].map((name) => [name, Symbol('wrong')]));
      const message = messageOf(() => make(options as never));
      expect(message.match(/Unrecognized key.*/g)).toEqual(['Unrecognized key: "noSuchOption"']);
    },
  );
});

describe('the reference of errors', () => {
  const headings = headingsOf('docs/reference/errors.md', 3);

  it('has a heading for each code of a StorageError', () => {
    const codes = headings.filter((heading) => !/^\d/.test(heading)).sort();
    expect(codes).toEqual(types.values(ERRORS, 'StorageErrorCode'));
  });

  it('has a heading for each code of an answer, with its status', () => {
    const statuses = literals((properties) =>
      properties.has('VALIDATION_FAILED')
        ? [...properties].map(([code, status]) => `${(status as ts.NumericLiteral).text} ${code}`).join()
        : undefined,
    );
    const codes = [...statuses].join().split(',').sort();
    expect(headings.filter((heading) => /^\d/.test(heading)).sort()).toEqual(codes);
    const thrown = [
      ...types.values(at('query/query-error.ts'), 'QueryErrorCode'),
      ...types.values(at('router/router-error.ts'), 'RouterErrorCode'),
    ];
    expect(codes.map((code) => code.slice(4))).toEqual(expect.arrayContaining(thrown));
  });
});

describe('the reference of warnings', () => {
  it('has a heading for each code that the sources give', () => {
    const codes = literals((properties) => {
      const code = properties.get('code');
      return properties.has('severity') && code !== undefined && ts.isStringLiteral(code)
        ? code.text
        : undefined;
    });
    const placement = readFileSync(at('sessions/place-entries.ts'), 'utf8');
    for (const [, code = ''] of placement.matchAll(/'(SESSION_[A-Z_]+)'/g)) codes.add(code);
    expect(headingsOf('docs/reference/warnings.md', 3).sort()).toEqual([...codes].sort());
  });
});

describe('the guide to figures', () => {
  it('names each figure of stats()', () => {
    const figures = types.properties(at('recorder/recorder.ts'), 'RecorderStats');
    expect(firstCells('docs/guides/metrics.md', 'The figures').sort()).toEqual(figures);
  });

  it('names each metric for Prometheus', async () => {
    const registry = new Registry();
    const recorder = createRecorder({ database: { type: 'sqlite', path: ':memory:' } });
    registerMetrics(recorder, { registry });
    const text = withoutBlocks(readMarkdown('docs/guides/metrics.md')).join('\n');
    for (const { name } of await registry.getMetricsAsJSON()) expect(text).toContain(`\`${name}\``);
    await recorder.close();
  });
});

describe('the page of concepts', () => {
  it('names each reason for which an exchange is not stored', () => {
    const text = withoutBlocks(readMarkdown('docs/concepts.md')).join('\n');
    for (const reason of types.values(at('recorder/batch-processor.ts'), 'ShedReason')) {
      expect(text).toContain(`\`${reason}\``);
    }
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('Nothing was thrown.');
}
