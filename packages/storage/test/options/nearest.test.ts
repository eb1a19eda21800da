import { nearest } from '../../src/options/nearest';

describe('nearest', () => {
  it.each([
    ['passwrod', 'password'],
    ['keyprefix', 'keyPrefix'],
    ['key_prefix', 'keyPrefix'],
    ['hots', 'host'],
    ['usrname', 'username'],
    ['Url', 'url'],
  ])('takes %s for %s', (wrong, meant) => {
    expect(nearest(wrong, ['url', 'host', 'port', 'username', 'password', 'keyPrefix'])).toBe(meant);
  });

  it.each(['zzz', '', 'completely', 'x'.repeat(100_000)])(
    'guesses nothing for what is like no name',
    (name) => {
      expect(nearest(name, ['url', 'host', 'port', 'password'])).toBeUndefined();
    },
  );
});
