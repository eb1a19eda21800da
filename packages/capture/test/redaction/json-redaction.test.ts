import fc from 'fast-check';
import { redactBody, redactValue } from './redact';

const R = '[REDACTED]';

describe('redaction of JSON', () => {
  it('hides strings, numbers, objects and arrays under a secret name, and nothing that says nothing', () => {
    const body = {
      password: 'hunter2',
      pin: 1234,
      secret: { a: 1, b: ['x'] },
      token: ['a', 'b'],
      cvv: -0.5e3,
      users: [{ password: 'x' }, { password: true }, { password: null }, { password: '' }, { secret: {} }],
    };
    expect(redactValue(body)).toEqual({
      value: {
        password: R,
        pin: R,
        secret: R,
        token: R,
        cvv: R,
        users: [{ password: R }, { password: true }, { password: null }, { password: '' }, { secret: {} }],
      },
      places: ['password', 'pin', 'secret', 'token', 'cvv', 'users[0].password'].map(
        (name) => `request.body.${name}`,
      ),
    });
  });

  it('takes numbers under a plural for counts', () => {
    const counts = {
      tokens: 12,
      usage: { tokens: { prompt: 1, completion: 2 } },
      secrets: 'read',
      ids: { tokens: [1, 2] },
    };
    expect(redactValue(counts)).toEqual({ value: counts, places: [] });
    expect(redactValue({ tokens: ['a'], secrets: { a: 'x' }, apiKeys: { pin: 1 } }).value).toEqual({
      tokens: R,
      secrets: R,
      apiKeys: R,
    });
  });

  it('walks into an object under a word that may name a thing', () => {
    expect(redactValue({ session: { id: 1, password: 'x' }, auth: ['a', 'b'], cookie: 'a=b' })).toEqual({
      value: { session: { id: 1, password: R }, auth: R, cookie: R },
      places: ['request.body.session.password', 'request.body.auth', 'request.body.cookie'],
    });
  });

  it('keeps every other byte', () => {
    const body =
      '\ufeff {"big":12345678901234567890.10e+5 ,\t"a":1,"a":2,"__proto__":{"x":"\\u00e9é\\/"},"password" : "x\\"y" ,\r\n"z":[ ]} \n';
    const expected = body.replace('"x\\"y"', `"${R}"`);
    expect(redactBody(body, 'json').text).toBe(expected);
    const clean = Buffer.from('{"a": "ä😀\\ud800", "b" :[1,2 , 3]}');
    expect(redactBody(clean, 'json').text).toBe(clean.toString());
  });

  it.each(['__proto__', 'constructor', 'a.b', 'a b', 'a"b', 'é', '[0]', ''])(
    'walks through the key %j',
    (key) => {
      const body = `{${JSON.stringify(key)}:{"password":"hunter2"}}`;
      expect(redactBody(body, 'json').text).toBe(body.replace('hunter2', R));
    },
  );

  it('reads names behind escapes', () => {
    expect(redactBody('{"p\\u0061ssword":"hunter2"}', 'json').text).toBe(`{"p\\u0061ssword":"${R}"}`);
  });

  it('takes a top-level value of any type', () => {
    for (const body of ['1', '"a"', 'null', '[]', '{}', ' true ', '[{"password":1}]', '']) {
      expect(redactBody(body, 'json').text).toBe(body.replace('"password":1', `"password":"${R}"`));
    }
    expect(redactBody('4111111111111111', 'json')).toMatchObject({
      text: `"${R}"`,
      places: ['request.body'],
    });
  });

  it.each([
    '{',
    '{"a":1}}',
    '{"a":01}',
    "{'a':1}",
    '{"a":1,}',
    '[1 2]',
    '"\n"',
    '"\\x"',
    'nul',
    '{"a"}',
    '+1',
    '\xa0',
  ])('drops the complete body %j, which is no JSON', (body) => {
    expect(redactBody(body, 'json')).toEqual({
      text: undefined,
      isCut: false,
      reason: 'unparsable',
      places: [],
    });
  });

  it('drops a complete body that is no UTF-8', () => {
    expect(redactBody(Buffer.from('7b2261223a22ff227d', 'hex'), 'json').reason).toBe('unparsable');
  });

  it('agrees with JSON.parse on what is JSON', () => {
    const fragment = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        '"a"',
        '1',
        '-',
        '0',
        '.5',
        'e3',
        'true',
        'null',
        ' ',
        '\n',
        '\u0000',
        'é',
        '\\u12',
        '\\n',
      ],
    );
    const text = fc.oneof(
      fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join('')),
      fc.json(),
    );
    fc.assert(
      fc.property(text, (body) => {
        let isJson = true;
        try {
          JSON.parse(body);
        } catch {
          isJson = false;
        }
        if (body.trim() === '') return;
        expect(redactBody(body, 'json').text !== undefined).toBe(isJson);
      }),
      { numRuns: 3000 },
    );
  });

  it('hides secrets by shape in values and keys', () => {
    const token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';
    const { value, places } = redactValue({
      note: `use ${token}!`,
      [token]: 1,
      list: [['4111 1111 1111 1111']],
    });
    expect(value).toEqual({ note: `use ${R}!`, [R]: 1, list: [[R]] });
    expect(places).toEqual(['request.body.note', 'request.body.list[0][0]']);
    expect(redactBody('{"card":4111111111111111,"id":4111111111111112}', 'json').text).toBe(
      `{"card":"${R}","id":4111111111111112}`,
    );
    expect(
      redactBody('{"a":"\\u0067hp_abcdefghijklmnopqrstuvwxyz","u":"postgres:\\/\\/u:p4ss@h\\/d"}', 'json')
        .text,
    ).not.toMatch(/ghp_|p4ss/);
  });

  it('looks into JSON, queries and assignments within strings, three levels deep', () => {
    const inner = JSON.stringify({ password: 'hunter2', n: 1 });
    const args = { tool: { arguments: inner } };
    expect(redactValue(args)).toEqual({
      value: { tool: { arguments: `{"password":"${R}","n":1}` } },
      places: ['request.body.tool.arguments.password'],
    });
    const nested = JSON.stringify({ a: JSON.stringify({ b: inner }) });
    expect(JSON.stringify(redactValue({ x: nested }).value)).not.toContain('hunter2');
    expect(
      redactValue({
        u: 'https://h/p?a=1&token=hunter2#x',
        f: 'a=1&password=hunter2',
        c: 'Server=x;Password=hunter2;',
      }).value,
    ).toEqual({
      u: `https://h/p?a=1&token=${R}#x`,
      f: `a=1&password=${R}`,
      c: `Server=x;Password=${R};`,
    });
    expect(redactValue({ x: '{"password":"hunter2", broken' }).value).toEqual({
      x: `{"password":"${R}", broken`,
    });
  });

  it('is idempotent', () => {
    const once = redactBody('{"password":"x","u":"http://a:b@c/?token=1","p":[1,{"pin":2}]}', 'json');
    expect(redactBody(once.text ?? '', 'json').text).toBe(once.text);
  });

  it('hides exact places by rule, booleans too', () => {
    const rules = {
      paths: [
        'request.body.user.email',
        'request.body.items[].iban',
        'request.body.list[1]',
        'response.body.x',
      ],
    };
    const body = {
      user: { email: 'a@b.c', name: 'x' },
      items: [{ iban: true }, { iban: null, a: 1 }],
      list: [1, { a: 1 }, 3],
      x: 1,
    };
    expect(redactValue(body, rules)).toEqual({
      value: {
        user: { email: R, name: 'x' },
        items: [{ iban: R }, { iban: null, a: 1 }],
        list: [1, R, 3],
        x: 1,
      },
      places: ['request.body.user.email', 'request.body.items[0].iban', 'request.body.list[1]'],
    });
    expect(redactBody('[1]', 'json', { rules: { paths: ['request.body'] } }).text).toBe(`"${R}"`);
    expect(redactValue({ a: {}, b: true }, { paths: ['request.body.a'] }).value).toEqual({ a: {}, b: true });
  });

  it('takes patterns of the program, numbers included', () => {
    const rules = { patterns: [/\bEMP-\d+/, /^\d{5}$/y, /x*/] };
    expect(redactValue({ a: 'is EMP-12 and EMP-3', n: 12345, m: 123 }, rules).value).toEqual({
      a: `is ${R} and ${R}`,
      n: R,
      m: 123,
    });
  });

  it('walks 100,000 levels and 200,000 keys', () => {
    const deep = `${'['.repeat(100_000)}{"password":"x"}${']'.repeat(100_000)}`;
    expect(redactBody(deep, 'json').text).toBe(deep.replace('"x"', `"${R}"`));
    const objects = `${'{"a":'.repeat(100_000)}"x"${'}'.repeat(100_000)}`;
    expect(redactBody(objects, 'json').text).toBe(objects);
    const wide = `{${Array.from({ length: 200_000 }, (_, at) => `"name_${at}":${at}`).join(',')}}`;
    expect(redactBody(wide, 'json').text).toBe(wide);
  });

  it('reports bounded paths without secrets', () => {
    const token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';
    const { places } = redactValue({
      [token]: { password: 'x' },
      ['k'.repeat(500)]: { ['\0\ud800']: { pin: 1 } },
    });
    expect(places[0]).toBe(`request.body.${R}.password`);
    expect(places[1]).toHaveLength(256);
    expect(redactValue({ 'a.b': { 'c"': { pin: 1 } } }).places).toEqual(['request.body["a.b"]["c\\""].pin']);
  });
});

