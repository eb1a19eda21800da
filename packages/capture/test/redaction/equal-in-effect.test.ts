import fc from 'fast-check';
import type { BodyKind } from '../../src/body-kind';
import { isCleanJson } from '../../src/redaction/clean-json';
import { CleanBodies } from '../../src/redaction/clean-bodies';
import { HarmlessFields } from '../../src/redaction/harmless-fields';
import { createHarmlessKeys } from '../../src/redaction/harmless-keys';
import { createNameRules } from '../../src/redaction/name-rules';
import { createPathRules } from '../../src/redaction/redaction-paths';
import { redactString } from '../../src/redaction/string-redaction';
import { createValueShapes } from '../../src/redaction/value-shapes';
import { createRedactor } from '../../src/redaction/create-redactor';

/** Fixed, so that a failure is the same for everybody; other bodies come with another number. */
const SEED = 20_261;

const quick = createRedactor();
/** A rule for a place that is nowhere makes the redactor walk through every body. */
const thorough = createRedactor({ paths: ['nowhere'] });

const NAMES = [
  ...[
    'password',
    'PASSWORD',
    'pass_word',
    'userPassword',
    'old-password',
    'passwordless',
    'password_changed_at',
  ],
  ...[
    'api-key',
    'X-Api-Key',
    'apiKey',
    'APIKEY',
    'my_api_key_2',
    'api_keys',
    'clientSecret',
    'SECRET',
    'secretary',
  ],
  ...[
    'access_token',
    'accessToken',
    'tokens',
    'max_tokens',
    'token_type',
    'nextToken',
    'csrf',
    'JWT',
    'bearer',
  ],
  ...[
    'ssn',
    'cvv',
    'pin',
    'PIN',
    'pinned',
    'iban',
    'card_number',
    'dsn',
    'auth',
    'session',
    'cookie',
    'author',
  ],
  ...[
    'name',
    'Name',
    'value',
    'Value',
    'key',
    'id',
    'data',
    'url',
    'text',
    'user',
    'items',
    '',
    ' ',
    'a b',
    'a.b',
  ],
  ...[
    'a[0]',
    '__proto__',
    'constructor',
    'é',
    'пароль',
    '密码',
    '😀',
    'ghp_abcdefghijklmnopqrstuvwxyz',
    'x'.repeat(40),
  ],
];
const TEXTS = [
  ...[
    '',
    'x',
    'plain',
    'password',
    'password=X1',
    'login: password: X1',
    'to\tken: x',
    'note: x',
    'pin\n: 12345',
  ],
  ...[
    '2024-01-01T10:00:00Z',
    '12:30',
    'a = b',
    'é: 1',
    'ключ: 1',
    '密码=1',
    '😀',
    '\\',
    '/',
    '"',
    '\u0000',
    '\u2028',
  ],
  ...[
    'https://example.test/a?b=c&d',
    'https://a:b@c/',
    'https://h/?token=X1',
    'postgres://u:p4ss@h/d',
    'a@b.test',
  ],
  ...['Bearer abcdef123456', 'Basic dXNlcjpwYXNz', 'eyJhbGciOiJIUzI1NiJ9.e30.x', 'sk-abcdefgh1234567890ABCD'],
  ...[
    '4111 1111 1111 1111',
    '4111111111111111',
    'AKIAIOSFODNN7EXAMPLE',
    'xoxb-1234567890-abcdef',
    'read',
    'true',
  ],
  ...[
    '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----',
    '{"password":"X1"}',
    ' [1]',
    '\n[',
    '{',
    '[]',
  ],
  ...[
    'body {"password":"X1"}',
    'curl -H "Authorization: Bearer X1"',
    '<password>X1</password>',
    'a=1&token=b&c',
  ],
];
const NUMBERS = [
  ...[
    '0',
    '-0',
    '7',
    '-1.25',
    '1e5',
    '1.5E-10',
    '12345678901234567890',
    '9007199254740993',
    '4111111111111111',
  ],
  ...['0.1e+1', '1e400', '378282246310005', '1234567890123456789012345678901234567890'],
];

