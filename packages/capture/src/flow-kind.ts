import { types } from 'node:util';

/** What a value is that holds no data of its own but hands them out over time. */
export type FlowKind =
  'generator' | 'iterator' | 'asyncIterable' | 'stream' | 'webStream' | 'observable' | 'promise' | 'thenable';

/** What stands in a record in place of one. */
export const FLOW_MARKS: Readonly<Record<FlowKind, string>> = {
  generator: '[Generator]',
  iterator: '[Iterator]',
  asyncIterable: '[AsyncIterable]',
  stream: '[Stream]',
  webStream: '[ReadableStream]',
  observable: '[Observable]',
  promise: '[Promise]',
  thenable: '[Thenable]',
};

/**
 * Tells such a value by its methods. Calls nothing of the value, no getter either; a `Proxy` is never
 * one, since looking at it calls its traps.
 */
export function flowKind(value: unknown): FlowKind | undefined {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return undefined;
  if (types.isGeneratorObject(value)) return 'generator';
  if (types.isPromise(value)) return 'promise';
  const has = (name: PropertyKey): boolean => methodOf(value, name) !== undefined;
  if (has('then')) return 'thenable';
  if (has('subscribe') && has('pipe')) return 'observable';
  if (has('pipe') && has('emit')) return 'stream';
  if (has('getReader') && has('tee')) return 'webStream';
  if (has('next')) return has(Symbol.asyncIterator) || has(Symbol.iterator) ? 'iterator' : undefined;
  return has(Symbol.asyncIterator) ? 'asyncIterable' : undefined;
}

/** A method of a value, own or inherited, found without calling a getter. */
export function methodOf(value: object, name: PropertyKey): ((...args: unknown[]) => unknown) | undefined {
  let holder: object | null = value;
  while (holder !== null) {
    const found = Object.getOwnPropertyDescriptor(holder, name);
    if (found !== undefined) {
      const method: unknown = found.value;
      return typeof method === 'function' ? (method as (...args: unknown[]) => unknown) : undefined;
    }
    holder = Object.getPrototypeOf(holder) as object | null;
  }
  return undefined;
}
