import { LRUCache } from 'lru-cache';
import type { SessionClaim } from '../exchange';

interface OpenSession {
  readonly id: string;
  readonly createdAt: number;
  readonly lastActivityAt: number;
  readonly timeoutMs: number;
}

/** Sessions known here; more are forgotten, least used first, and then simply not announced. */
const MAX_SESSIONS = 50_000;

/**
 * What this process knows of open sessions, so that an answer can name its session before it is stored.
 * It only announces: where an entry really goes is decided in the database.
 */
export class SessionTable {
  readonly #byKey = new LRUCache<string, OpenSession>({ max: MAX_SESSIONS });
  readonly #maxAgeMs: number;
  readonly #newId: () => string;
  #isComplete = false;

  constructor(maxAgeMs: number, newId: () => string) {
    this.#maxAgeMs = maxAgeMs;
    this.#newId = newId;
  }

  /**
   * Takes in sessions that the store holds.
   *
   * @param isComplete no other process opens sessions in this store, so that a key which is not known
   *   has no session.
   */
  load(sessions: Iterable<OpenSession & { readonly key: string }>, isComplete: boolean): void {
    for (const { key, ...session } of sessions) {
      if (!this.#byKey.has(key)) this.#byKey.set(key, session);
    }
    this.#isComplete = isComplete;
  }

  /** Notes where the store placed an entry. */
  note(claim: SessionClaim, sessionId: string, startedAt: number, endedAt: number): void {
    const known = this.#byKey.get(claim.key);
    const isSame = known?.id === sessionId;
    if (known !== undefined && !isSame && known.lastActivityAt > endedAt) return;
    this.#byKey.set(claim.key, {
      id: sessionId,
      createdAt: isSame ? Math.min(known.createdAt, startedAt) : startedAt,
      lastActivityAt: isSame ? Math.max(known.lastActivityAt, endedAt) : endedAt,
      timeoutMs: isSame ? Math.max(known.timeoutMs, claim.timeoutMs) : claim.timeoutMs,
    });
  }

  /**
   * The session that an exchange of this claim, answered now, will be in; `undefined` when that cannot
   * be told from here. A session that begins now gets its id here.
   */
  announce(claim: SessionClaim, startedAt: number, now: number): string | undefined {
    const known = this.#byKey.get(claim.key);
    const isOpen =
      known !== undefined &&
      startedAt - known.lastActivityAt <= known.timeoutMs &&
      startedAt - known.createdAt <= this.#maxAgeMs;
    if (isOpen) return known.id;
    if (!this.#isComplete) return undefined;
    const id = this.#newId();
    this.#byKey.set(claim.key, { id, createdAt: startedAt, lastActivityAt: now, timeoutMs: claim.timeoutMs });
    return id;
  }
}