const SECRET_NAME = fc.constantFrom(
  'password',
  'apiKey',
  'client_secret',
  'X-Token',
  'AUTHORIZATION',
  'pin',
  'creditCard',
);
const plainName = fc.constantFrom('a', 'items', 'data', 'x y', '__proto__', 'tokenCount', 'é');
const plainText = fc.string({ unit: fc.constantFrom(...'abcXYZ 019.,;:-_/"\\\n{}[]é😀'), maxLength: 12 });
const plainValue = fc
  .object({
    key: plainName,
    values: [plainText, fc.integer({ min: -99_999, max: 99_999 }), fc.boolean(), fc.constant(null)],
    maxDepth: 3,
  })
  .map((value): unknown => value);
const secretText = fc.string({ unit: 'grapheme', minLength: 8, maxLength: 30 }).map((text) => `S3${text}Z9`);

/** JSON with secrets under secret names somewhere within, and the same with what they should become. */
const planted = fc
  .tuple(
    fc.array(fc.tuple(plainName, plainValue), {
      maxLength: 3,
    }),
    SECRET_NAME,
    secretText,
    fc.array(fc.constantFrom('object', 'array'), { maxLength: 4 }),
    fc.constantFrom('string', 'object', 'array'),
  )
  .map(([around, name, secret, wrappers, form]) => {
    const build = (hidden: unknown): string => {
      let text = `{${[
        ...around.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`),
        `${JSON.stringify(name)}:${JSON.stringify(hidden)}`,
      ].join(',')}}`;
      for (const wrapper of wrappers)
        text = wrapper === 'array' ? `[1,${text},"x"]` : `{"in":${text},"n":null}`;
      return text;
    };
    const value = form === 'string' ? secret : form === 'array' ? [secret, 1] : { inner: secret };
    return { body: build(value), expected: build(R), secret };
  });

describe('redaction of random JSON', () => {
  it('leaves no secret, changes nothing else, parses, and is idempotent', () => {
    fc.assert(
      fc.property(planted, ({ body, expected, secret }) => {
        const { text, places } = redactBody(body, 'json');
        expect(text).toBe(expected);
        expect(text).not.toContain(secret);
        expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
        expect(text).not.toContain(encodeURIComponent(secret));
        expect(places).toHaveLength(1);
        expect(redactBody(text ?? '', 'json').text).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves no four characters of a secret in any prefix', () => {
    const secret = 'qZ7-wK4+vX1';
    const bodies = [
      `{"a":"é😀","password":"${secret}","b":[1,2]}`,
      `{"users":[{"n":1,"secret":{"deep":["${secret}"]}},{"token":["${secret}"]}],"z":12}`,
      `{"args":${JSON.stringify(JSON.stringify({ password: secret }))},"u":"https://u:${secret}@h/?token=${secret}"}`,
      `{"pin":12345678901,"card":4111111111111111}`,
      `{"p\\u0061ssword" : "${secret}" , "x":true}`,
    ];
    for (const body of bodies) {
      const bytes = Buffer.from(body);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const redacted = redactBody(bytes.subarray(0, cut), 'json', { isComplete: false });
        const text = redacted.text ?? '';
        for (let at = 0; at + 4 <= secret.length; at += 1)
          expect(text).not.toContain(secret.slice(at, at + 4));
        expect(text).not.toMatch(/1234|4111|1111/);
        // What is kept is the beginning of what the whole body becomes.
        expect((redactBody(bytes, 'json').text ?? '').startsWith(text)).toBe(true);
      }
    }
  });

  it('keeps a cut body to its last complete token', () => {
    const cut = (body: string): string | undefined => redactBody(body, 'json', { isComplete: false }).text;
    expect(cut('{"a":1,"b":[1,2')).toBe('{"a":1,"b":[1,');
    expect(cut('{"a":1,"b":"hal')).toBe('{"a":1,"b":');
    expect(cut('{"a":1,"password":')).toBe('{"a":1,');
    expect(cut('{"a":1,"password":{"x":"y"')).toBe('{"a":1,');
    expect(cut('{"a":tru')).toBe('{"a":');
    expect(cut('not json')).toBe('');
    expect(redactBody('{"a":1}', 'json', { isComplete: false })).toMatchObject({
      text: '{"a":1}',
      isCut: false,
    });
    expect(redactBody('{"a":1', 'json', { isComplete: false }).isCut).toBe(true);
    expect(redactBody(Buffer.from('{"a":"é').subarray(0, -1), 'json', { isComplete: false }).text).toBe(
      '{"a":',
    );
  });
});
