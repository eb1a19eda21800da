import fc from 'fast-check';
import { decodeCursor, encodeCursor } from '../../src/query/cursor';

describe('cursor', () => {
  it('gives back every position it was made of', () => {
    const at = fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true }).map((value) => value + 0);
    const id = fc
      .string({ minLength: 1, maxLength: 64, unit: 'binary' })
      .filter((text) => !/\p{Cs}/u.test(text));
    fc.assert(
      fc.property(at, id, (instant, text) => {
        fc.pre(!Object.is(instant, -0));
        expect(decodeCursor(encodeCursor({ at: instant, id: text }))).toEqual({ at: instant, id: text });
      }),
    );
  });

  it('is safe in a URL', () => {
    expect(encodeCursor({ at: 1, id: '???>>>ÿ' })).toMatch(/^[\w-]+$/);
  });

  it('refuses whatever it did not make', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor(text)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
      }),
    );
  });

  const of = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    ['padding', `${encodeCursor({ at: 1, id: 'a' })}=`],
    ['a foreign character within', `!${encodeCursor({ at: 1, id: 'a' })}`],
    ['an instant beyond all dates', of([8.65e15, 'a'])],
    ['an instant that is text', of(['1', 'a'])],
    ['an id that is no text', of([1, { $ne: 1 }])],
    ['an empty id', of([1, ''])],
    ['an id of 129 characters', of([1, 'a'.repeat(129)])],
    ['a third element', of([1, 'a', 'owner'])],
    ['spaces', Buffer.from('[1, "a"]').toString('base64url')],
    ['nothing', ''],
  ])('refuses a cursor with %s', (_, cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
  });
});
