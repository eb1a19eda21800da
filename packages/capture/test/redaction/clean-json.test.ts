import fc from 'fast-check';
import { isCleanJson } from '../../src/redaction/clean-json';
import { CleanBodies } from '../../src/redaction/clean-bodies';
import { HarmlessFields } from '../../src/redaction/harmless-fields';
import { createHarmlessKeys } from '../../src/redaction/harmless-keys';
import { createNameRules } from '../../src/redaction/name-rules';
import type { RedactionContext } from '../../src/redaction/redaction-context';
import { createPathRules } from '../../src/redaction/redaction-paths';
import { redactString } from '../../src/redaction/string-redaction';
import { createValueShapes } from '../../src/redaction/value-shapes';
import { redactBody } from './redact';

const context: RedactionContext = {
  names: createNameRules(),
  shapes: createValueShapes(),
  paths: createPathRules(),
  harmlessKeys: createHarmlessKeys(),
  harmlessFields: new HarmlessFields(),
  cleanBodies: new CleanBodies(),
  redactString,
};

function isClean(body: string): boolean {
  const bytes = Buffer.from(body);
  const text = bytes.toString('latin1');
  return !context.shapes.mayHoldUnmarked(text) && isCleanJson(bytes, text, 0, bytes.length, context);
}

/** A rule for a place that is nowhere makes the redactor take the full walk. */
const FULL_WALK = { rules: { paths: ['nowhere'] } };

const key = fc.constantFrom(
  ...['id', 'name', 'value', 'key', 'author', 'url', 'tokens', 'max_tokens', 'password', 'X-Api-Key'],
  ...['p\u0061ssword', 'é', 'pin', '__proto__', 'ghp_abcdefghijklmnopqrstuvwxyz', 'a b', 'db_password_2', ''],
);
const text = fc.oneof(
  fc.constantFrom(
    ...['plain', 'password', 'password=X1', 'login: password: X1', '2024-01-01T10:00:00Z', 'a = b', '12:30'],
    ...[
      'https://example.test/a?b=c&d',
      'https://a:b@c/',
      'https://h/?token=X1',
      'Bearer abcdef123456',
      'é: 1',
    ],
    ...['{"password":"X1"}', 'body {"password":"X1"}', ' [1]', 'eyJhbGciOiJIUzI1NiJ9.e30.x', 'to\tken: x'],
    ...['4111 1111 1111 1111', 'curl -H "Authorization: Bearer X1"', 'note: x', '\\', '\n[', 'pin\n: 12345'],
  ),
  fc.string({ unit: fc.constantFrom(...'ab:="\' {[\\/@.é\n'), maxLength: 10 }),
);
const value = fc.object({
  key,
  values: [text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)],
  maxDepth: 3,
  maxKeys: 4,
});
/** Written plainly, indented, or with some letters as `\u` escapes. */
const body = fc
  .tuple(value, fc.constantFrom('plain', 'indented', 'escaped', 'broken'), fc.nat())
  .map(([content, form, at]) => {
    const json = JSON.stringify(content, undefined, form === 'indented' ? 2 : 0);
    if (form === 'escaped') return json.replace(/(?<=[A-Za-z])[aeo](?=[a-z])/g, escaped);
    return form === 'broken' ? json.slice(0, at % json.length) + json.slice((at % json.length) + 1) : json;
  });
const escaped = (letter: string): string => `\\u00${letter.charCodeAt(0).toString(16)}`;

describe('the quick look at JSON', () => {
  it('takes nothing for clean in which the full walk hides, reports or refuses something', () => {
    let clean = 0;
    fc.assert(
      fc.property(body, (json) => {
        if (!isClean(json)) return;
        clean += 1;
        const walked = redactBody(json, 'json', FULL_WALK);
        expect(walked).toEqual({ text: json, isCut: false, reason: undefined, places: [] });
      }),
      { numRuns: 5000 },
    );
    expect(clean).toBeGreaterThan(500);
  });

  it('changes nothing in what the redactor gives', () => {
    fc.assert(
      fc.property(body, (json) => {
        expect(redactBody(json, 'json')).toEqual(redactBody(json, 'json', FULL_WALK));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '[]',
    ' {} ',
    '{"a":[1,-0.5e+3,{"b":null}],"c":"x"}',
    '[true,false]\n',
    '"abc"',
    '0',
    '{"é":"ü"}',
  ])('has an answer for %s', (json) => {
    // A name that is not ASCII is left to the full walk.
    expect(isClean(json)).toBe(!json.includes('é'));
  });

  it.each([
    '',
    '{',
    '[1,]',
    '{"a":1,}',
    '{"a" 1}',
    '{,}',
    '01',
    '1.',
    '-',
    '1e',
    'nul',
    'truefalse',
    '[1 2]',
  ])('does not take %j for JSON', (json) => {
    expect(isClean(json)).toBe(false);
  });

  it.each([
    '{"name":"pin","value":"1x"}',
    '{"Value":"1x","Key":"pin"}',
    '{"p\\u0069n":1}',
    '{"a":"pass\\u0077ord\\u003dX1"}',
    '{"a":"password\\u003aX1"}',
    '{"a":"\\u0067hp_abcdefghijklmnopqrstuvwxyz"}',
    '{"a":"postgres:\\/\\/u:p4ss@h\\/d"}',
    '{"a":"\\n[{}]"}',
    '{"ghp_abcdefghijklmnopqrstuvwxyz":1}',
    '["sk-abcdefgh1234567890ABCD"]',
  ])('leaves %s to the full walk', (json) => {
    expect(isClean(json)).toBe(false);
  });

  it('leaves what is deeply nested to the full walk', () => {
    expect(isClean(`${'['.repeat(30)}${']'.repeat(30)}`)).toBe(true);
    expect(isClean(`${'['.repeat(31)}${']'.repeat(31)}`)).toBe(false);
    expect(isClean(`${'[{"a":'.repeat(15)}1${'}]'.repeat(14)}]}`)).toBe(false);
  });

  it('does not mistake a key for a harmless one with the same hash', () => {
    expect(isClean('{"qJn":1}')).toBe(true);
    expect(isClean('{"pin":1}')).toBe(false);
  });
});
