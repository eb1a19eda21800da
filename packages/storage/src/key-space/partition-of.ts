/** Changing it, or the hash below, loses sight of everything that is stored. */
export const PARTITIONS = 64;

/** Which of the partitions a key lives in: FNV-1a over its UTF-16 units, folded. */
export function partitionOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1)
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & (PARTITIONS - 1);
}
