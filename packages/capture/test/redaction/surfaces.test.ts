import { createRedactor } from '../../src/redaction/create-redactor';
import type { HeaderList } from '../../src/exchange';
import { redactBody } from './redact';

const R = '[REDACTED]';
const redactor = createRedactor();
const TOKEN = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';

function headers(...list: [string, string][]): { headers: HeaderList; places: string[] } {
  const places: string[] = [];
  return { headers: redactor.headers('request', list, (path) => places.push(path)), places };
}

function header(name: string, value: string): string | undefined {
  return headers([name, value]).headers[0]?.[1];
}

function query(text: string): { text: string; places: string[] } {
  const places: string[] = [];
  return { text: redactor.query(text, (path) => places.push(path)), places };
}

function path(text: string, parameters: Record<string, string> = {}): { text: string; places: string[] } {
  const places: string[] = [];
  return { text: redactor.path(text, parameters, (place) => places.push(place)), places };
}

const text = (body: string): string => redactor.text(body, 'error.message', () => undefined);

describe('redaction of header fields', () => {
  it('keeps the scheme of an authorization, and nothing else of it', () => {
    expect(header('Authorization', 'Bearer abc')).toBe(`Bearer ${R}`);
    expect(header('authorization', 'Digest username="ann", response="x"')).toBe(`Digest ${R}`);
    expect(header('Proxy-Authorization', 'Basic YTpi')).toBe(`Basic ${R}`);
    expect(header('Authorization', 'correct horse battery')).toBe(R);
    expect(header('Authorization', 'raw-token')).toBe(R);
  });

  it('keeps the names of cookies and the attributes of those that are set', () => {
    expect(header('Cookie', 'a=1; connect.sid=s%3Aabc; b=; c')).toBe(`a=${R}; connect.sid=${R}; b=; ${R}`);
    expect(header('Set-Cookie', 'sid=abc=d; Path=/; Max-Age=3; HttpOnly; SameSite=Lax; Secret=x')).toBe(
      `sid=${R}; Path=/; Max-Age=3; HttpOnly; SameSite=Lax; Secret=${R}`,
    );
  });

  it('judges a value under each name it comes with, however often it came before', () => {
    for (const round of [1, 2]) {
      expect([round, header('x-trace', 'abc123')]).toEqual([round, 'abc123']);
      expect([round, header('x-api-key', 'abc123')]).toEqual([round, R]);
      expect([round, header('x-note', TOKEN)]).toEqual([round, R]);
    }
    expect(headers(['x-trace', 'abc123'], ['x-trace', 'abc124'])).toEqual({
      headers: [
        ['x-trace', 'abc123'],
        ['x-trace', 'abc124'],
      ],
      places: [],
    });
  });

  it('hides a field by its place on one side, and shows it on the other', () => {
    const { headers: redact } = createRedactor({ paths: ['response.headers.x-trace'] });
    const list: HeaderList = [['x-trace', 'abc123']];
    const shown = (side: 'request' | 'response') => redact(side, list, () => undefined)[0]?.[1];
    expect([shown('request'), shown('response'), shown('request')]).toEqual(['abc123', R, 'abc123']);
  });

  it.each([
    'x-api-key',
    'X-Auth-Token',
    'x-auth-user',
    'X-CSRF-Token',
    'X-XSRF-TOKEN',
    'X-Amz-Security-Token',
    'Sec-WebSocket-Key',
    'X-Forwarded-Client-Cert',
    'PHP-AUTH-PW',
    'X-Vault-Token',
    'Ocp-Apim-Subscription-Key',
    'X-Goog-Api-Key',
    'X-RapidAPI-Key',
    'X-Session-Id',
    'x-hub-signature-256',
    'DPoP',
    'Api-Key',
  ])('hides %s', (name) => {
    expect(header(name, 'hunter2')).toBe(R);
  });

  it.each([
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Allow-Headers', 'authorization, x-api-key'],
    ['WWW-Authenticate', 'Bearer realm="x"'],
    ['X-RateLimit-Remaining-Tokens', '149984'],
    ['x-ratelimit-reset-tokens', '6m0s'],
    ['Authority', 'example.com'],
    ['X-Request-Id', '550e8400-e29b-41d4-a716-446655440000'],
    ['Referer', 'https://example.com/a?b=1#c'],
    ['X-Recap-Session', '0199f0c2'],
    ['X-Api-Key', ''],
  ])('leaves %s: %s', (name, value) => {
    expect(header(name, value)).toBe(value);
  });

  it.each([
    'Referer',
    'Location',
    'Content-Location',
    'Origin',
    'X-Original-URL',
    'X-Forwarded-Uri',
    'Link',
    'Refresh',
  ])('hides secrets in the URL of %s', (name) => {
    expect(header(name, 'https://u:p4ss@h/p?token=hunter2&a=1#access_token=hunter3&x=2')).toBe(
      `https://${R}@h/p?token=${R}&a=1#access_token=${R}&x=2`,
    );
    expect(header(name, '<https://h/?sig=hunter2>; rel="next"')).toBe(`<https://h/?sig=${R}>; rel="next"`);
    expect(header(name, '/cb?code=hunter2&state=xyz')).toBe(`/cb?code=${R}&state=xyz`);
    expect(header(name, '0; url=https://h/?next=https%3A%2F%2Fi%3Ftoken%3Dhunter2')).not.toContain('hunter2');
  });

  it('takes any name for data, keeps order, and reports a field once', () => {
    const result = headers(
      ['__proto__', 'x'],
      ['Cookie', 'a=b; c=d'],
      ['cookie', 'e=f'],
      ['X-Note', `${TOKEN} ${TOKEN}`],
    );
    expect(result.headers).toEqual([
      ['__proto__', 'x'],
      ['Cookie', `a=${R}; c=${R}`],
      ['cookie', `e=${R}`],
      ['X-Note', `${R} ${R}`],
    ]);
    expect(result.places).toEqual(['cookie', 'cookie', 'x-note'].map((name) => `request.headers.${name}`));
  });
});

