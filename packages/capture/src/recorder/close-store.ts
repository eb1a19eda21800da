import { StorageError } from '@recap/storage';
import type { EntryStore } from '../entries/entry-store';
import { within } from './within';

/** A database that hangs must not hang the program's end. */
export async function closeStore(
  store: Pick<EntryStore, 'close'>,
  limitMs: number,
  onFailure: (error: unknown, where: string) => void,
): Promise<void> {
  const closed = store.close().then(() => true);
  if ((await within(limitMs, closed)) === true) return;
  const late = new StorageError('UNAVAILABLE', 'The database did not close in time; it is left as it is.');
  onFailure(late, 'close');
  closed.catch((error: unknown) => {
    onFailure(error, 'close');
  });
}
