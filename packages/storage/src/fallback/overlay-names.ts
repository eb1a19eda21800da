import { createHash } from 'node:crypto';
import type { Backend, Page, PageOptions } from '../backend';
import { checkName } from '../check-arguments';
import { compareKeys } from '../key-space/compare-keys';

const MAX_NAME_BYTES = 1_024;
const MAX_PAGE = 100;

/**
 * What partitions are called in a store that keeps others too. A name that leaves no room for what stands before it is
 * kept as the key of an item, and stands there as its hash.
 */
export class OverlayNames {
  /** What partitions of an overlay begin with, none of which is kept once it is cleared. */
  readonly prefixes: readonly string[];
  readonly #store: Backend;
  readonly #data: string;
  readonly #gone: string;
  readonly #long: string;
  readonly #room: number;

  constructor(store: Backend, name: string) {
    this.#store = store;
    this.#data = `\0recap-over:${name}:`;
    this.#gone = `\0recap-gone:${name}:`;
    this.#long = `\0recap-long:${name}:`;
    this.#room = MAX_NAME_BYTES - Buffer.byteLength(this.#data);
    this.prefixes = [this.#data, this.#gone, this.#long];
  }

  /** Where what was written to a partition is. */
  data(partition: string): string {
    return this.#isLong(partition) ? `${this.#long}over:${hashOf(partition)}` : this.#data + partition;
  }

  /** Where it is told what does not count any more of what the backend had. */
  gone(partition: string): string {
    return this.#isLong(partition) ? `${this.#long}gone:${hashOf(partition)}` : this.#gone + partition;
  }

  /** Before something is written to a partition. */
  async note(partition: string): Promise<void> {
    if (this.#isLong(partition)) await this.#store.set({ partition: this.#names, key: partition }, true);
  }

  /** Partitions that hold data, in their order. */
  async list(prefix: string, { limit = MAX_PAGE, after }: PageOptions): Promise<Page<string>> {
    const pages = [await this.#short(prefix, limit, after), await this.#longOnes(prefix, limit, after)];
    // What comes behind the end of a page that goes on may come behind what that page goes on with.
    const ends = pages.flatMap(({ next }) => (next === undefined ? [] : [next])).sort(compareKeys);
    const [end] = ends;
    const known = pages
      .flatMap(({ items }) => items)
      .filter((name) => end === undefined || compareKeys(name, end) <= 0)
      .sort(compareKeys);
    const items = known.slice(0, limit);
    const next = known.length > limit ? items.at(-1) : end;
    return next === undefined ? { items } : { items, next };
  }

  async #short(prefix: string, limit: number, after: string | undefined): Promise<Page<string>> {
    if (this.#isLong(prefix)) return { items: [] };
    let from = after === undefined ? undefined : this.#data + beginningOf(after, this.#room);
    for (;;) {
      const options = from === undefined ? { limit } : { limit, after: from };
      const page = await this.#store.partitions(this.#data + prefix, options);
      const items = page.items
        .map((name) => name.slice(this.#data.length))
        .filter((name) => after === undefined || compareKeys(name, after) > 0);
      if (page.next === undefined) return { items };
      // What was cut off may have been before all of them.
      if (items.length > 0) return { items, next: page.next.slice(this.#data.length) };
      from = page.next;
    }
  }

  async #longOnes(prefix: string, limit: number, after: string | undefined): Promise<Page<string>> {
    const from = after === undefined ? {} : { after };
    const page = await this.#store.keys(this.#names, { range: { prefix }, limit, ...from });
    const items: string[] = [];
    for (const name of page.items) {
      const { items: keys } = await this.#store.keys(this.data(name), { limit: 1 });
      if (keys.length > 0) items.push(name);
    }
    return page.next === undefined ? { items } : { items, next: page.next };
  }

  get #names(): string {
    return `${this.#long}names`;
  }

  #isLong(name: string): boolean {
    // Short enough in any case, which is quicker to see.
    if (name.length * 3 <= this.#room || Buffer.byteLength(name) <= this.#room) return false;
    checkName(name, 'partition');
    return true;
  }
}

const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex');

/** As much of the beginning as fits, in whole characters. */
function beginningOf(text: string, bytes: number): string {
  const begun = Buffer.from(text).subarray(0, bytes);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(begun, { stream: true });
}
