import fc from 'fast-check';
import { expandReferences } from '../../src/manager/expand-references';

const environment = { HOST: 'db1', EMPTY: '', PASSWORD: '$HOST ${HOST} $$', lower: 'low' };

const expand = (text: string, style: 'file' | 'code'): unknown => {
  const { data, problems } = expandReferences({ text }, environment, style);
  return problems.length > 0 ? problems : (data as { text: unknown }).text;
};

describe('expandReferences in a file', () => {
  it.each([
    ['$HOST', 'db1'],
    ['${HOST}', 'db1'],
    ['redis://$HOST:6379', 'redis://db1:6379'],
    ['${HOST}${lower}', 'db1low'],
    ['${NONE:-fall back}', 'fall back'],
    ['${EMPTY:-fall back}', 'fall back'],
    ['${NONE:-}', ''],
    ['${HOST:-fall back}', 'db1'],
    ['$EMPTY', ''],
    ['$$HOST', '$HOST'],
    ['$${HOST}', '${HOST}'],
    ['a$$b', 'a$b'],
    ['5$ or $5', '5$ or $5'],
    ['$', '$'],
    ['none', 'none'],
  ])('reads %s as %j', (text, expected) => {
    expect(expand(text, 'file')).toBe(expected);
  });

  it.each(['$NONE', '${NONE}', 'redis://$NONE', '$PATH_OF_NOTHING'])(
    'names the variable that %s needs',
    (text) => {
      const [name] = /[A-Z_]+$/.exec(text.replace('}', '')) ?? [];
      expect(expand(text, 'file')).toEqual([
        { path: ['text'], message: expect.stringContaining(`variable ${name!} is not set`) },
      ]);
    },
  );

  it.each(['${', '${}', '${1A}', '${A', '${HOST:-${lower}}', '${HOST-x}'])('refuses %s', (text) => {
    expect(expand(text, 'file')).toEqual([{ path: ['text'], message: expect.any(String) }]);
  });
});

describe('expandReferences in a program', () => {
  it.each([
    ['$HOST', 'db1'],
    ['redis://${HOST}:6379', 'redis://db1:6379'],
    ['${NONE:-x}', 'x'],
    ['$${HOST}', '${HOST}'],
  ])('reads %s as %j', (text, expected) => {
    expect(expand(text, 'code')).toBe(expected);
  });

  // Otherwise a password that process.env brought would be changed, and a message would name a part of it.
  it.each(['pa$$word', 'pa$HOST', '$HOST ', 'a$', '$lower', '${', '${1}', '$HOSTess!'])(
    'leaves %s alone',
    (text) => {
      expect(expand(text, 'code')).toBe(text);
    },
  );

  it.each([
    '${HOST',
    'redis://${HOST',
    '${HOST:-x',
    '${HOST} ${lower',
    'p${PASSWORD:-',
    '${HOST:6379',
    '${HOST/$${x',
  ])('refuses %s', (text) => {
    expect(expand(text, 'code')).toEqual([
      { path: ['text'], message: expect.stringContaining('without its end') },
    ]);
  });

  it('leaves every text without "${" and of more than one word alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.includes('${'));
        expect(expand(` ${text}`, 'code')).toBe(` ${text}`);
      }),
    );
  });
});

describe('expandReferences', () => {
  it('reads what a variable brings no second time', () => {
    expect(expand('$PASSWORD', 'file')).toBe(environment.PASSWORD);
    expect(expand('${PASSWORD}', 'code')).toBe(environment.PASSWORD);
  });

  it('finds texts at every depth and in their place, and hands on what is not plain data', () => {
    const client = new (class Client {
      readonly url = '$HOST';
    })();
    const given = { b: ['$HOST', { c: '$lower' }], a: client, n: 5, f: false, z: null };
    const { data } = expandReferences(given, environment, 'file');
    expect(data).toEqual({ b: ['db1', { c: 'low' }], a: client, n: 5, f: false, z: null });
    expect(Object.keys(data as object)).toEqual(['b', 'a', 'n', 'f', 'z']);
    expect((data as { a: unknown }).a).toBe(client);
    expect(given.b).toEqual(['$HOST', { c: '$lower' }]);
  });

  it('makes a key called __proto__ no prototype', () => {
    const { data } = expandReferences(JSON.parse('{"__proto__": {"type": "$HOST"}}'), environment, 'file');
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(Object.keys(data as object)).toEqual(['__proto__']);
  });

  it('takes no value from what every object inherits', () => {
    expect(expandReferences('$constructor', environment, 'file').problems).toHaveLength(1);
  });

  it('says where each missing variable stands', () => {
    const { problems } = expandReferences({ a: { b: '$X' }, c: ['$Y'] }, {}, 'file');
    expect(problems.map(({ path }) => path.join('.'))).toEqual(['a.b', 'c.0']);
  });
});