describe('redaction of queries and forms', () => {
  it('hides values by decoded names and leaves all other bytes', () => {
    expect(
      query('a=1&pass%77ord=x+y&user[password]=%zz&b=%E4&c&=d&token=&a.apiKey=1&access+token=q&%'),
    ).toEqual({
      text: `a=1&pass%77ord=${R}&user[password]=${R}&b=%E4&c&=d&token=&a.apiKey=${R}&access+token=${R}&%`,
      places: ['password', 'user[password]', 'a.apiKey', 'access token'].map(
        (name) => `request.query.${name}`,
      ),
    });
  });

  it('hides the code of an OAuth callback only', () => {
    expect(query('code=abc&state=x').text).toBe(`code=${R}&state=x`);
    expect(query('code=abc').text).toBe('code=abc');
    expect(redactBody('grant_type=authorization_code&code=abc&code_verifier=x', 'form').text).toBe(
      `grant_type=authorization_code&code=${R}&code_verifier=${R}`,
    );
  });

  it('hides secrets by shape and within values', () => {
    expect(
      query(`q=${TOKEN}&u=http%3A%2F%2Fa%3Ab%40c%2F&j=%7B%22password%22%3A%22hunter2%22%7D`).text,
    ).not.toMatch(/ghp_|a%3Ab%40|hunter2/);
    expect(query('card=4111+1111+1111+1111').text).toBe(`card=${R}`);
  });

  it('drops the last pair of a form that goes on', () => {
    const cut = (body: string): string | undefined => redactBody(body, 'form', { isComplete: false }).text;
    expect(cut('a=1&password=hunt')).toBe('a=1');
    expect(cut('a=1&b=2&pass')).toBe('a=1&b=2');
    expect(cut('password=hunt')).toBe('');
  });

  it('redacts JSON that was sent as a form or as text', () => {
    for (const kind of ['form', 'text'] as const) {
      expect(redactBody('{"password":"a&b=c d"}', kind).text).toBe(`{"password":"${R}"}`);
      expect(redactBody('{"a":1,"password":"a b', kind, { isComplete: false }).text).toBe('{"a":1,');
    }
  });
});

describe('redaction of paths', () => {
  it('tries a pattern of the program’s own on each segment', () => {
    const { path: redact } = createRedactor({ patterns: [/^\d{6}$/] });
    expect(redact('/pins/123456/use', {}, () => undefined)).toBe(`/pins/${R}/use`);
  });

  it('hides the values of parameters with a secret name', () => {
    expect(path('/reset/abc/x/abc', { token: 'abc', id: 'x' })).toEqual({
      text: `/reset/${R}/x/${R}`,
      places: ['request.path.token'],
    });
    expect(path('/reset/a%20b%2Fc', { token: 'a b/c' }).text).toBe(`/reset/${R}`);
    expect(path('/reset/a%20b', { token: 'a%20b' }).text).toBe(`/reset/${R}`);
    expect(path('/f/x.s3cr', { name: 'x', token: 's3cr' }).text).toBe(`/f/x.${R}`);
    expect(path('/f/a/b/c', { token: 'a/b' }).text).toBe(`/f/${R}/c`);
    expect(path('/f/a', { token: '' }).text).toBe('/f/a');
  });

  it('hides secrets by shape and matrix parameters', () => {
    expect(path(`/x/${TOKEN}/y`)).toEqual({ text: `/x/${R}/y`, places: ['request.path'] });
    expect(path('/x/%67hp_abcdefghijklmnopqrstuvwxyz0123456789').text).toBe(`/x/${R}`);
    expect(path('/x;jsessionid=ABC123').text).toBe(`/x;jsessionid=${R}`);
    expect(path('/a%zz/b%E4').text).toBe('/a%zz/b%E4');
  });
});

