export { createMemoryEntryStore } from './memory-entry-store';
export type { MemoryEntryStoreOptions } from './memory-entry-store';
export { describeEntryStore } from './describe-entry-store';
export { newEntry } from './new-entry';
