import type { Address, Value, Write } from '../backend';

export type ModelItem = { readonly version: string; readonly expiresAt: number | undefined } & (
  | { readonly type: 'value'; readonly value: Value }
  | { readonly type: 'list'; readonly values: readonly Value[] }
);

/** What a write comes to, or the code of the error. */
export type ModelOutcome =
  | { readonly status: 'written'; readonly length?: number }
  | { readonly status: 'exists' | 'deleted' | 'missing' }
  | { readonly status: 'failed'; readonly code: string };

/** What a backend is held to: the contract in the plainest form that can be written. */
export class BackendModel {
  #items = new Map<string, ModelItem & Address>();

  /** What is visible, in no order. */
  items(now: number): readonly (ModelItem & Address)[] {
    return [...this.#items.values()].filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
  }

  find({ partition, key }: Address, now: number): ModelItem | undefined {
    return this.items(now).find((item) => item.partition === partition && item.key === key);
  }

  apply(write: Write & { readonly version?: string }, now: number): ModelOutcome {
    const { partition, key } = write;
    const name = JSON.stringify([partition, key]);
    const there = this.find(write, now);
    switch (write.type) {
      case 'delete':
        if (there === undefined) return { status: 'missing' };
        if (write.ifVersion !== undefined && write.ifVersion !== there.version) return conflict;
        this.#items.delete(name);
        return { status: 'deleted' };
      case 'set': {
        if (write.ifAbsent === true && there !== undefined) return { status: 'exists' };
        if (write.ifVersion !== undefined && write.ifVersion !== there?.version) return conflict;
        const { value, version = '', expiresAt } = write;
        this.#items.set(name, { type: 'value', partition, key, value, version, expiresAt });
        return { status: 'written' };
      }
      case 'append': {
        if (there?.type === 'value') return { status: 'failed', code: 'WRONG_TYPE' };
        const { version = '', expiresAt = there?.expiresAt } = write;
        const values = [...(there?.values ?? []), ...write.values];
        this.#items.set(name, { type: 'list', partition, key, values, version, expiresAt });
        return { status: 'written', length: values.length };
      }
    }
  }

  /** All or none: the code of an error that explains why nothing was written, any of several. */
  applyTogether(
    writes: readonly Write[],
    now: number,
  ): readonly ModelOutcome[] | { readonly codes: string[] } {
    const before = new Map(this.#items);
    const outcomes = writes.map((write) => this.apply(write, now));
    const codes = outcomes.flatMap((outcome) => {
      if (outcome.status === 'exists') return ['CONFLICT'];
      return outcome.status === 'failed' ? [outcome.code] : [];
    });
    if (codes.length === 0) return outcomes;
    this.#items = before;
    return { codes };
  }
}

const conflict: ModelOutcome = { status: 'failed', code: 'CONFLICT' };
