import type { JournalEntry } from './journal';

/** Those of each address, in their order. */
export function chainsOf(entries: readonly JournalEntry[]): JournalEntry[][] {
  const chains = new Map<string, JournalEntry[]>();
  for (const entry of entries) {
    const { partition, key } = entry.write;
    const address = `${partition.length}:${partition}${key}`;
    const chain = chains.get(address);
    if (chain === undefined) chains.set(address, [entry]);
    else chain.push(entry);
  }
  return [...chains.values()];
}

/** Works on so many at once. After one has failed none begins, and it rejects when all that had begun have ended. */
export async function inLanes<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items].reverse();
  const lane = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop())
      try {
        await work(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  for (const each of lanes) if (each.status === 'rejected') throw each.reason;
}
