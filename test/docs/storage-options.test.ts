import { join } from 'node:path';
import { checkConfig } from '../../packages/storage/src/manager/check-config';
import { backendShapes } from '../../packages/storage/src/options/config-schemas';
import { fallbackShape } from '../../packages/storage/src/manager/resolve-fallback';
import { programShape } from '../../packages/storage/src/options/program-shape';
import { settings } from '../../packages/storage/src/options/setting-schemas';
import { z } from 'zod';
import { firstCells, headingsOf, readMarkdown } from './markdown-blocks';
import { Types } from './exported-types';
import { root } from './markdown-blocks';

jest.setTimeout(60_000);

const PAGE = 'docs/reference/storage-options.md';
const SOURCES = join(root, 'packages/storage/src/manager');

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
}

/** The names that a schema takes, as zod tells them. */
function namesOf(schema: JsonSchema | undefined): string[] {
  const found = [schema, schema?.items, ...(schema?.anyOf ?? [])].find(
    (each) => each?.properties !== undefined,
  );
  return Object.keys(found?.properties ?? {}).sort();
}

const schemaOf = (shape: z.ZodRawShape): JsonSchema =>
  z.toJSONSchema(settings(shape), { io: 'input', unrepresentable: 'any' }) as JsonSchema;

const EVERY = ['keyPrefix'];
const SERVERS = ['circuitBreaker', 'retry', 'timeoutMs'];

/** Cells of the columns "setting" and "default" of a section's table. */
function defaultsOf(section: string): Map<string, string> {
  const lines = readMarkdown(PAGE).split(`\n## ${section}\n`)[1]!.split('\n## ')[0]!.split('\n');
  const rows = lines
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  return new Map(rows.map(([, name = '', , given = '']) => [name.replaceAll('`', ''), given]));
}

/** A default as it is written: `full`, `true`, 10,000. */
function written(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : `\`${String(value)}\``;
}

describe('the guide to writing a backend', () => {
  it('names the options of every backend', () => {
    const documented = firstCells('docs/guides/write-a-backend.md', 'Options of every backend');
    expect(documented.sort()).toEqual(Object.keys(programShape).sort());
  });
});

describe('the reference of storage options', () => {
  it.each(Object.entries(backendShapes))('names the settings of %s', (type, shape) => {
    const isServer = ['postgres', 'redis', 'mongodb', 'dynamodb', 'custom'].includes(type);
    const documented = [...EVERY, ...(isServer ? SERVERS : []), ...firstCells(PAGE, type)].sort();
    expect(documented).toEqual(namesOf(schemaOf(shape)));
  });

  const postgres = schemaOf(backendShapes.postgres).properties;
  const redis = schemaOf(backendShapes.redis).properties;
  const mongodb = schemaOf(backendShapes.mongodb).properties;
  it.each([
    ['pool', postgres?.['pool']],
    ['TLS', postgres?.['ssl']],
    ['TLS', redis?.['tls']],
    ['pool', mongodb?.['pool']],
    ['TLS', mongodb?.['tls']],
    ['retry', redis?.['retry']],
    ['circuitBreaker', redis?.['circuitBreaker']],
    ['sentinel', redis?.['sentinel']],
    ['cluster', redis?.['cluster']],
    ['nodes', redis?.['cluster']?.properties?.['nodes']],
    ['credentials', schemaOf(backendShapes.dynamodb).properties?.['credentials']],
    ['fallback', schemaOf(fallbackShape)],
  ])('names the settings of %s', (section, schema) => {
    expect(firstCells(PAGE, section).sort()).toEqual(namesOf(schema));
  });

  const server = { type: 'redis', retry: {}, circuitBreaker: {}, tls: {}, fallback: ['memory'] };
  const { database, cache } = checkConfig(
    { database: { type: 'postgres', ssl: {} }, cache: server },
    {},
    'test',
  );
  const backendOf = (type: string): object =>
    checkConfig({ database: { type } }, {}, 'test').database!.backend;
  it.each([
    ['memory', backendOf('memory')],
    ['file', backendOf('file')],
    ['sqlite', backendOf('sqlite')],
    ['postgres', database!.backend],
    ['redis', cache!.backend],
    ['mongodb', backendOf('mongodb')],
    ['dynamodb', backendOf('dynamodb')],
    ['Every backend', cache!.backend],
    ['Servers', cache!.backend],
    ...(['pool', 'ssl'] as const).map((name) => [
      name === 'ssl' ? 'TLS' : name,
      Reflect.get(database!.backend, name),
    ]),
    ...(['retry', 'circuitBreaker'] as const).map((name) => [name, Reflect.get(cache!.backend, name)]),
    ['fallback', { ...cache!.fallback, reads: undefined }],
  ] as [string, Record<string, unknown>][])('gives the defaults of %s', (section, resolved) => {
    const documented = defaultsOf(section);
    for (const [name, given] of documented) {
      const value = resolved[name];
      if (value === undefined || typeof value === 'object' || name === 'type') continue;
      expect([name, given.split(';')[0]]).toEqual([name, written(value)]);
    }
    // What has no default does not claim one.
    for (const [name, given] of documented) {
      if (resolved[name] === undefined)
        expect([name, given]).not.toEqual([name, expect.stringMatching(/^`?(true|false)`?$/)]);
    }
  });

  it('names the options of a manager, of a file, and the whole configuration', () => {
    const files = ['storage-options.ts', 'load-storage-config.ts', 'storage-config.ts'].map((name) =>
      join(SOURCES, name),
    );
    const types = new Types(files);
    expect(firstCells(PAGE, 'Options').sort()).toEqual(types.properties(files[0]!, 'StorageOptions'));
    expect(firstCells(PAGE, 'loadStorageConfig').sort()).toEqual(
      types.properties(files[1]!, 'LoadConfigOptions'),
    );
    expect(firstCells(PAGE, 'Configuration').sort()).toEqual(types.properties(files[2]!, 'StorageConfig'));
  });

  it('has no section that nothing compares', () => {
    const compared = [
      'Configuration',
      'Every backend',
      'Servers',
      'Options',
      'loadStorageConfig',
      'retry',
      'circuitBreaker',
    ];
    const others = [
      'pool',
      'TLS',
      'sentinel',
      'cluster',
      'nodes',
      'credentials',
      'fallback',
      ...Object.keys(backendShapes),
    ];
    expect(headingsOf(PAGE, 2).sort()).toEqual([...compared, ...others].sort());
  });
});

describe('the types of the configuration', () => {
  it('name what the schemas take', () => {
    const file = join(SOURCES, 'storage-config.ts');
    const types = new Types([file]);
    for (const [type, shape] of Object.entries(backendShapes)) {
      const name = `${type[0]!.toUpperCase()}${type.slice(1)}Config`;
      const own = types.properties(file, name).filter((each) => each !== 'type' && each !== 'fallback');
      expect(own).toEqual(namesOf(schemaOf(shape)));
    }
    const { properties } = schemaOf(backendShapes.postgres);
    expect(types.properties(file, 'PoolConfig')).toEqual(namesOf(properties?.['pool']));
    expect(types.properties(file, 'TlsConfig')).toEqual(namesOf(properties?.['ssl']));
    expect(types.properties(file, 'RetryConfig')).toEqual(namesOf(properties?.['retry']));
    expect(types.properties(file, 'CircuitBreakerConfig')).toEqual(namesOf(properties?.['circuitBreaker']));
    expect(types.properties(file, 'FallbackSettings')).toEqual(namesOf(schemaOf(fallbackShape)));
  });
});
