import { checkLedger, lostBeyondBuffered, type Ledger, type StoredExchange } from './rig/check-ledger';

const ledgerOf = (count: number): Ledger => ({
  sent: Array.from({ length: count }, (_each, index) => String(index)),
  answered: Array.from({ length: count }, (_each, index) => ({
    id: String(index),
    at: 1_000 + index,
    digest: `digest ${index}`,
  })),
  failed: [],
  wrong: [],
});

const storedOf = (count: number): StoredExchange[] =>
  ledgerOf(count).answered.map(({ id, digest }) => ({
    id,
    requestDigest: digest,
    responseDigest: digest,
    text: 'apiKey: [REDACTED]',
  }));

const NOTHING = { lost: [], duplicates: [], damaged: [], invented: [], leaking: [] };

describe('checkLedger', () => {
  it('finds nothing where all that was answered is stored once, as it was', () => {
    expect(checkLedger(ledgerOf(20), storedOf(20))).toEqual(NOTHING);
  });

  it('finds nothing in what is stored although its answer did not arrive', () => {
    const ledger = { ...ledgerOf(20), answered: ledgerOf(19).answered };
    expect(checkLedger(ledger, storedOf(20))).toEqual(NOTHING);
  });

  it('finds each that was answered and is not stored', () => {
    const stored = storedOf(20).filter(({ id }) => id !== '7' && id !== '19');
    expect(checkLedger(ledgerOf(20), stored).lost.map(({ id }) => id)).toEqual(['7', '19']);
  });

  it('finds each that is stored twice', () => {
    const stored = storedOf(20);
    expect(checkLedger(ledgerOf(20), [...stored, ...stored.slice(3, 5)]).duplicates).toEqual(['3', '4']);
  });

  it.each(['requestDigest', 'responseDigest'] as const)('finds one whose %s is another', (side) => {
    const stored = storedOf(20).map((each) => (each.id === '4' ? { ...each, [side]: undefined } : each));
    expect(checkLedger(ledgerOf(20), stored)).toEqual({ ...NOTHING, damaged: ['4'] });
  });

  it('finds one that nobody sent', () => {
    expect(checkLedger(ledgerOf(19), storedOf(20)).invented).toEqual(['19']);
  });

  it('finds one that is stored with a secret', () => {
    const stored = storedOf(20).map((each) => (each.id === '4' ? { ...each, text: 'CANARY-4' } : each));
    expect(checkLedger(ledgerOf(20), stored)).toEqual({ ...NOTHING, leaking: ['4'] });
  });
});

describe('lostBeyondBuffered', () => {
  it('allows what was answered within 300 ms before the kill, and one batch', () => {
    const lost = ledgerOf(1_000).answered;
    expect(lostBeyondBuffered(lost, 2_000)).toBe(200);
    expect(lostBeyondBuffered(lost.slice(200), 2_000)).toBe(0);
  });
});
