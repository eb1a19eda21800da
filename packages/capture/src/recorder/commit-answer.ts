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
  const guarded = (work: () => boolean): boolean => {
    try {
      return work();
    } catch (error) {
      recorder.onError(error, 'strict');
      return false;
    }
  };
  const release = (): boolean => {
    answer.release();
    return true;
  };
  recorder.writer.commit(recorded, {
    onCommitted: () => {
      guarded(release);
    },
    onFailed: () => {
      if (failsOpen) {
        guarded(release);
        return recorded;
      }
      const refusal = refusalFor(open.id);
      const isReplaced = guarded(() => answer.refuse(refusal));
      return asRefused(recorded, refusal, isReplaced);
    },
  });
}
