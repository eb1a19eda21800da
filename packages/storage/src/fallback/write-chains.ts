import { addressName } from '../address-name';
import type { JournalEntry } from './journal';

/** Those of each address, in their order. */
export function chainsOf(entries: readonly JournalEntry[]): JournalEntry[][] {
  const chains = new Map<string, JournalEntry[]>();
  for (const entry of entries) {
    const address = addressName(entry.write);
    const chain = chains.get(address);
    if (chain === undefined) chains.set(address, [entry]);
    else chain.push(entry);
  }
  return [...chains.values()];
}
