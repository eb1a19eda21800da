/** Whether a value is an object literal or what JSON and YAML make: neither a list nor of a class. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  // By shape, since the literals of another realm have another Object.prototype.
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

interface Step {
  readonly from: unknown;
  readonly path: readonly PropertyKey[];
  readonly put: (copy: unknown) => void;
}

/** Levels of plain data that are looked at; a configuration has five. */
const DEPTH = 32;

/**
 * A copy of plain data with every text replaced, or left out where there is nothing instead. What is neither a record nor a list, such as a client or a
 * function, is handed on as it is, and so is what lies deeper than 32 levels.
 */
export function mapTexts(
  data: unknown,
  map: (text: string, path: readonly PropertyKey[]) => string | undefined,
): unknown {
  let result: unknown;
  const steps: Step[] = [{ from: data, path: [], put: (copy) => (result = copy) }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { from, path, put } = step;
    const isList = Array.isArray(from);
    if (typeof from === 'string') {
      const mapped = map(from, path);
      if (mapped !== undefined) put(mapped);
    } else if ((!isList && !isRecord(from)) || path.length >= DEPTH) put(from);
    else {
      const copy: object = isList ? new Array<unknown>(from.length) : {};
      put(copy);
      // Backwards, so that the last pushed and first popped is the first.
      const entries: [PropertyKey, unknown][] = isList ? [...from.entries()] : Object.entries(from);
      for (const [key, value] of entries.reverse()) {
        steps.push({ from: value, path: [...path, key], put: (each) => define(copy, key, each) });
      }
    }
  }
  return result;
}

/** Not by assignment: `__proto__` is a key like others, to be refused by whoever reads the copy. */
function define(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
