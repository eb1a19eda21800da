import type { Exchange } from '../exchange';
import type { HeldAnswer } from '../tap/held-answer';
import type { EntryWriter } from './entry-writer';
import type { OpenExchange } from './open-exchange';
import type { RecorderOptions } from './recorder-options';
import { asRefused, refusalFor } from './refused-answer';

interface Committing {
  readonly options: Pick<RecorderOptions, 'onStrictFailure'>;
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
  const failsOpen = recorder.options.onStrictFailure === 'fail-open';
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
    if (failsOpen) answer.release();
    else answer.refuse(refusalFor(open.id));
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
    left: () => (failsOpen ? recorded : asRefused(recorded, refusalFor(open.id), answer.isWhole)),
    onFailed: () => {
      if (failsOpen) guarded(release);
      else {
        guarded(() => {
          answer.refuse(refusalFor(open.id));
        });
      }
    },
  });
}
