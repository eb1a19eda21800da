import { StorageError } from '../errors';

/** What became of one item of `mset`, in the order of the items. */
export type BatchOutcome =
  | { readonly key: string; readonly status: 'written' }
  | { readonly key: string; readonly status: 'failed'; readonly error: Error };

/** `BATCH_FAILED`: some items were not written, and `outcomes` says which and why. The others are. */
export class BatchError extends StorageError {
  readonly outcomes: readonly BatchOutcome[];

  constructor(outcomes: readonly BatchOutcome[]) {
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'failed' ? [outcome.error] : []));
    super(
      'BATCH_FAILED',
      `${errors.length} of ${outcomes.length} items were not written; see "outcomes". The first: ${errors[0]?.message ?? ''}`,
      { cause: errors[0] },
    );
    this.outcomes = outcomes;
  }
}
