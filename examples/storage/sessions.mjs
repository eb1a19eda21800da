const HOUR = 3600;

/** The pattern by hand: the cache first, the database behind it, and the cache warm again. */
export class SessionManager {
  #backends;

  constructor(backends) {
    this.#backends = backends;
  }

  async createSession(sessionId) {
    const session = { id: sessionId, createdAt: Date.now(), lastActivity: Date.now() };
    await this.#backends.cache.set(`session:${sessionId}`, session, HOUR);
    await this.#backends.database.set(`session:${sessionId}`, session);
    return session;
  }

  async getSession(sessionId) {
    const key = `session:${sessionId}`;
    const cached = await this.#backends.cache.get(key);
    if (cached !== undefined) return cached;
    const stored = await this.#backends.database.get(key);
    if (stored !== undefined) await this.#backends.cache.set(key, stored, HOUR);
    return stored;
  }
}

/** The same by createCachedDatabase: one read for all who ask at once, and no older value after a newer one. */
export class CachedSessionManager {
  #sessions;

  /** @param sessions made by `createCachedDatabase` */
  constructor(sessions) {
    this.#sessions = sessions;
  }

  async createSession(sessionId) {
    const session = { id: sessionId, createdAt: Date.now(), lastActivity: Date.now() };
    await this.#sessions.set(`session:${sessionId}`, session);
    return session;
  }

  async getSession(sessionId) {
    return await this.#sessions.get(`session:${sessionId}`);
  }
}
