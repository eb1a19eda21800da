import type { FlowListener } from './flow-listener';
import { replaceMethod, type Method } from './replace-method';
import { watched, watchIterator } from './watch-iterator';

/** These read a stream from within, or end it: nothing more can be seen. */
const OUT_OF_SIGHT = ['pipeTo', 'pipeThrough', 'tee', 'cancel'];

/** Watches a web `ReadableStream` by the readers and iterators that the program takes its chunks with. */
export function watchWebStream(stream: object, listener: FlowListener): boolean {
  const whenTaken =
    (watchTaker: (taker: object) => void) =>
    (original: Method): Method =>
      function (...args) {
        const taker = original.apply(this, args);
        if (typeof taker === 'object' && taker !== null) watchTaker(taker);
        return taker;
      };
  const watchReader = whenTaken((reader) => {
    watchReads(reader, listener);
  });
  const watchValues = whenTaken((iterator) => {
    watchIterator(iterator, listener);
  });
  const loseSight = whenTaken(() => {
    listener.onAbort();
  });
  return [
    replaceMethod(stream, 'getReader', watchReader),
    replaceMethod(stream, 'values', watchValues),
    replaceMethod(stream, Symbol.asyncIterator, watchValues),
    ...OUT_OF_SIGHT.map((name) => replaceMethod(stream, name, loseSight)),
  ].every((undo) => undo !== undefined);
}

function watchReads(reader: object, listener: FlowListener): void {
  const onStep = (step: unknown): void => {
    const { done, value } = (step ?? {}) as { readonly done?: unknown; readonly value?: unknown };
    if (done === true) listener.onComplete();
    else listener.onItem(value);
  };
  const onFailure = (error: unknown): void => {
    listener.onFailure(error);
  };
  replaceMethod(reader, 'read', (original) => watched(original, onStep, onFailure));
  const onCancelled = (): void => {
    listener.onAbort();
  };
  replaceMethod(reader, 'cancel', (original) => watched(original, onCancelled, onFailure));
}
