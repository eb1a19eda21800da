import type { ConfigProblem } from '../options/config-problem';
import { isRecord } from './map-texts';

type Settings = Readonly<Record<string, unknown>>;

/** A copy in which settings go by their own names. Names are paths: `pool.max`. */
export function renameSettings(
  given: Settings,
  aliases: Readonly<Record<string, string>>,
  path: readonly PropertyKey[],
  problems: ConfigProblem[],
): Settings {
  let result = given;
  for (const [alias, name] of Object.entries(aliases)) {
    const value = read(given, alias);
    if (value === undefined) {
      if (Object.hasOwn(result, alias)) result = write(result, alias, undefined);
      continue;
    }
    if (read(given, name) !== undefined) {
      problems.push({
        path: [...path, ...alias.split('.')],
        message: `says the same as "${name}". Say it once`,
      });
    }
    result = write(write(result, alias, undefined), name, value);
  }
  return result;
}

function read(settings: Settings, name: string): unknown {
  const [head = '', tail] = name.split('.');
  const value = Object.hasOwn(settings, head) ? settings[head] : undefined;
  if (tail === undefined) return value;
  return isRecord(value) ? read(value, tail) : undefined;
}

function write(settings: Settings, name: string, value: unknown): Settings {
  const [head = '', tail] = name.split('.');
  if (tail === undefined) {
    const { [head]: _old, ...rest } = settings;
    return value === undefined ? rest : { ...rest, [head]: value };
  }
  const inner = settings[head];
  return { ...settings, [head]: write(isRecord(inner) ? inner : {}, tail, value) };
}