const blank = fc.constantFrom('', '', '', ' ', '\n', '\t  ', '\r\n');

/** A string of JSON, with letters and signs written as escapes here and there. */
function written(text: string, escapes: number): string {
  const json = JSON.stringify(text);
  if (escapes % 3 !== 0) return json;
  let at = escapes;
  return json.replace(/(?<!\\)[A-Za-z:=@/.-](?![0-9a-f]{0,3}$)/g, (sign, position: number) => {
    at = (at * 31 + position) % 1_009;
    if (at % 4 !== 0 || /\\u?[0-9a-f]{0,3}$/i.test(json.slice(Math.max(0, position - 5), position)))
      return sign;
    const code = sign.charCodeAt(0).toString(16).padStart(4, '0');
    return sign === '/' && at % 8 === 0 ? '\\/' : `\\u${at % 3 === 0 ? code.toUpperCase() : code}`;
  });
}

const string = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(texts, fc.nat({ max: 1_000 })).map(([text, escapes]) => written(text, escapes));
const anyText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...'ab:="\' {[\\/@.é\n'), maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
);
const key = string(
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: anyText }),
);
/** For most of them to be harmless: bodies without any secret are what the quick look is for. */
const harmlessKey = string(
  fc.constantFrom('id', 'name', 'url', 'text', 'items', 'author', 'max_tokens', 'data', 'é'),
);

/** A name and a value beside each other, in either order. */
const pair = fc
  .tuple(
    string(fc.constantFrom('name', 'Name', 'key', 'Key', 'id')),
    string(fc.constantFrom('pin', 'password', 'apiKey', 'max_tokens', 'tokens', 'colour', 'Authorization')),
    string(fc.constantFrom('value', 'Value', 'val', 'data')),
    fc.oneof(string(anyText), fc.constantFrom(...NUMBERS)),
    fc.boolean(),
  )
  .map(([nameKey, name, valueKey, value, isTurned]) => {
    const members = [`${nameKey}:${name}`, `${valueKey}:${value}`];
    return `{${(isTurned ? members.reverse() : members).join(',')}}`;
  });

/** JSON as text, since values would know no doubled keys, no blanks and no numbers beyond 2^53. */
const { json } = fc.letrec<{ json: string; list: string; object: string; inner: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 3, arbitrary: string(anyText) },
    { weight: 1, arbitrary: fc.constantFrom(...NUMBERS, 'true', 'false', 'null') },
    { weight: 4, arbitrary: tie('object') },
    { weight: 2, arbitrary: tie('list') },
    { weight: 1, arbitrary: tie('inner') },
    { weight: 1, arbitrary: pair },
  ),
  list: fc
    .tuple(fc.array(tie('json'), { maxLength: 4 }), blank)
    .map(([items, space]) => `[${space}${items.join(`${space},`)}${space}]`),
  object: fc
    .tuple(
      fc.oneof(key, harmlessKey),
      fc.array(fc.tuple(fc.oneof(key, harmlessKey), tie('json')), { maxLength: 4 }),
      blank,
      fc.boolean(),
    )
    .map(([again, members, space, isDoubled]) => {
      const pairs = members.map(([name, value]) => `${space}${name}${space}:${space}${value}`);
      if (isDoubled && members[0] !== undefined) pairs.push(`${again}:1`, `${again}:${members[0][1]}`);
      return `{${pairs.join(',')}${space}}`;
    }),
  inner: tie('json').map((text) => JSON.stringify(text)),
}));

interface Outcome {
  readonly text: string | undefined;
  readonly isCut: boolean;
  readonly reason: string | undefined;
  readonly places: readonly string[];
}

function redact(by: typeof quick, bytes: Buffer, kind: BodyKind, isComplete: boolean): Outcome {
  const places: string[] = [];
  const result = by.body('request', bytes, kind, isComplete, (path) => places.push(path));
  return { text: result.bytes?.toString('latin1'), isCut: result.isCut, reason: result.reason, places };
}