describe('redaction of text', () => {
  it.each([
    ['password=hunter2 rest', `password=${R} rest`],
    ['password: hunter2', `password: ${R}`],
    ['Password: see the manual\nnext', `Password: ${R} the manual\nnext`],
    ['Note on tokens: they are cheap', `Note on tokens: ${R} are cheap`],
    ['(password: hunter2), then', `(password: ${R}), then`],
    ['token: Bearer abc def', `token: ${R} def`],
    ['Cookie: a=b; c=d\r\nHost: h', `Cookie: ${R}\r\nHost: h`],
    ["-H 'Cookie: a=b; c=d' -H 'Accept: x'", `-H 'Cookie: ${R}' -H 'Accept: x'`],
    [
      'query($password: String!){login(password: "x y")}',
      `query($password: String!){login(password: "${R}")}`,
    ],
    [
      '{&quot;token&quot;:&quot;x y&quot;,&quot;a&quot;:1}',
      `{&quot;token&quot;:&quot;${R}&quot;,&quot;a&quot;:1}`,
    ],
    ['<input name="token" value="x y" class="z">', `<input name="token" value="${R}" class="z">`],
    [
      '<input value="x y" name="a"><input value=z name=pin>',
      `<input value="x y" name="a"><input value=${R} name=pin>`,
    ],
    ['<meta content="x" name="csrf-token"/>', `<meta content="${R}" name="csrf-token"/>`],
    ['{"password": "hun\\"ter2", "a": "b"', `{"password": "${R}", "a": "b"`],
    ["{'apiKey': 'x y', 'a': 1}", `{'apiKey': '${R}', 'a': 1}`],
    ['{\\"token\\": \\"x y\\", \\"a\\": 1}', `{\\"token\\": \\"${R}\\", \\"a\\": 1}`],
    ['"password" => "x y"', `"password" => "${R}"`],
    ['Server=db;User Id=sa;Password=hunter2;Timeout=3', `Server=db;User Id=sa;Password=${R};Timeout=3`],
    ['Authorization: Bearer abc', `Authorization: ${R}`],
    ['token=Bearer abc def', `token=${R} def`],
    ['<a><password>hunter2</password><b>c</b></a>', `<a><password>${R}</password><b>c</b></a>`],
    ['<w:Password Type="x"><![CDATA[hunter2]]></w:Password>', `<w:Password Type="x">${R}</w:Password>`],
    ['<u password="x y" a="b"/>', `<u password="${R}" a="b"/>`],
    ['<password>hunter2', `<password>${R}`],
    [
      'mutation { login(user: "a", password: "x y") { ok } }',
      `mutation { login(user: "a", password: "${R}") { ok } }`,
    ],
    ['https://h/?token=x&a=1 is it', `https://h/?token=${R}&a=1 is it`],
    [`see ${TOKEN}.`, `see ${R}.`],
    ['secret: ["a", "b"] end', `secret: ${R} end`],
    ['"password":\n  "x"', `"password":\n  "${R}"`],
  ])('hides the secret in %s', (body, expected) => {
    expect(text(body)).toBe(expected);
    expect(text(expected)).toBe(expected);
  });

  it.each([
    'author: ann',
    'tokens: 12',
    'http://h/token/x',
    'token_type: bearer',
    'password: true',
    'password=',
    '<tokens>5</tokens>',
    'plain words, nothing else',
    '<input name="token_type" value="bearer">',
    '<meta name="description" content="about passwords">',
    '<name>ann</name><value>x</value>',
    'at 2024-01-01T10:00:00Z, see https://h/token',
  ])('leaves %s', (body) => {
    expect(text(body)).toBe(body);
  });

  it('lets bytes that are no UTF-8 survive', () => {
    const body = Buffer.concat([
      Buffer.from([0xff, 0xe4]),
      Buffer.from('password=x '),
      Buffer.from([0x80, 0xc3]),
    ]);
    const redacted = redactor.body('request', body, 'text', true, () => undefined).bytes;
    expect(redacted).toEqual(
      Buffer.concat([Buffer.from([0xff, 0xe4]), Buffer.from(`password=${R} `), Buffer.from([0x80, 0xc3])]),
    );
    expect(redactBody('é password=x ü', 'text').text).toBe(`é password=${R} ü`);
  });

  it('leaves no four characters of a secret in any prefix', () => {
    const secret = 'qZ7wK4vX1b';
    const bodies = [
      `hello é password=${secret} and more`,
      `a: b\npassword: ${secret}\nnext`,
      `<a><secret>${secret}</secret></a>`,
      `"token": "${secret}", x`,
      `url postgres://u:${secret}@h/ end`,
      `Authorization: Bearer ${secret} `,
    ];
    for (const body of bodies) {
      for (let cut = 0; cut <= body.length; cut += 1) {
        const kept = redactBody(Buffer.from(body).subarray(0, cut), 'text', { isComplete: false }).text ?? '';
        for (let at = 0; at + 4 <= secret.length; at += 1)
          expect(kept).not.toContain(secret.slice(at, at + 4));
      }
    }
    for (const card of ['paid 4111 1111 1111 1111 thanks', 'paid 4111111111111111 thanks']) {
      for (let cut = 0; cut <= card.length; cut += 1) {
        expect(redactBody(card.slice(0, cut), 'text', { isComplete: false }).text).not.toMatch(/1111/);
      }
    }
  });
});

