import fc from 'fast-check';
import { parseMetadataFilters } from '../../src/router/metadata-filters';

function parse(value: unknown) {
  const problems: string[] = [];
  const parsed = parseMetadataFilters(value, (path, message) =>
    problems.push(`${path.join(' > ')}: ${message}`),
  );
  return { ...parsed, problems };
}

describe('parseMetadataFilters', () => {
  it.each(['gpt-4', 100, -0.5, true, false, null, ''])('takes %j as what the key must equal', (value) => {
    expect(parse({ model: value })).toEqual({
      problems: [],
      sessionId: undefined,
      filters: [{ key: 'model', conditions: [{ path: ['model'], operator: 'eq', value }] }],
    });
  });

  it('reads every operator', () => {
    const { problems, filters } = parse({
      'usage.tokens': {
        eq: 1,
        ne: null,
        gt: 1,
        gte: 'a',
        lt: 2,
        lte: 3,
        in: [1, '1', null],
        exists: true,
        contains: 'x',
      },
    });
    expect(problems).toEqual([]);
    expect(filters[0]?.conditions.map(({ operator }) => operator).join(' ')).toBe(
      'eq ne gt gte lt lte in exists contains',
    );
    expect(filters[0]?.conditions.every(({ path }) => path.join('/') === 'usage/tokens')).toBe(true);
  });

  it('takes __proto__, constructor and toString for keys like any other', () => {
    const value: unknown = JSON.parse('{"__proto__":1,"constructor":2,"a.__proto__":{"gt":3},"toString":4}');
    expect(parse(value).filters.map(({ key }) => key)).toEqual([
      '__proto__',
      'constructor',
      'a.__proto__',
      'toString',
    ]);
    expect(Object.prototype).not.toHaveProperty('gt');
  });

  it('takes letters of every script', () => {
    expect(parse({ 'größe.名前': 1 }).problems).toEqual([]);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    "a'b",
    'a"b',
    'a%',
    'a$',
    '$.a',
    'a[0]',
    'a/b',
    'a\0',
    'x'.repeat(65),
    'a.'.repeat(40) + 'a',
  ])('refuses the key %j', (key) => {
    expect(parse({ [key]: 1 }).problems).toHaveLength(1);
  });

  it.each([
    [{ a: [1] }, 'a: '],
    [{ a: {} }, 'a: '],
    [{ a: { near: 1 } }, 'a > near: '],
    [{ a: JSON.parse('{"__proto__":1}') as unknown }, 'a > __proto__: '],
    [{ a: { gt: true } }, 'a > gt: '],
    [{ a: { gt: null } }, 'a > gt: '],
    [{ a: { in: 'x' } }, 'a > in: '],
    [{ a: { in: [[1]] } }, 'a > in: '],
    [{ a: { exists: 1 } }, 'a > exists: '],
    [{ a: { eq: {} } }, 'a > eq: '],
    [{ a: { contains: ['x'] } }, 'a > contains: '],
    [{ a: 'x'.repeat(2049) }, 'a: '],
    [{ a: JSON.parse('1e999') as unknown }, 'a: '],
    [{ session_id: 7 }, 'session_id: '],
    [[], ': '],
    ['model', ': '],
    [null, ': '],
  ])('names what is wrong in %j', (value, place) => {
    const { problems } = parse(value);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(place)).toBe(true);
  });

  it('takes 16 filters and no more', () => {
    const filters = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
    expect(parse(filters(16)).problems).toEqual([]);
    expect(parse(filters(17)).problems).toHaveLength(1);
  });

  it('sets a session id apart', () => {
    expect(parse({ session_id: 's-1' })).toEqual({ problems: [], filters: [], sessionId: 's-1' });
    expect(parse({ session_id: { eq: 's-1' } }).sessionId).toBe('s-1');
  });

  it('never throws, and either reports or reads every key', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 16 }), (value) => {
        const { problems, filters, sessionId } = parse(value);
        if (problems.length > 0) return;
        expect(filters.length + (sessionId === undefined ? 0 : 1)).toBe(Object.keys(value).length);
        expect(filters.every(({ conditions }) => conditions.length > 0)).toBe(true);
      }),
    );
  });
});
