import fc from 'fast-check';
import { fitsJsonb } from '../../../src/backends/postgres/jsonb-fit';

/** What jsonb prints for it, at most: a space behind each comma and colon, and all digits of its numbers. */
const printed = (json: string): string =>
  json
    .replaceAll(/[,:]/g, '$& ')
    .replaceAll(/(\d)(?:\.(\d+))?e([+-])(\d+)/g, (_, whole: string, part = '', sign: string, far: string) =>
      sign === '-'
        ? `0.${'0'.repeat(Number(far) - 1)}${whole}${part}`
        : `${whole}${(part as string).padEnd(Number(far), '0')}`,
    );

const farNumber = fc.double({ noDefaultInfinity: true, noNaN: true });

describe('JSON that is kept as jsonb', () => {
  it.each([
    ['most JSON', { n: -12.5, s: 'a\n"\\', list: [1, null, true] }],
    ['one far number', { n: 1e308 }],
    ['far numbers beside more text', { n: [1e308, 5e-324], s: 'x'.repeat(500) }],
    ['a backslash before what would be an escape', { s: '\\u0000 \\ud800' }],
    ['escapes of other characters', { s: '\u0001\u001f' }],
    ['text that looks like far numbers', { s: Array<string>(100).fill('3e-4821-1e+3000f 2e-1').join() }],
  ])('is %s', (_what, value) => {
    expect(fitsJsonb(JSON.stringify(value))).toBe(true);
  });

  it.each([
    ['U+0000', { s: '\0' }],
    ['half a surrogate pair', { s: 'x\ud800' }],
    ['half a surrogate pair in a name', { '\udfff': 1 }],
    ['large numbers that jsonb prints long', Array<number>(100).fill(1e308)],
    ['small numbers that jsonb prints long', Array<number>(100).fill(-5e-324)],
    ['members that jsonb prints long', Array(100).fill({ n: 1.5e300 })],
  ])('is not %s', (_what, value) => {
    expect(fitsJsonb(JSON.stringify(value))).toBe(false);
  });

  it('is printed no more than some three times as long, and 4 KiB', () => {
    const value = fc.array(fc.oneof(farNumber, fc.record({ n: farNumber }), fc.string()), {
      maxLength: 300,
      size: 'max',
    });
    fc.assert(
      fc.property(value, (list) => {
        const json = JSON.stringify(list);
        if (fitsJsonb(json)) expect(printed(json).length).toBeLessThan(3 * json.length + 4_096);
      }),
    );
  });
});
