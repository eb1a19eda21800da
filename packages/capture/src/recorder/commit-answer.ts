import type { Exchange } from '../exchange';
import { attempt } from './build-exchange';
import type { HeldAnswer } from '../tap/held-answer';
import type { EntryWriter } from './entry-writer';
import type { OpenExchange } from './open-exchange';
import { asRefused, refusalFor } from './refused-answer';

interface Committing {
  readonly failsClosed: boolean;
  readonly writer: EntryWriter;
  start(): void;
  onError(error: unknown, where: string): void;
}

/**
 * Lets an answer go out once its exchange is committed. Runs in the host's event loop: nothing may escape.
 *
 * @param build the exchange; `undefined` when it is not to be recorded
 */
export function commitAnswer(
  open: OpenExchange,
  answer: HeldAnswer,
  recorder: Committing,
  build: () => Exchange | undefined,
): void {
  const { failsClosed } = recorder;
  let exchange: Exchange | undefined;
  try {
    exchange = build();
    if (exchange !== undefined) {
      // What was decorated within it is committed with it.
      open.settle(exchange);
      open.isCommitting = true;
      recorder.start();
    }
  } catch (error) {
    recorder.onError(error, 'strict');
    recorder.writer.loseAnswer('internal_error');
    // It has been counted, and what its client gets is not what the program answers.
    open.isCommitting = true;
    attempt(
      () => {
        open.settle(undefined);
      },
      'settle',
      (failure, where) => {
        recorder.onError(failure, where);
      },
    );
    if (failsClosed) answer.refuse(refusalFor(open.id));
    else answer.release();
    return;
  }
  if (exchange === undefined) {
    answer.release();
    return;
  }
  const recorded = exchange;
  /** The connection is the program's, who may have put methods of its own there. */
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      recorder.onError(error, 'strict');
    }
  };
  const release = (): void => {
    answer.release();
  };
  recorder.writer.commit(recorded, {
    onCommitted: () => {
      guarded(release);
    },
    left: () => (failsClosed ? asRefused(recorded, refusalFor(open.id), answer.isWhole) : recorded),
    onFailed: () => {
      guarded(
        failsClosed
          ? () => {
              answer.refuse(refusalFor(open.id));
            }
          : release,
      );
    },
  });
}
