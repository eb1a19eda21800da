import type { JsonValue } from '../json-value';

interface Container {
  readonly value: readonly JsonValue[] | Readonly<Record<string, JsonValue>>;
  readonly names: readonly string[] | undefined;
  readonly size: number;
  next: number;
}

/** JSON text with the members of objects in one order, since engines give them back in any. */
export function canonicalJson(root: JsonValue): string {
  const parts: string[] = [];
  const open: Container[] = [];
  const write = (value: JsonValue): void => {
    if (typeof value !== 'object' || value === null) {
      parts.push(JSON.stringify(value));
      return;
    }
    if (isArray(value)) {
      parts.push('[');
      open.push({ value, names: undefined, size: value.length, next: 0 });
      return;
    }
    const names = Object.keys(value).sort();
    parts.push('{');
    open.push({ value, names, size: names.length, next: 0 });
  };
  write(root);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { value, names, size } = top;
    if (top.next === size) {
      parts.push(names === undefined ? ']' : '}');
      open.pop();
      continue;
    }
    const at = top.next++;
    if (at > 0) parts.push(',');
    const name = names?.[at];
    if (name !== undefined) parts.push(JSON.stringify(name), ':');
    write((value as Readonly<Record<string | number, JsonValue>>)[name ?? at]!);
  }
  return parts.join('');
}

const isArray = (value: object): value is readonly JsonValue[] => Array.isArray(value);
