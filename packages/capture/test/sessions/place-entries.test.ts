import fc from 'fast-check';
import type { EntryToPlace, SessionSpan } from '../../src/sessions/place-entries';
import { placeEntries } from '../../src/sessions/place-entries';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function entry(
  id: string,
  atMinutes: number,
  more: Partial<EntryToPlace['session']> & { lasts?: number } = {},
): EntryToPlace {
  const { lasts = 0, ...session } = more;
  return {
    id,
    owner: 'ann',
    createdAt: atMinutes * MINUTE,
    durationMs: lasts * MINUTE,
    session: { key: 'ann', group: undefined, timeoutMs: 30 * MINUTE, ...session },
  };
}

/** Applies one append after another, as a store does. */
class Ledger {
  sessions = new Map<string, SessionSpan>();
  placements = new Map<string, string>();
  warnings = new Map<string, string>();
  #ids = 0;

  append(...entries: EntryToPlace[]): this {
    const plan = placeEntries(entries, [...this.sessions.values()], {
      maxAgeMs: DAY,
      newId: () => `s${String((this.#ids += 1))}`,
    });
    for (const { from, into } of plan.merged) {
      this.sessions.delete(from);
      for (const [id, session] of this.placements) if (session === from) this.placements.set(id, into);
    }
    for (const session of plan.sessions) this.sessions.set(session.id, session);
    for (const [id, session] of plan.placements) this.placements.set(id, session);
    for (const [id, warning] of plan.warnings) this.warnings.set(id, warning.code);
    return this;
  }

  /** Entry ids by session, in a form that does not depend on the sessions' names. */
  partition(): string[][] {
    const groups = new Map<string, string[]>();
    for (const [id, session] of this.placements)
      groups.set(session, [...(groups.get(session) ?? []), id].sort());
    return [...groups.values()].sort((a, b) => (a.join() < b.join() ? -1 : 1));
  }
}

describe('placeEntries', () => {
  it('splits when the gap exceeds the timeout by one millisecond, not when it equals it', () => {
    const ledger = new Ledger().append(entry('a', 0), entry('b', 30));
    ledger.append({ ...entry('c', 60), createdAt: 60 * MINUTE + 1 });
    expect(ledger.partition()).toEqual([['a', 'b'], ['c']]);
  });

  it('measures the gap from the end of the latest activity, not from its start', () => {
    const ledger = new Ledger().append(entry('slow', 0, { lasts: 20 })).append(entry('next', 45));
    expect(ledger.partition()).toEqual([['next', 'slow']]);
  });

  it('keeps the largest timeout asked for, whichever route asks last', () => {
    const ledger = new Ledger()
      .append(entry('long', 0, { timeoutMs: 60 * MINUTE }))
      .append(entry('short', 10, { timeoutMs: 5 * MINUTE }))
      .append(entry('after', 60, { timeoutMs: 5 * MINUTE }));
    expect(ledger.partition()).toEqual([['after', 'long', 'short']]);
  });

  it('does not let a long timeout reach back over a gap that a short one has closed', () => {
    const ledger = new Ledger()
      .append(entry('short', 0, { timeoutMs: 5 * MINUTE }))
      .append(entry('long', 10, { timeoutMs: 60 * MINUTE }));
    expect(ledger.partition()).toEqual([['short'], ['long']].map((group) => group).sort());
  });

  it('keeps two keys apart', () => {
    const ledger = new Ledger().append(entry('a', 0), entry('b', 0, { key: 'bob' }));
    expect(ledger.partition()).toEqual([['a'], ['b']]);
  });

  it('ends a session at its maximum age although its owner never pauses', () => {
    const ledger = new Ledger();
    for (let minute = 0; minute <= 25 * 60; minute += 20) ledger.append(entry(String(minute), minute));
    expect(ledger.partition().map((group) => group.length)).toEqual(expect.arrayContaining([73, 3]));
    expect(ledger.sessions.size).toBe(2);
  });

  it('makes two sessions one when a long exchange that ends late bridges them', () => {
    const ledger = new Ledger().append(entry('first', 0)).append(entry('third', 70));
    expect(ledger.sessions.size).toBe(2);
    ledger.append(entry('second', 10, { lasts: 50 }));
    expect(ledger.partition()).toEqual([['first', 'second', 'third']]);
    expect(ledger.sessions.size).toBe(1);
  });

  it('continues an own session by id and refuses one of another key', () => {
    const ledger = new Ledger().append(entry('a', 0), entry('theirs', 0, { key: 'bob' }));
    const own = ledger.placements.get('a');
    const foreign = ledger.placements.get('theirs');
    if (own === undefined || foreign === undefined) throw new Error('not placed');
    ledger.append(entry('b', 5, { requestedId: own }), entry('c', 6, { requestedId: foreign }));
    expect(ledger.placements.get('b')).toBe(own);
    expect(ledger.placements.get('c')).not.toBe(foreign);
    expect(ledger.warnings).toEqual(new Map([['c', 'SESSION_NOT_FOUND']]));
  });

  it('starts afresh, with a warning, when the session asked for has timed out', () => {
    const ledger = new Ledger().append(entry('a', 0));
    const own = ledger.placements.get('a');
    if (own === undefined) throw new Error('not placed');
    ledger.append(entry('b', 31, { requestedId: own }));
    expect(ledger.placements.get('b')).not.toBe(own);
    expect(ledger.warnings.get('b')).toBe('SESSION_TIMEOUT');
  });

  it('creates a session under the id that was already told to the client, once', () => {
    const ledger = new Ledger().append(
      entry('a', 0, { proposedId: 'told' }),
      entry('b', 200, { proposedId: 'told' }),
    );
    expect(ledger.placements.get('a')).toBe('told');
    expect(ledger.placements.get('b')).not.toBe('told');
  });

  it('gives the same sessions in whatever order and batches the entries arrive', () => {
    const spec = fc.record({
      at: fc.integer({ min: 0, max: 300 }),
      lasts: fc.integer({ min: 0, max: 60 }),
      timeout: fc.constantFrom(5, 30, 30, 60),
      rank: fc.integer(),
      batch: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 14 }), (specs) => {
        const entries = specs.map(({ at, lasts, timeout, rank, batch }, index) => ({
          rank,
          batch,
          // Starts that coincide have no order of their own.
          value: {
            ...entry(String(index).padStart(2, '0'), at, { lasts, timeoutMs: timeout * MINUTE }),
            createdAt: at * MINUTE + index,
          },
        }));
        const inOrder = new Ledger();
        for (const { value } of [...entries].sort((a, b) => a.value.createdAt - b.value.createdAt))
          inOrder.append(value);
        const shuffled = new Ledger();
        for (const batch of [0, 1, 2, 3]) {
          const part = entries.filter((each) => each.batch === batch).sort((a, b) => a.rank - b.rank);
          if (part.length > 0) shuffled.append(...part.map((each) => each.value));
        }
        expect(shuffled.partition()).toEqual(inOrder.partition());
      }),
      { numRuns: 500 },
    );
  });
});
