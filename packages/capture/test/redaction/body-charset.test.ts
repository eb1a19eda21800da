import type { BodyKind } from '../../src/body-kind';
import { redactBody } from './redact';

const SECRET = 'c4n4ry-Value_7';
const le = (text: string): Buffer => Buffer.from(text, 'utf16le');
const be = (text: string): Buffer => le(text).swap16();
const utf32 = (text: string): Buffer =>
  Buffer.concat([...text].map((character) => Buffer.concat([Buffer.from(character), Buffer.alloc(3)])));

describe('redaction of texts in other encodings', () => {
  const bodies: readonly (readonly [BodyKind, string])[] = [
    ['text', `password=${SECRET}`],
    ['text', `<r><password>${SECRET}</password></r>`],
    ['form', `a=1&password=${SECRET}`],
    ['json', `{"password":"${SECRET}"}`],
    ['text', `{"password":"${SECRET}"}`],
    ['ndjson', `{"password":"${SECRET}"}\n`],
    ['sse', `data: password=${SECRET}\n\n`],
  ];

  it.each(bodies)('drops %s in UTF-16 and UTF-32: %s', (kind, body) => {
    for (const isComplete of [true, false]) {
      for (const bytes of [
        le(body),
        be(body),
        utf32(body),
        le(`\ufeff${body}`),
        be(`\ufeff${body}`),
        le(`文字文字${body}`),
      ]) {
        expect(redactBody(bytes, kind, { isComplete })).toEqual({
          text: undefined,
          isCut: false,
          reason: 'charset',
          places: [],
        });
      }
    }
  });

  it('drops text in which NUL parts a secret or its name', () => {
    expect(redactBody(`pass\0word=${SECRET}`, 'text').reason).toBe('charset');
    expect(redactBody(`a=1&pass\0word=${SECRET}`, 'form').reason).toBe('charset');
  });

  it('keeps text with NUL in it that hides nothing, byte for byte', () => {
    const body = 'one\0two\0three';
    expect(redactBody(body, 'text')).toMatchObject({ text: body, reason: undefined, places: [] });
  });

  it('does not look into what claims no structure', () => {
    expect(redactBody(le(`password=${SECRET}`), 'binary').text).toBeDefined();
  });
});
