import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRecorder } from '../../src/create-recorder';
import type { ExchangeSide } from '../../src/exchange';
import { createRedactor } from '../../src/redaction/create-redactor';
import {
  loadRedactionModule,
  resolveRedactionModule,
  type RedactionFunctions,
} from '../../src/redaction/redaction-module';
import { withFunctions } from '../../src/redaction/with-functions';
import { openRecorder } from '../recording/open-recorder';
import { exchangeWith } from '../worker/arbitrary-exchange';

const folder = mkdtempSync(join(tmpdir(), 'recap-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function moduleOf(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

const sideWith = (text: string): ExchangeSide => ({
  headers: [['content-type', 'text/plain']],
  body: { bytes: Buffer.from(text), totalBytes: text.length, isTruncated: false, source: 'wire' },
});

const upper = moduleOf('upper.cjs', 'exports.body = (text) => text.toUpperCase();');

describe('the name of a redaction module', () => {
  it('is a path, a URL, or a path from where the program was started', () => {
    expect(resolveRedactionModule(upper)).toBe(upper);
    expect(resolveRedactionModule(pathToFileURL(upper).href)).toBe(upper);
    const own = relative(process.cwd(), upper);
    expect(resolveRedactionModule(own.startsWith('.') ? own : `./${own}`)).toBe(upper);
  });

  it('is a package that the program can load', () => {
    expect(resolveRedactionModule('typescript')).toMatch(/typescript[\\/]lib[\\/]typescript\.js$/);
  });

  it.each([
    '/nowhere/at-all.js',
    './nowhere.js',
    'no-such-package',
    'file:///nowhere.js',
    'file:',
    tmpdir(),
    '.',
  ])('is refused at once when it is %s', (module) => {
    const start = (): unknown =>
      createRecorder({ database: { type: 'sqlite', path: ':memory:' }, redaction: { module } });
    expect(start).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(module) as string }),
    );
  });
});

describe('a redaction module', () => {
  it.each([
    ['exports of CommonJS', 'module.exports = { body: (text) => text, header: (value) => value };'],
    [
      'a default export as compilers write it',
      'exports.__esModule = true; exports.default = { body: (text) => text };',
    ],
    ['other exports beside', 'exports.path = (path) => path; exports.version = 3;'],
  ])('may have %s', (_what, source) => {
    const functions = loadRedactionModule(moduleOf(`${String(Math.random())}.cjs`, source));
    expect(Object.values(functions).some((each) => typeof each === 'function')).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a function alone', 'module.exports = () => "x";'],
    ['null', 'module.exports = null;'],
    ['no function of that name', 'exports.bodies = (text) => text;'],
    ['one that is misspelt', 'exports.body = (text) => text; exports.headers = () => undefined;'],
    ['a text where a function is due', 'exports.body = (text) => text; exports.header = "x";'],
  ])('is refused when it exports %s', (_what, source) => {
    const module = moduleOf(`${String(Math.random())}.cjs`, source);
    expect(() => createRecorder({ redaction: { module } })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('body, header') as string,
      }),
    );
  });

  it('is refused with the reason when it does not load', () => {
    const module = moduleOf('broken.cjs', 'throw new Error("no licence");');
    expect(() => createRecorder({ redaction: { module } })).toThrow(/cannot be loaded: no licence/);
  });
});

