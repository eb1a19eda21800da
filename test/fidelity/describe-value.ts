import { createHash } from 'node:crypto';

const SHOWN = 200;

/** A value as one line of a log: equal for equal values, short for long ones. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return describeText(value);
  if (value instanceof Uint8Array) return `bytes ${describeText(Buffer.from(value).toString('latin1'))}`;
  if (isError(value)) return describeError(value);
  if (typeof value === 'function') return 'a function';
  if (typeof (value as { on?: unknown } | null)?.on === 'function') return 'an emitter';
  if (typeof value === 'object' && value !== null) return describeText(JSON.stringify(value));
  return String(value);
}

/** What was thrown or emitted: its code where it has one, and its message. */
export function describeError(error: unknown): string {
  if (!isError(error)) return `the value ${describeValue(error)}`;
  const { code } = error as { readonly code?: unknown };
  return `${error.name}${typeof code === 'string' ? ` ${code}` : ''}: ${error.message}`;
}

export function describeText(text: string): string {
  if (text.length <= SHOWN) return JSON.stringify(text);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${JSON.stringify(text.slice(0, 40))}… (${text.length}, ${digest})`;
}

/** Errors of Node itself are of another realm under Jest. */
function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}
