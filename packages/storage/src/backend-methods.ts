import type { Backend } from './backend';

const METHODS = [
  ...(['open', 'get', 'getMany', 'set', 'delete', 'scan', 'keys', 'partitions', 'batch'] as const),
  ...(['append', 'range', 'length', 'transact', 'query', 'publish', 'subscribe', 'sweep'] as const),
  ...(['health', 'stats', 'close'] as const),
] satisfies readonly (keyof Backend)[];

const MOST_NAMED = 5;

/** Why a value is no backend, as the rest of a sentence; `undefined` where it is one. */
export function whyNoBackend(value: unknown): string | undefined {
  const wanted = 'has to be a backend, such as createMemoryBackend() makes one';
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return wanted;
  const missing = METHODS.filter((name) => typeof (value as Partial<Backend>)[name] !== 'function');
  if (missing.length === 0) {
    const { capabilities } = value as Partial<Backend>;
    return typeof capabilities === 'object' ? undefined : `${wanted}; this has no capabilities`;
  }
  const named = missing.slice(0, MOST_NAMED).map((name) => `${name}()`);
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : '';
  return `${wanted}; this has no ${named.join(', ')}${more}`;
}
