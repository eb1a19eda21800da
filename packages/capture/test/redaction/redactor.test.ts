import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BodyKind } from '../../src/body-kind';
import { createRedactor } from '../../src/redaction/create-redactor';
import { redactBody } from './redact';

const R = '[REDACTED]';
const redactor = createRedactor();
const SECRET = 'c4n4ry-Value_7';
const ignore = (): void => undefined;

const inBody = (kind: BodyKind, body: string): string => redactBody(body, kind).text ?? '';
const inHeader = (name: string, value: string): string =>
  JSON.stringify(redactor.headers('response', [[name, value]], ignore));
const inMetadata = (metadata: Record<string, unknown>): string =>
  JSON.stringify(redactor.metadata(metadata, ignore));
const inText = (text: string): string => redactor.text(text, 'error.message', ignore);
const inPath = (path: string, parameters: Record<string, string>): string =>
  redactor.path(path, parameters, ignore);
const encoded = encodeURIComponent(SECRET);

/** One secret, in each place where a program might put it. */
const PLACES: Record<string, () => string> = {
  'JSON password': () => inBody('json', `{"password":"${SECRET}"}`),
  'JSON in an array at the root': () => inBody('json', `[[{"apiKey":"${SECRET}"}]]`),
  'JSON deep': () => inBody('json', `{"a":{"b":[{"c":{"client_secret":"${SECRET}"}}]}}`),
  'JSON whole object': () => inBody('json', `{"credentials":{"x":"${SECRET}","y":["${SECRET}"]}}`),
  'JSON plural': () => inBody('json', `{"refreshTokens":["${SECRET}"]}`),
  'JSON upper case': () => inBody('json', `{"AWS_SECRET_ACCESS_KEY":"${SECRET}"}`),
  'JSON duplicate key': () => inBody('json', `{"token":"a","token":"${SECRET}"}`),
  'JSON escaped name': () => inBody('json', `{"\\u0074oken":"${SECRET}"}`),
  'JSON under __proto__': () => inBody('json', `{"__proto__":{"token":"${SECRET}"}}`),
  'JSON tool call': () => inBody('json', JSON.stringify({ arguments: JSON.stringify({ password: SECRET }) })),
  'JSON tool call twice': () =>
    inBody('json', JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ password: SECRET }) }) })),
  'JSON URL user': () => inBody('json', `{"db":"postgres://ann:${SECRET}@h/x"}`),
  'JSON URL user with \\/': () => inBody('json', `{"db":"postgres:\\/\\/ann:${SECRET}@h\\/x"}`),
  'JSON URL query': () => inBody('json', `{"next":"https://h/?access_token=${SECRET}&a=1"}`),
  'JSON URL fragment': () => inBody('json', `{"next":"https://h/#access_token=${SECRET}"}`),
  'JSON form in a string': () => inBody('json', `{"body":"a=1&password=${SECRET}"}`),
  'JSON connection string': () => inBody('json', `{"c":"Server=h;Password=${SECRET};x=1"}`),
  'JSON bearer': () => inBody('json', `{"h":"Bearer ${SECRET}"}`),
  'JSON broken inside': () => inBody('json', JSON.stringify({ a: `{"password": "${SECRET}", ...` })),
  'JSON PEM': () =>
    inBody(
      'json',
      JSON.stringify({ a: `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----` }),
    ),
  'JSON within a message': () =>
    inBody('json', JSON.stringify({ message: `login failed, body was {"password":"${SECRET}"}` })),
  'JSON colon in a message': () => inBody('json', JSON.stringify({ message: `password: ${SECRET}` })),
  'JSON GraphQL argument': () =>
    inBody('json', JSON.stringify({ query: `mutation{login(password:"${SECRET}"){ok}}` })),
  'JSON curl': () => inBody('json', JSON.stringify({ curl: `curl -H 'X-Api-Key: ${SECRET}' https://h/` })),
  'JSON curl with cookies': () =>
    inBody('json', JSON.stringify({ curl: `curl -H "Cookie: a=1; sid=${SECRET}" https://h/` })),
  'JSON prompt': () =>
    inBody(
      'json',
      JSON.stringify({ messages: [{ role: 'user', content: `Hi,\nmy api key: ${SECRET}\nbye` }] }),
    ),
  'JSON request dump': () =>
    inBody('json', JSON.stringify({ dump: `GET / HTTP/1.1\r\nAuthorization: Custom a ${SECRET}\r\n\r\n` })),
  'JSON colon behind escapes': () => inBody('json', `{"m":"the p\\u0061ssword: ${SECRET}"}`),
  'JSON colon behind a tab': () => inBody('json', `{"m":"password\\t: ${SECRET}"}`),
  'JSON name and value': () => inBody('json', `[{"name":"password","value":"${SECRET}"}]`),
  'JSON value and name': () => inBody('json', `[{"Value":"${SECRET}","n":1,"Key":"DB_PASSWORD"}]`),
  'JSON name and nested value': () =>
    inBody('json', `{"key":"http.request.header.authorization","value":{"stringValue":"${SECRET}"}}`),
  'JSON value and escaped name': () => inBody('json', `{"value":"${SECRET}","name":"p\\u0061ssword"}`),
  'metadata name and value': () => inMetadata({ tags: [{ key: 'apiKey', value: SECRET }] }),
  'HTML input': () => inBody('text', `<input type="hidden" name="csrf_token" value="${SECRET}">`),
  'HTML input, value first': () => inBody('text', `<input value='${SECRET}' disabled name=csrf_token />`),
  'HTML password': () => inBody('text', `<INPUT TYPE=password NAME=p VALUE=${SECRET}>`),
  'HTML meta': () => inBody('text', `<meta name="csrf-token"\n content="${SECRET}">`),
  'HTML data attribute': () =>
    inBody('text', `<div data-x="{&quot;password&quot;:&quot;${SECRET}&quot;}"></div>`),
  'XML settings': () => inBody('text', `<add key="DbPassword" value="${SECRET}"/>`),
  'XML name and value': () => inBody('text', `<p><name>password</name> <value>${SECRET}</value></p>`),
  'property list': () => inBody('text', `<key>apiKey</key>\n<string>${SECRET}</string>`),
  'JSON sent as text': () => inBody('text', `{"password":"${SECRET}"}`),
  'JSON sent as a form': () => inBody('form', `{"password":"${SECRET}"}`),
  NDJSON: () => inBody('ndjson', `{"a":1}\n{"password":"${SECRET}"}\n`),
  'SSE data': () => inBody('sse', `event: x\ndata: {"password":"${SECRET}"}\n\n`),
  'SSE text': () => inBody('sse', `data: password=${SECRET}\n\n`),
  'SSE comment': () => inBody('sse', `: token=${SECRET}\n\n`),
  form: () => inBody('form', `a=1&password=${encoded}`),
  'form nested': () => inBody('form', `user%5Bpassword%5D=${encoded}`),
  'form dotted': () => inBody('form', `user.apiKey=${encoded}`),
  'form JSON': () => inBody('form', `j=${encodeURIComponent(JSON.stringify({ password: SECRET }))}`),
  'form URL': () => inBody('form', `u=${encodeURIComponent(`https://h/?token=${SECRET}`)}`),
  XML: () => inBody('text', `<r><password>${SECRET}</password></r>`),
  'XML attribute': () => inBody('text', `<r apiKey="${SECRET}"/>`),
  HTML: () => inBody('text', `<a href="/x?token=${SECRET}&amp;a=1">x</a>`),
  YAML: () => inBody('text', `db:\n  password: ${SECRET}\n`),
  dotenv: () => inBody('text', `A=1\nDB_PASSWORD=${SECRET}\n`),
  GraphQL: () => inBody('text', `mutation { login(password: "${SECRET}") }`),
  'error message': () => inText(`login failed: password=${SECRET}`),
  'error URL': () => inText(`connect redis://:${SECRET}@h failed`),
  'error JSON': () => inText(`bad body {"token": "${SECRET}"}`),
  Authorization: () => inHeader('Authorization', `Bearer ${SECRET}`),
  'Authorization unknown': () => inHeader('AUTHORIZATION', SECRET),
  Cookie: () => inHeader('cookie', `a=1; s=${SECRET}`),
  'Set-Cookie': () => inHeader('Set-Cookie', `s=${SECRET}; Path=/`),
  'X-Api-Key': () => inHeader('X-Api-Key', SECRET),
  Referer: () => inHeader('Referer', `https://h/?token=${SECRET}`),
  Location: () => inHeader('Location', `https://a:${SECRET}@h/`),
  'Location fragment': () => inHeader('Location', `/cb#id_token=${SECRET}`),
  'other header': () => inHeader('X-Debug', `password=${SECRET}`),
  query: () => redactor.query(`a=1&api_key=${SECRET}`, ignore),
  'query signature': () => redactor.query(`X-Amz-Signature=${SECRET}`, ignore),
  'query OAuth code': () => redactor.query(`state=x&code=${SECRET}`, ignore),
  'query URL': () => redactor.query(`r=${encodeURIComponent(`https://h/?token=${SECRET}`)}`, ignore),
  'path parameter': () => inPath(`/reset/${SECRET}`, { token: SECRET }),
  'path parameter encoded': () => inPath('/reset/c4n4ry%2DValue_7', { resetToken: SECRET }),
  'path matrix': () => inPath(`/x;jsessionid=${SECRET}`, {}),
  metadata: () => inMetadata({ apiKey: SECRET }),
  'metadata deep': () => inMetadata({ a: [{ b: { password: SECRET } }] }),
  'metadata Map': () => inMetadata({ m: new Map([['token', SECRET]]) }),
  'metadata URL': () => inMetadata({ u: new URL(`https://h/?token=${SECRET}`) }),
  'metadata error': () => inMetadata({ e: new Error(`password=${SECRET}`) }),
};

describe('the redactor', () => {
  it.each(Object.keys(PLACES))('hides a secret planted in: %s', (place) => {
    const stored = PLACES[place]!();
    expect(stored).toContain(R);
    expect(decodeURIComponent(stored)).not.toContain(SECRET);
    expect(stored).not.toContain('c4n4ry');
  });

  it('gives metadata as plain data, whatever is in it', () => {
    const cyclic: Record<string, unknown> = {
      apiKey: 'x',
      big: 1n,
      at: new Date(0),
      call: () => 1,
      text: 'a\0b\ud800',
      model: 'gpt-4',
      tokens: 12,
      get bad(): never {
        throw new Error('no');
      },
    };
    cyclic['self'] = cyclic;
    Object.defineProperty(cyclic, '__proto__', { value: { pin: 1 }, enumerable: true });
    const places: string[] = [];
    const result = redactor.metadata(cyclic, (path) => places.push(path));
    expect(JSON.stringify(result)).toBe(
      `{"apiKey":"${R}","big":"1","at":"1970-01-01T00:00:00.000Z","text":"a\ufffdb\ufffd","model":"gpt-4","tokens":12,` +
        `"bad":"[Unreadable]","self":"[Circular]","__proto__":{"pin":"${R}"}}`,
    );
    expect(places).toEqual(['metadata.apiKey', 'metadata.__proto__.pin']);
    expect(cyclic['apiKey']).toBe('x');
    expect(
      redactor.metadata(
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('no');
            },
          },
        ),
        ignore,
      ),
    ).toEqual({});
  });

  it('hides the places that rules name, on every surface', () => {
    const own = createRedactor({
      paths: [
        'request.query.email',
        'request.headers.x-user',
        'request.path.id',
        'metadata.user.name',
        'request.body.mail',
        'error.message',
      ],
    });
    expect(own.query('email=a%40b&x=1', ignore)).toBe(`email=${R}&x=1`);
    expect(own.headers('request', [['X-User', 'ann']], ignore)).toEqual([['X-User', R]]);
    expect(own.headers('response', [['X-User', 'ann']], ignore)).toEqual([['X-User', 'ann']]);
    expect(own.path('/u/7', { id: '7' }, ignore)).toBe(`/u/${R}`);
    expect(own.metadata({ user: { name: 'ann' } }, ignore)).toEqual({ user: { name: R } });
    expect(own.body('request', Buffer.from('mail=x&a=1'), 'form', true, ignore).bytes?.toString()).toBe(
      `mail=${R}&a=1`,
    );
    expect(own.text('anything', 'error.message', ignore)).toBe(R);
  });

  it('changes none of its arguments', () => {
    const bytes = Buffer.from('{"password":"x"}');
    const headers = Object.freeze([Object.freeze(['Cookie', 'a=b'] as const)]);
    redactor.body('request', bytes, 'json', true, ignore);
    redactor.headers('request', headers, ignore);
    expect(bytes.toString()).toBe('{"password":"x"}');
    expect(headers[0]).toEqual(['Cookie', 'a=b']);
  });

  it.each([
    ['quotes', '"'],
    ['backslashes', '\\'],
    ['digits', '4'],
    ['digits and spaces', '4 '],
    ['digits and dashes', '411-'],
    ['assignments', 'a=a=a='],
    ['secret assignments', 'password='],
    ['secret assignments in quotes', 'password="password=\''],
    ['colons', 'token:token: '],
    ['brackets', '['],
    ['braces', 'token:{'],
    ['JWT beginnings', 'eyJ-'],
    ['URL beginnings', '://a:'],
    ['at signs', '@'],
    ['elements', '<password>'],
    ['attributes', '<a name="password" '],
    ['attributes without ends', "<a b='"],
    ['words in a tag', '<a b   '],
    ['pairs of elements', '<name>password</name>'],
    ['entities', '&quot;password&quot;:'],
    ['cookies', "'Cookie: "],
    ['tokens', 'token: (((('],
    ['closing brackets', 'token: )))))))'],
    ['names and values', '{"value":"x","name":"pin"},'],
    ['NULs', 'password=\0'],
    ['element names', '<password'],
    ['PEM beginnings', '-----BEGIN PRIVATE KEY-----'],
    ['bearers', 'bearer '],
    ['SendGrid', 'SG.aaaaaaaaaaaaaaaaaaaa'],
    ['names', 'aB'],
    ['queries', '?a=1#'],
    ['percent', '%41%zz'],
    ['spaces', ' '],
    ['separators', 'a&;,'],
    ['escapes', '\\"'],
    ['newlines', 'data:\n'],
    ['numbers', '1'],
    ['numbers of other scripts', '٣é'],
  ])(
    'takes time in proportion to 256 KB of %s',
    (_, part) => {
      const text = part.repeat(Math.ceil(262_144 / part.length));
      const before = process.cpuUsage();
      for (const kind of ['text', 'form', 'sse', 'ndjson'] as const)
        redactBody(text, kind, { isComplete: false });
      redactBody(text, 'json', { isComplete: false });
      redactBody(JSON.stringify({ a: text, [text]: 1, [`${text}a`]: Array(5000).fill({ pin: 1 }) }), 'json');
      redactor.query(text, ignore);
      redactor.headers(
        'request',
        [
          ['cookie', text],
          ['referer', text],
          [text, 'x'],
        ],
        ignore,
      );
      redactor.path(text, { token: 'x' }, ignore);
      // Anything quadratic would take minutes, whatever else the machine does.
      expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
    },
    60_000,
  );
});

