import fc from 'fast-check';
import { findCardNumbers, mayHoldCardNumber } from '../../src/redaction/card-numbers';
import { createValueShapes } from '../../src/redaction/value-shapes';

const R = '[REDACTED]';
const { hide } = createValueShapes();
const x = (count: number): string => 'aB3dE5gH7jK9mN1pQ2sT4vW6yZ8'.repeat(8).slice(0, count);
const hex = (count: number): string => '0123456789abcdef'.repeat(8).slice(0, count);

/** Built from parts, so that no scanner takes this file for a leak. */
const WHOLE: readonly string[] = [
  `eyJ${x(20)}.eyJ${x(30)}.${x(40)}`,
  `eyJ${x(20)}..${x(16)}.${x(30)}.${x(22)}`,
  ...['AKI', 'ASI'].map((start) => `${start}AQWERTYUIOPASDFG2`),
  ...['p', 'o', 'u', 's', 'r'].map((kind) => `gh${kind}_${x(36)}`),
  `github_pat_${x(22)}_${x(59)}`,
  ...['b', 'a', 'p', 'r', 's'].map((kind) => `xox${kind}-1234567890-${x(24)}`),
  `xapp-1-${x(30)}`,
  ...['sk-', 'sk-ant-api03-', 'sk-proj-', 'sk-or-v1-'].map((start) => start + x(40)),
  `AIza${x(35)}`,
  `ya29.${x(40)}`,
  `GOCSPX-${x(28)}`,
  `glpat-${x(20)}`,
  `npm_${x(36)}`,
  `hf_${x(34)}`,
  `gsk_${x(40)}`,
  `SG.${x(22)}.${x(43)}`,
  ...['rk_live_', 'sk_live_', 'pk_live_', 'sk_test_'].map((start) => start + x(24)),
  `whsec_${x(32)}`,
  `dop_v1_${hex(64)}`,
  `shpat_${hex(32)}`,
  `pypi-${x(60)}`,
  `dckr_pat_${x(27)}`,
  `hvs.${x(24)}`,
  `PMAK-${hex(24)}-${hex(34)}`,
  `glsa_${x(32)}_${hex(8)}`,
  `xkeysib-${hex(64)}`,
  `123456789:AA${x(33)}`,
  ...[
    '4111111111111111',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '378282246310005',
    '5555555555554444',
  ],
  ...[
    '6011111111111117',
    '30569309025904',
    '3530111333300000',
    '2223003122003222',
    '4222222222222',
    '6304000000000000',
  ],
  `-----BEGIN RSA PRIVATE KEY-----\n${x(64)}\n${x(20)}\n-----END RSA PRIVATE KEY-----`,
  `-----BEGIN PRIVATE KEY-----${x(64)}`,
];

const PARTLY: readonly (readonly [string, string])[] = [
  ['postgres://ann:hunter2@db/x', `postgres://${R}@db/x`],
  ['redis://:hun@ter2@db', `redis://${R}@db`],
  [`https://${x(32)}@o1.ingest.example/1`, `https://${R}@o1.ingest.example/1`],
  [`Bearer ${x(12)}`, `Bearer ${R}`],
  ['Basic YW5uOmh1bnRlcjI=', `Basic ${R}`],
  ['https://hooks.slack.com/services/T000/B000/abcdefgh', `https://hooks.slack.com/services/${R}`],
  ['paid with 4111 1111 1111 1111, thanks', `paid with ${R}, thanks`],
  ['4111111111111111 5555 5555 5555 4444', `${R} ${R}`],
  ['5 4111 1111 1111 1111 12', `5 ${R} 12`],
];

const CLEAN: readonly string[] = [
  'ann@example.com',
  'git@github.com:a/b.git',
  'ssh://git@github.com/a/b',
  'https://medium.com/@user:x',
  'http://h/a:b@c',
  'https://[::1]:80/x',
  '1700000000000',
  '1700000000000000',
  '4111111111111112',
  '0.4111111111111111',
  '4111111111111111.5',
  'id4111111111111111',
  '550e8400-e29b-41d4-a716-446655440000',
  'd6fde92930d4715a2b49857d24b940956b26d2d3',
  'Bearer authentication',
  'Bearer Token',
  'Basic functionality',
  'basic understanding of it',
  'task-management-for-everyone',
  'sk-learn-tutorial-for-all-people',
  'risk_test_x',
  'eyJub3QiOiJhIHRva2VuIn0',
  '-----BEGIN PUBLIC KEY-----abc-----END PUBLIC KEY-----',
  '-----BEGIN CERTIFICATE-----abc-----END CERTIFICATE-----',
  '2024-01-02T03:04:05.678Z',
  '+49 30 1234567890 123',
  'npm_config_cache',
  'ghp_short',
  'AKIDEXAMPLE',
];

describe('value shapes', () => {
  it.each(WHOLE)('hides %s', (secret) => {
    expect(hide(secret)).toBe(R);
    expect(hide(`before "${secret}" after`)).toMatch(/^before "\[REDACTED\]/);
  });

  it.each(PARTLY)('hides only the secret in %s', (text, expected) => {
    expect(hide(text)).toBe(expected);
    expect(hide(expected)).toBe(expected);
  });

  it.each(CLEAN)('leaves %s as it is', (text) => {
    expect(hide(text)).toBe(text);
  });

  it('takes patterns of the program as they are meant', () => {
    const own = createValueShapes([/\bcust-\w+/i, /a{0}/, /^z/y]);
    expect(own.hide('CUST-1 and cust-2, z')).toBe(`${R} and ${R}, z`);
    expect(own.hide('zz')).toBe(`${R}z`);
    expect(own.hide('cust-1')).toBe(own.hide('cust-1'));
  });

  it('finds every card number among other digits', () => {
    const cards = fc.constantFrom(
      '4111111111111111',
      '4111 1111 1111 1111',
      '378282246310005',
      '5555-5555-5555-4444',
    );
    const around = fc.string({ unit: fc.constantFrom(...'ab .,:x\n"'), maxLength: 30 });
    fc.assert(
      fc.property(around, cards, around, (before, card, after) => {
        const text = `${before}, ${card} ;${after}`;
        expect(findCardNumbers(text)).toEqual([[before.length + 2, before.length + 2 + card.length]]);
        expect(mayHoldCardNumber(text)).toBe(true);
      }),
    );
  });

  it('is idempotent on any text', () => {
    const part = fc.oneof(fc.constantFrom(...WHOLE, ...CLEAN, ' ', '@', '://', '=', '.'), fc.string());
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const once = hide(parts.join(' '));
        expect(hide(once)).toBe(once);
      }),
    );
  });
});
