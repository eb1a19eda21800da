/** What a client knows of its requests. */
export interface Ledger {
  /** Ids of all that were sent. */
  readonly sent: readonly string[];
  /** Whose whole answer came, and was right. */
  readonly answered: readonly Answer[];
  /** To which no whole answer came, with the reason. */
  readonly failed: readonly string[];
  /** Whose answer was not what a program without Recap gives. */
  readonly wrong: readonly string[];
}

export interface Answer {
  readonly id: string;
  /** When the last byte came. */
  readonly at: number;
  /** Of the text in both bodies. */
  readonly digest: string;
}

/** What the store has of one exchange. */
export interface StoredExchange {
  readonly id: string;
  readonly requestDigest: string | undefined;
  readonly responseDigest: string | undefined;
  /** All that is readable of it, bodies unpacked. */
  readonly text: string;
}

export interface Findings {
  /** Answered, and not stored. */
  readonly lost: readonly Answer[];
  /** Stored more than once. */
  readonly duplicates: readonly string[];
  /** Stored with other bodies than were sent. */
  readonly damaged: readonly string[];
  /** Stored, and never sent. */
  readonly invented: readonly string[];
  /** Stored with a secret. */
  readonly leaking: readonly string[];
}

/** Each secret that is planted begins with it. */
export const CANARY = 'CANARY-';

/** Compares what clients got with what is stored. */
export function checkLedger(ledger: Ledger, stored: readonly StoredExchange[]): Findings {
  const sent = new Set(ledger.sent);
  const seen = new Map<string, StoredExchange>();
  const duplicates: string[] = [];
  for (const exchange of stored) {
    if (seen.has(exchange.id)) duplicates.push(exchange.id);
    seen.set(exchange.id, exchange);
  }
  const damaged = ledger.answered
    .filter(({ id, digest }) => {
      const exchange = seen.get(id);
      return exchange && (exchange.requestDigest !== digest || exchange.responseDigest !== digest);
    })
    .map(({ id }) => id);
  return {
    lost: ledger.answered.filter(({ id }) => !seen.has(id)),
    duplicates,
    damaged,
    invented: stored.filter(({ id }) => !sent.has(id)).map(({ id }) => id),
    leaking: stored.filter(({ text }) => text.includes(CANARY)).map(({ id }) => id),
  };
}

/** A batch is at most as many. */
const BATCH = 500;

/** What is lost beyond what `buffered` may lose: what was answered within 300 ms before the kill, and one batch. */
export function lostBeyondBuffered(lost: readonly Answer[], killedAt: number): number {
  return Math.max(0, lost.filter(({ at }) => at < killedAt - 300).length - BATCH);
}