/** Where something is hidden in real traffic, and why that is right. */
const HIDDEN_IN_WEBHOOKS: Record<string, readonly string[]> = {
  // The secret of a webhook, masked by its sender.
  'meta/deleted': ['request.body.hook.config.secret'],
  'ping/with-organization': ['request.body.hook.config.secret'],
  // A presigned URL: its signature and credential.
  'package/published.npm': ['request.body.package.package_version.package_files[0].download_url'],
};

const WEBHOOKS = resolve(__dirname, '../../../../../shared/data/github-webhooks.ndjson');

describe('redaction of 326 real bodies', () => {
  if (!existsSync(WEBHOOKS)) {
    it('is skipped, since the file of bodies is not here', () => {
      console.warn(`SKIPPED: no ${WEBHOOKS}.`);
      expect(Object.keys(HIDDEN_IN_WEBHOOKS)).toHaveLength(3);
    });
    return;
  }

  it('hides exactly the pinned places and changes nothing else', () => {
    const lines = readFileSync(WEBHOOKS, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const hidden: Record<string, readonly string[]> = {};
    for (const line of lines) {
      const { name, body } = JSON.parse(line) as { name: string; body: unknown };
      const text = JSON.stringify(body);
      const redacted = redactBody(text, 'json');
      if (redacted.places.length > 0) hidden[name] = redacted.places;
      else expect(redacted.text).toBe(text);
      expect(typeof JSON.parse(redacted.text ?? '')).toBe('object');
    }
    expect(lines).toHaveLength(326);
    expect(hidden).toEqual(HIDDEN_IN_WEBHOOKS);
  });
});