describe('the functions of a redaction module', () => {
  const failures: unknown[] = [];
  beforeEach(() => {
    failures.length = 0;
  });
  const redactorWith = (functions: RedactionFunctions) =>
    withFunctions(createRedactor(), functions, (error) => failures.push(error));
  const bodyOf = (
    functions: RedactionFunctions,
    text: string | Buffer,
    kind: 'json' | 'text' | 'binary' = 'json',
  ) => {
    const places: string[] = [];
    const result = redactorWith(functions).body('request', Buffer.from(text), kind, true, (path) =>
      places.push(path),
    );
    return { text: result.bytes?.toString(), reason: result.reason, places };
  };

  it('are given what the built-in rules have left, and what they return is stored', () => {
    const seen: unknown[] = [];
    const body: RedactionFunctions['body'] = (text, place) => {
      seen.push([text, place]);
      return text.replace('Ada', '[NAME]');
    };
    const result = bodyOf({ body }, '{"name":"Ada","password":"hunter2"}');
    expect(seen).toEqual([
      ['{"name":"Ada","password":"[REDACTED]"}', { side: 'request', kind: 'json', isComplete: true }],
    ]);
    expect(result).toEqual({
      text: '{"name":"[NAME]","password":"[REDACTED]"}',
      reason: undefined,
      places: ['request.body.password', 'request.body'],
    });
  });

  it('keep bytes that are no UTF-8 as they are', () => {
    const odd = Buffer.from([0x66, 0xff, 0xfe, 0x41]);
    const { bytes } = redactorWith({ body: (text) => text.replace('A', 'BC') }).body(
      'response',
      odd,
      'text',
      true,
      () => undefined,
    );
    expect(bytes).toEqual(Buffer.from([0x66, 0xff, 0xfe, 0x42, 0x43]));
  });

  it('are not asked about binary bodies, nor about one that was dropped', () => {
    const body = jest.fn(() => 'x');
    expect(bodyOf({ body }, 'bytes', 'binary').text).toBe('bytes');
    expect(bodyOf({ body }, '{"broken":').reason).toBe('unparsable');
    expect(body).not.toHaveBeenCalled();
  });

  it('may drop a body and leave out a header field', () => {
    expect(bodyOf({ body: () => undefined }, '{}')).toEqual({
      text: undefined,
      reason: 'redaction',
      places: ['request.body'],
    });
    const header: RedactionFunctions['header'] = (value, { name }) =>
      name === 'X-Tenant' ? undefined : value;
    const places: string[] = [];
    const headers = redactorWith({ header }).headers(
      'response',
      [
        ['X-Tenant', 'a'],
        ['b', 'c'],
      ],
      (path) => places.push(path),
    );
    expect([headers, places]).toEqual([[['b', 'c']], ['response.headers.x-tenant']]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('bug');
      },
    ],
    ['gives a promise', () => Promise.resolve('late') as never],
    ['gives a number', () => 7 as never],
    ['gives null', () => null as never],
  ] as [string, () => never][])('hide all that they were given when one %s', (_how, fail) => {
    const redactor = redactorWith({
      body: fail,
      header: fail,
      query: fail,
      path: fail,
      text: fail,
      metadata: fail,
    });
    const places: string[] = [];
    const report = (path: string): void => void places.push(path);
    expect(redactor.body('response', Buffer.from('raw'), 'text', true, report)).toEqual({
      bytes: undefined,
      isCut: false,
      reason: 'redaction_failed',
    });
    expect(redactor.headers('request', [['a', 'raw']], report)).toEqual([['a', '[REDACTED]']]);
    expect(redactor.query('a=raw', report)).toBe('[REDACTED]');
    expect(redactor.path('/raw', {}, report)).toBe('[REDACTED]');
    expect(redactor.text('raw', 'error.message', report)).toBe('[REDACTED]');
    expect(redactor.metadata({ a: 'raw' }, report)).toEqual({});
    expect(places).toEqual([
      'response.body',
      'request.headers.a',
      'request.query',
      'request.path',
      'error.message',
      'metadata',
    ]);
    expect(failures).toHaveLength(6);
  });
});

describe('a recorder with a redaction module', () => {
  it('drops a body on which a function fails, stores the rest, and tells the failure', async () => {
    const module = moduleOf(
      'fails.cjs',
      'exports.body = (text) => { if (text.includes("bad")) throw new Error("bug"); return text; };',
    );
    const { recorder, entry, failures } = openRecorder({ redaction: { module } });
    recorder.record(
      exchangeWith({
        expiresAt: undefined,
        storageType: 'both',
        request: sideWith('bad'),
        response: sideWith('good'),
      }),
    );
    const stored = await entry();
    expect(stored).toMatchObject({
      requestState: 'dropped',
      requestDetails: { reason: 'redaction_failed' },
      requestBody: null,
      responseState: 'captured',
    });
    expect(stored.responseBody?.toString()).toBe('good');
    expect(failures).toEqual([
      { error: expect.objectContaining({ message: 'bug' }) as unknown, where: 'redaction' },
    ]);
    await recorder.close();
  });
});
