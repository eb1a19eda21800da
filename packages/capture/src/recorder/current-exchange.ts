import { AsyncLocalStorage } from 'node:async_hooks';
import type { OpenExchange } from './open-exchange';

let storage: AsyncLocalStorage<OpenExchange> | undefined;

/** From now on code can ask which exchange it runs in. Costs something on every request, so only a decorator asks for it. */
export function trackCurrentExchange(): void {
  storage ??= new AsyncLocalStorage();
}

/** Calls `work` so that {@link currentExchange} finds `exchange` in it and in all that it starts. */
export function runWithin<T>(exchange: OpenExchange | undefined, work: () => T): T {
  if (storage === undefined || exchange === undefined) return work();
  return storage.run(exchange, work);
}

export function currentExchange(): OpenExchange | undefined {
  return storage?.getStore();
}
