import type { EntryFilter } from '../entries/entry-filter';
import type { EntryStore } from '../entries/entry-store';
import { combine, type FilterStep } from './entry-selection';
import { MAX_TOTAL, type Window } from './list-page';
import type { QueryWarning } from './query-warning';

export interface EmptyAnswer {
  /** What the principal may see at most. */
  readonly scope: EntryFilter;
  readonly steps: readonly FilterStep[];
  readonly window: Window;
  /** True when an admin narrowed the scope to one owner. */
  readonly isOneOwnerOfAll: boolean;
}

/** Says why a list is empty: which filter, applied after those before it, was the first to leave nothing. */
export async function explainNoResults(store: EntryStore, answer: EmptyAnswer): Promise<QueryWarning> {
  const { scope, steps, window, isOneOwnerOfAll } = answer;
  const names = [isOneOwnerOfAll ? 'owner_id' : null, ...steps.map(({ name }) => name)];
  const applied = await firstEmpty(store, scope, steps);
  const emptiedBy = names[applied] ?? (applied === names.length ? pastTheEnd(window) : null);
  const { owner: _, ...allOwners } = combine(scope, steps);
  const others = isOneOwnerOfAll ? await store.count(allOwners, MAX_TOTAL) : undefined;
  return {
    code: 'NO_RESULTS_FOUND',
    message: describe(emptiedBy),
    severity: 'MEDIUM',
    details: {
      emptied_by: emptiedBy,
      ...(others && { other_owners: others.total, other_owners_is_capped: others.isCapped }),
    },
  };
}

/** How many of the steps, scope included, are needed to leave nothing: each step only ever takes away, so halving finds it. */
async function firstEmpty(
  store: EntryStore,
  scope: EntryFilter,
  steps: readonly FilterStep[],
): Promise<number> {
  let low = 0;
  let high = steps.length + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const filter = combine(scope, steps.slice(0, middle));
    const found = await store.find({ filter, limit: 1, includeBodies: false });
    if (found.length === 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function pastTheEnd(window: Window): string {
  return window.after === undefined ? 'page' : 'cursor';
}

function describe(emptiedBy: string | null): string {
  if (emptiedBy === null) return 'Nothing has been recorded that you may see.';
  if (emptiedBy === 'page' || emptiedBy === 'cursor')
    return `There is nothing at this ${emptiedBy} any more.`;
  return `Nothing matches: ${emptiedBy} left nothing.`;
}
