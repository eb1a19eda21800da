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

/** Levels of plain data that are looked at; a configuration has eight at most. */
const DEPTH = 32;

/** Beyond as many copies, what stands in several places is copied once; else data within itself would have no end. */
const COPIES = 1_000;

/**
 * A copy of plain data with every text replaced, or left out where there is nothing instead. What is neither a record nor a list, such as a client or a
 * function, is handed on as it is, and so is what lies deeper than 32 levels.
 *
 * @param isHandedIn of a path: whether what stands there is handed on as it is, though it may be a record
 */
export function mapTexts(
  data: unknown,
  map: (text: string, path: readonly PropertyKey[]) => string | undefined,
  isHandedIn: (path: readonly PropertyKey[]) => boolean = () => false,
): unknown {
  let result: unknown;
  const copies = new Map<object, object>();
  let count = 0;
  const steps: Step[] = [{ from: data, path: [], put: (copy) => (result = copy) }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { from, path, put } = step;
    const isList = Array.isArray(from);
    if (isHandedIn(path)) put(from);
    else if (typeof from === 'string') {
      const mapped = map(from, path);
      if (mapped !== undefined) put(mapped);
    } else if ((!isList && !isRecord(from)) || path.length >= DEPTH) put(from);
    else if (count >= COPIES && copies.has(from)) put(copies.get(from));
    else {
      const copy: object = isList ? new Array<unknown>(from.length) : {};
      copies.set(from, copy);
      count += 1;
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
