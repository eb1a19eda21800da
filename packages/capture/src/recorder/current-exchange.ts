import { AsyncLocalStorage } from 'node:async_hooks';
import type { OpenExchange } from './open-exchange';

/** In place of an exchange: what runs here is left out on purpose. */
const LEFT_OUT = Symbol('recap.leftOut');

let storage: AsyncLocalStorage<OpenExchange | typeof LEFT_OUT> | undefined;

/** From now on code can ask which exchange it runs in. Costs something on every request, so only a decorator asks for it. */
export function trackCurrentExchange(): void {
  storage ??= new AsyncLocalStorage();
}

/** Calls `work` so that {@link currentExchange} finds `exchange` in it and in all that it starts. */
export function runWithin<T>(exchange: OpenExchange | undefined, work: () => T): T {
  if (storage === undefined || exchange === undefined) return work();
  return storage.run(exchange, work);
}

/** Calls `work` so that decorated methods in it record nothing: the request was left out. */
export function withoutRecording<T>(work: () => T): T {
  return storage === undefined ? work() : storage.run(LEFT_OUT, work);
}

export function currentExchange(): OpenExchange | undefined {
  const current = storage?.getStore();
  return current === LEFT_OUT ? undefined : current;
}

export function isLeftOut(): boolean {
  return storage?.getStore() === LEFT_OUT;
}