/** Runs `numRuns` bodies through both, and says in how many of them something was hidden. */
function compare(bodies: fc.Arbitrary<string>, kind: BodyKind, numRuns: number): { hidden: number } {
  let hidden = 0;
  fc.assert(
    fc.property(bodies, fc.nat({ max: 9 }), fc.nat(), (body, fate, at) => {
      const whole = Buffer.from(body);
      // One in ten was cut somewhere, one in ten has lost a byte.
      const cut = whole.length === 0 ? 0 : at % whole.length;
      const bytes =
        fate === 0
          ? whole.subarray(0, cut)
          : fate === 1
            ? Buffer.concat([whole.subarray(0, cut), whole.subarray(cut + 1)])
            : whole;
      const isComplete = fate !== 0;
      const outcome = redact(quick, bytes, kind, isComplete);
      expect(outcome).toEqual(redact(thorough, bytes, kind, isComplete));
      if (outcome.places.length > 0) hidden += 1;
    }),
    { numRuns, seed: SEED },
  );
  return { hidden };
}

describe('redaction with a quick look first', () => {
  it('gives of JSON what the full walk gives, byte for byte, with the same places', () => {
    const { hidden } = compare(
      fc.tuple(blank, json, blank).map((parts) => parts.join('')),
      'json',
      7_000,
    );
    expect(hidden).toBeGreaterThan(1_500);
  });

  it('gives the same of JSON lines', () => {
    const lines = fc.tuple(
      fc.array(
        json.map((text) => text.replace(/[\r\n]/g, ' ')),
        { maxLength: 5 },
      ),
      fc.constantFrom('\n', '\r\n', '\n\n'),
    );
    expect(
      compare(
        lines.map(([texts, end]) => texts.join(end)),
        'ndjson',
        1_500,
      ).hidden,
    ).toBeGreaterThan(500);
  });

  it('gives the same of event streams', () => {
    const line = fc.constantFrom(
      ...[
        'event: message',
        'id: 7',
        ': note: password=X1',
        'retry: 10',
        'data',
        'data:',
        'data: [DONE]',
        'data: Hi',
      ],
      ...[
        'token: ghp_abcdefghijklmnopqrstuvwxyz',
        ': ping',
        'data: {"a":',
        '',
        'data:{"pin":1}',
        'data: pin=1',
        'data: <password>\ndata: X1</password>',
      ],
    );
    const data = json.map((text) =>
      text
        .split(/\r\n|\n|\r/)
        .map((part) => `data: ${part}`)
        .join('\n'),
    );
    const events = fc
      .tuple(
        fc.array(
          fc.oneof(
            line,
            data,
            fc.tuple(data, fc.constant('')).map((lines) => lines.join('\n')),
          ),
          {
            maxLength: 5,
          },
        ),
        fc.constantFrom('\n', '\n\n', '\n', '\r\n', '\r'),
        fc.constantFrom('', '', '\ufeff'),
      )
      .map(([lines, end, mark]) => mark + lines.map((each) => each + end).join(''));
    expect(compare(events, 'sse', 1_500).hidden).toBeGreaterThan(500);
  });

  it('is tried on bodies of both kinds: those that it lets pass, and those that it leaves to the walk', () => {
    const context = {
      names: createNameRules(),
      shapes: createValueShapes(),
      paths: createPathRules(),
      harmlessKeys: createHarmlessKeys(),
      harmlessFields: new HarmlessFields(),
      cleanBodies: new CleanBodies(),
      redactString,
    };
    const isClean = (body: string): boolean => {
      const bytes = Buffer.from(body);
      const text = bytes.toString('latin1');
      return !context.shapes.mayHoldUnmarked(text) && isCleanJson(bytes, text, 0, bytes.length, context);
    };
    const passed = fc.sample(json, { numRuns: 2_000, seed: SEED }).filter(isClean).length;
    expect(passed).toBeGreaterThan(400);
    expect(passed).toBeLessThan(1_600);
  });
});
