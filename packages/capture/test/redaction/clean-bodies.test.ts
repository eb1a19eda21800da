import fc from 'fast-check';
import { CleanBodies } from '../../src/redaction/clean-bodies';
import { createRedactor } from '../../src/redaction/create-redactor';

describe('bodies seen clean', () => {
  it('are known by all their bytes, whatever came before and after them', () => {
    const body = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 20 });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 40 }), body, (added, asked) => {
        const bodies = new CleanBodies();
        for (const each of added) {
          const bytes = Buffer.from(each);
          bodies.add(bytes);
          expect(bodies.has(Buffer.from(each))).toBe(true);
          // Their memory is written again.
          bytes.fill('c');
        }
        if (bodies.has(Buffer.from(asked))) expect(added).toContain(asked);
      }),
    );
  });

  it('are judged anew when anything in them is another', () => {
    const redactor = createRedactor();
    const redact = (text: string): string | undefined =>
      redactor.body('request', Buffer.from(text), 'json', true, () => undefined).bytes?.toString();
    const clean = '{"passwort":"abc"}';
    const secret = '{"password":"abc"}';
    for (const round of [1, 2]) {
      expect([round, redact(clean)]).toEqual([round, clean]);
      expect([round, redact(secret)]).toEqual([round, '{"password":"[REDACTED]"}']);
      expect([round, redact('{"passwort":"abc",')]).toEqual([round, undefined]);
    }
  });

  it('are judged by the redactor that saw them, on both sides, with its rules for places', () => {
    const redactor = createRedactor({ paths: ['response.body.id'] });
    const body = Buffer.from('{"id":1}');
    const redact = (side: 'request' | 'response'): string | undefined =>
      redactor.body(side, body, 'json', true, () => undefined).bytes?.toString();
    expect([redact('request'), redact('response')]).toEqual(['{"id":1}', '{"id":"[REDACTED]"}']);
  });
});
