import { methodOf } from '../flow-kind';
import type { FlowListener } from './flow-listener';
import { observe } from './observe';
import { replaceMethod, type Method } from './replace-method';

/** The names under which an iterator is asked, and what an answer to each means. */
const METHODS = ['next', 'return', 'throw'] as const;

/**
 * Watches a generator or an iterator, of either kind, where it is asked for its elements: it stays as
 * lazy as it was, and the same object.
 *
 * @returns false when it takes no methods of its own.
 */
export function watchIterator(iterator: object, listener: FlowListener): boolean {
  const undo: (() => void)[] = [];
  const release = (): void => {
    for (const each of undo.splice(0)) each();
  };
  const failed = (error: unknown): void => {
    release();
    listener.onFailure(error);
  };
  const answered = (name: (typeof METHODS)[number], step: unknown): void => {
    const done = ownValue(step, 'done');
    // A generator may yield once more on its way out; other iterators answer `return` with anything.
    if (name === 'return' ? done === false : done !== true) {
      if (name !== 'return') listener.onItem(ownValue(step, 'value'));
      return;
    }
    release();
    if (name === 'return') listener.onAbort();
    else listener.onComplete();
  };
  for (const name of METHODS) {
    if (methodOf(iterator, name) === undefined) continue;
    const undoOne = replaceMethod(iterator, name, (original) =>
      watched(
        original,
        (step) => {
          answered(name, step);
        },
        failed,
      ),
    );
    if (undoOne === undefined) {
      release();
      return false;
    }
    undo.push(undoOne);
  }
  return true;
}

/** Watches something that makes an async iterator, by the first one that it makes. */
export function watchAsyncIterable(iterable: object, listener: FlowListener): boolean {
  const undo = replaceMethod(
    iterable,
    Symbol.asyncIterator,
    (original) =>
      function (...args) {
        const iterator = original.apply(this, args);
        undo?.();
        if (typeof iterator === 'object' && iterator !== null) watchIterator(iterator, listener);
        return iterator;
      },
  );
  return undo !== undefined;
}

/** The method, with what it returns, or its promise brings, told to those who watch. */
export function watched(
  original: Method,
  onValue: (value: unknown) => void,
  onError: (error: unknown) => void,
): Method {
  return function (...args) {
    return observe(() => original.apply(this, args), onValue, onError);
  };
}

/** Of a step that a program made itself, a getter is not called. */
function ownValue(step: unknown, name: 'value' | 'done'): unknown {
  if (typeof step !== 'object' || step === null) return undefined;
  return Object.getOwnPropertyDescriptor(step, name)?.value;
}
