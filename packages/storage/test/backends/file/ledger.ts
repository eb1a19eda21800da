import type { Backend } from '../../../src/backend';
import { errorCode } from '../../../src/errors';

const KNOWN: ReadonlySet<string | undefined> = new Set(['UNAVAILABLE', 'CAPACITY_EXCEEDED', 'ACCESS_DENIED']);
const ABSENT = 'absent';

export const at = (key: string) => ({ partition: 'p', key });

/** What may be under each key: what was answered, and what was not and may have happened. */
export class Ledger {
  readonly #possible = new Map<string, Set<string>>();

  async set(backend: Backend, key: string, value: string): Promise<void> {
    const before = this.#of(key);
    const text = JSON.stringify(value);
    const isDone = await this.#try(() => backend.set(at(key), value));
    this.#possible.set(key, new Set(isDone ? [text] : [...before, text]));
  }

  async delete(backend: Backend, key: string): Promise<void> {
    const before = this.#of(key);
    const isDone = await this.#try(() => backend.delete(at(key)));
    this.#possible.set(key, new Set(isDone ? [ABSENT] : [...before, ABSENT]));
  }

  async append(backend: Backend, key: string, value: string): Promise<void> {
    const before = this.#of(key);
    const after = [...before].map((text) =>
      JSON.stringify([...(text === ABSENT ? [] : (JSON.parse(text) as string[])), value]),
    );
    const isDone = await this.#try(() => backend.append(at(key), [value]));
    this.#possible.set(key, new Set(isDone ? after : [...before, ...after]));
  }

  /** @param isHealthy every key has to be readable */
  async check(backend: Backend, isHealthy = false): Promise<void> {
    for (const [key, possible] of this.#possible) {
      const read = async (): Promise<string> => {
        const isList = key.startsWith('list');
        const found = isList ? await backend.range(at(key)) : (await backend.get(at(key)))?.value;
        if (found === undefined || (isList && (found as unknown[]).length === 0)) return ABSENT;
        return JSON.stringify(found);
      };
      let found: string;
      try {
        found = await read();
      } catch (error) {
        if (isHealthy) throw error;
        this.refused(error);
        continue;
      }
      if (!possible.has(found))
        throw new Error(`Under ${key.slice(0, 20)} is ${found}, not one of ${[...possible].join(' | ')}`);
    }
  }

  /** A failure of a disk is told in the words of the contract. */
  refused(error: unknown): void {
    if (!KNOWN.has(errorCode(error))) throw error;
  }

  async #try(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.refused(error);
      return false;
    }
  }

  #of(key: string): Set<string> {
    return this.#possible.get(key) ?? new Set([ABSENT]);
  }
}
