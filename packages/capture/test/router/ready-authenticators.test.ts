import { bearerToken, localhostOnly } from '../../src/router/ready-authenticators';
import { ADMIN } from './router-rig';

const TOKEN = 'correct-horse-battery';
const socket = { remoteAddress: '127.0.0.1' };

describe('bearerToken', () => {
  const authenticate = bearerToken(TOKEN, ADMIN);
  const asked = (authorization?: string) =>
    authenticate({ headers: authorization === undefined ? {} : { authorization }, socket });

  it('lets in whoever sends the token', () => {
    expect(asked(`Bearer ${TOKEN}`)).toBe(ADMIN);
    expect(asked(`bearer   ${TOKEN} `)).toBe(ADMIN);
  });

  it.each([
    undefined,
    '',
    TOKEN,
    'Bearer',
    'Bearer ',
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer x ${TOKEN}`,
    `Bearer ${TOKEN.toUpperCase()}`,
  ])('lets in nobody with %j', (authorization) => {
    expect(asked(authorization)).toBeUndefined();
  });

  it.each(['', 'short', 'x'.repeat(15), undefined])('refuses the token %j', (token) => {
    expect(() => bearerToken(token as string, ADMIN)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

describe('localhostOnly', () => {
  const authenticate = localhostOnly(ADMIN);
  const headers = { host: 'localhost:3000' };

  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])(
    'lets in the address %s',
    (remoteAddress) => {
      expect(authenticate({ headers, socket: { remoteAddress } })).toBe(ADMIN);
    },
  );

  it.each([
    undefined,
    '',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '::',
    '1127.0.0.1',
    '127.0.0.1.evil.test',
    'localhost',
  ])('keeps out the address %j', (remoteAddress) => {
    expect(authenticate({ headers, socket: { remoteAddress } })).toBeUndefined();
  });

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])('keeps out what came with %s', (name) => {
    expect(authenticate({ headers: { ...headers, [name]: '127.0.0.1' }, socket })).toBeUndefined();
    expect(authenticate({ headers: { ...headers, [name]: '' }, socket })).toBeUndefined();
  });

  it.each(['localhost', 'localhost:3000', 'api.localhost', '127.0.0.1:80', '[::1]:3000'])(
    'lets in the name %s',
    (host) => {
      expect(authenticate({ headers: { host }, socket })).toBe(ADMIN);
    },
  );

  it.each(['evil.test', 'localhost.evil.test', '10.0.0.1', '', 'a b', undefined])(
    'keeps out a browser that was led here as %j',
    (host) => {
      expect(authenticate({ headers: host === undefined ? {} : { host }, socket })).toBeUndefined();
    },
  );
});