describe('redaction of lines', () => {
  it('redacts each line of NDJSON and keeps a broken one to its last token', () => {
    const body =
      '{"password":"a"}\r\n\n{"a":1,"b":tru\n{"token":"x"} \n\x1e{"pin":1}\n{"a":"x","secret":"hun';
    expect(redactBody(body, 'ndjson', { isComplete: false })).toEqual({
      text: `{"password":"${R}"}\r\n\n{"a":1,"b":\n{"token":"${R}"} \n\x1e{"pin":"${R}"}\n{"a":"x",`,
      isCut: true,
      reason: undefined,
      places: ['request.body[0].password', 'request.body[3].token', 'request.body[4].pin'],
    });
    expect(redactBody('{"a":1}\n12', 'ndjson')).toMatchObject({ text: '{"a":1}\n12', isCut: false });
    expect(redactBody('{"a":1}\n12', 'ndjson', { isComplete: false }).text).toBe('{"a":1}\n');
  });

  it('redacts the data of an event stream', () => {
    const body = [
      'event: message',
      'data: {"token":"x","a":1}',
      '',
      ': password=hunter2 in a comment',
      'data:{',
      'data: "password":',
      'data: "hunter2"}',
      '',
      'data: [DONE]',
      '',
      'data: plain password=hunter2 text',
      '',
      '',
    ].join('\n');
    const redacted = redactBody(body, 'sse');
    expect(redacted.text).not.toContain('hunter2');
    expect(redacted.text).toContain(`data: {"token":"${R}","a":1}\n\n`);
    expect(redacted.text).toContain(`data:{\ndata: "password":\ndata: "${R}"}\n\n`);
    expect(redacted.text).toContain('data: [DONE]\n\n');
    expect(redacted.text).toContain(`data: plain password=${R} text\n\n`);
    expect(redacted.isCut).toBe(false);
    expect(redacted.places[0]).toBe('request.body[0].token');
  });

  it('leaves a clean event stream byte for byte', () => {
    for (const body of [
      'data: {"a": 1}\r\n\r\ndata: x\r\rid: 1\n',
      ':ok\n\n',
      '',
      'data',
      '\ufeffdata: {"é":1}\n\n',
    ]) {
      expect(redactBody(body, 'sse').text).toBe(body);
    }
  });

  it('leaves no four characters of a secret in any prefix', () => {
    const secret = 'qZ7wK4vX1b';
    const stream = `data: {"a":1}\n\ndata: {"password":"${secret}","b":2}\n\nevent: x\ndata: token=${secret} y\n\n`;
    const lines = `{"a":1}\n{"secret":["${secret}"],"b":2}\n`;
    for (const [body, kind] of [
      [stream, 'sse'],
      [lines, 'ndjson'],
    ] as const) {
      for (let cut = 0; cut <= body.length; cut += 1) {
        const kept = redactBody(body.slice(0, cut), kind, { isComplete: false }).text ?? '';
        for (let at = 0; at + 4 <= secret.length; at += 1)
          expect(kept).not.toContain(secret.slice(at, at + 4));
      }
    }
  });
});

describe('other kinds', () => {
  it('passes binary and multipart bodies unchanged', () => {
    const bytes = Buffer.from('password=hunter2');
    for (const kind of ['binary', 'multipart'] as const) {
      expect(redactor.body('response', bytes, kind, true, () => undefined).bytes).toBe(bytes);
    }
  });
});
