import { createRecorder } from '@recap/capture';

/** Whether a recorder has this durability. */
export function knowsDurability(durability: string, folder: string): boolean {
  const options = { durability, database: { type: 'sqlite', path: `${folder}/none.db` } };
  try {
    void createRecorder(options as Parameters<typeof createRecorder>[0]).close();
    return true;
  } catch {
    // CONFIG_INVALID.
    return false;
  }
}
