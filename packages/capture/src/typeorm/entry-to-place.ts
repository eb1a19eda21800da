import type { NewEntry } from '../entries/entry-store';
import type { EntryToPlace } from '../sessions/place-entries';
import { storableKey, storableText } from './storable-text';

/**
 * An entry as placing sees it: its text as the database will hold it, and its instants in whole ms, as
 * they are stored. Rounding an end down changes no decision, since starts and timeouts are whole.
 */
export function entryToPlace(entry: NewEntry): EntryToPlace {
  const { key, group, timeoutMs, requestedId, proposedId } = entry.session;
  const session = {
    key: storableKey(key),
    group: group === undefined ? undefined : storableText(group),
    timeoutMs: Math.ceil(timeoutMs),
  };
  return {
    id: storableKey(entry.id),
    owner: storableKey(entry.owner),
    createdAt: Math.trunc(entry.createdAt),
    durationMs: Math.floor(entry.durationMs),
    session:
      requestedId === undefined && proposedId === undefined
        ? session
        : {
            ...session,
            ...(requestedId === undefined ? {} : { requestedId: storableKey(requestedId) }),
            ...(proposedId === undefined ? {} : { proposedId: storableKey(proposedId) }),
          },
  };
}
