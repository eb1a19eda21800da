export interface Expiring {
  /** Ms since the epoch. */
  readonly expiresAt: number | undefined;
}

interface Node<T> {
  readonly at: number;
  readonly item: T;
}

/** What expires, soonest first. An item whose expiry has changed since is passed over. */
export class ExpiryHeap<T extends Expiring> {
  #nodes: Node<T>[] = [];

  get size(): number {
    return this.#nodes.length;
  }

  add(item: T): void {
    if (item.expiresAt === undefined) return;
    const nodes = this.#nodes;
    const node = { at: item.expiresAt, item };
    let index = nodes.push(node) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (nodes[parent]!.at <= node.at) break;
      nodes[index] = nodes[parent]!;
      index = parent;
    }
    nodes[index] = node;
  }

  /** Takes out one that has expired by `now`, or `undefined`. */
  take(now: number): T | undefined {
    for (let top = this.#nodes[0]; top !== undefined && top.at <= now; top = this.#nodes[0]) {
      this.#dropTop();
      if (top.item.expiresAt === top.at) return top.item;
    }
    return undefined;
  }

  /** Those that have expired by `now`, at the cost of these alone. An item may come twice. */
  *expired(now: number): Generator<T> {
    const open = [0];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const node = this.#nodes[index];
      if (node === undefined || node.at > now) continue;
      open.push(2 * index + 1, 2 * index + 2);
      if (node.item.expiresAt === node.at) yield node.item;
    }
  }

  /** Drops what is passed over; an item that is written again and again would else fill the heap. */
  compact(items: Iterable<T>): void {
    this.#nodes = [];
    for (const item of items) this.add(item);
  }

  #dropTop(): void {
    const nodes = this.#nodes;
    const last = nodes.pop();
    if (last === undefined || nodes.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= nodes.length) break;
      if (child + 1 < nodes.length && nodes[child + 1]!.at < nodes[child]!.at) child += 1;
      if (nodes[child]!.at >= last.at) break;
      nodes[index] = nodes[child]!;
      index = child;
    }
    nodes[index] = last;
  }
}
