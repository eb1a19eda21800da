import { configInvalid, toldOnce, type ConfigProblem } from '../options/config-problem';
import { expandReferences, type Environment } from './expand-references';
import { isRecord } from './map-texts';
import { resolveConfig } from './resolve-config';
import type { ResolvedStorage } from './resolved-config';

/** Settings in which references have been replaced. What they brought may look like a reference, and is none. */
const expanded = new WeakSet();

export function markExpanded(config: object): void {
  const parts: unknown[] = [config, ...(Object.values(config) as unknown[])];
  for (const part of parts) if (isRecord(part)) expanded.add(part);
}

/**
 * A configuration that a program hands over, with references replaced and defaults filled in.
 *
 * @throws {StorageError} `CONFIG_INVALID`, naming everything that is wrong
 */
export function checkConfig(given: unknown, environment: Environment, caller: string): ResolvedStorage {
  const problems: ConfigProblem[] = [];
  const read = (part: unknown, path: readonly PropertyKey[]): unknown => {
    if (isRecord(part) && expanded.has(part)) return part;
    const { data, problems: missing } = expandReferences(part, environment, 'code');
    problems.push(...missing.map((each) => ({ ...each, path: [...path, ...each.path] })));
    return data;
  };
  const config =
    isRecord(given) && !expanded.has(given)
      ? Object.fromEntries(Object.entries(given).map(([name, part]) => [name, read(part, [name])]))
      : given;
  const resolved = resolveConfig(config);
  if ('config' in resolved && problems.length === 0) return resolved.config;
  throw configInvalid(caller, toldOnce(problems, 'problems' in resolved ? resolved.problems : []));
}
