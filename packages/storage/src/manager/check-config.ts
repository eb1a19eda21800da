import { configInvalid, toldOnce } from '../options/config-problem';
import { expandReferences, type Environment } from './expand-references';
import { mapTexts } from './map-texts';
import { resolveConfig } from './resolve-config';
import type { ResolvedStorage } from './resolved-config';

/**
 * Texts that hold a `$` after references were replaced, in whatever copy a program hands them on: read for references
 * again, one would become another, or name a part of a password in a message.
 */
const literal = new Set<string>();

/** Of settings in which references have been replaced. */
export function markExpanded(config: unknown): void {
  mapTexts(config, (text) => {
    if (text.includes('$')) literal.add(text);
    return text;
  });
}

/**
 * A configuration that a program hands over, with references replaced and defaults filled in.
 *
 * @throws {StorageError} `CONFIG_INVALID`, naming everything that is wrong
 */
export function checkConfig(given: unknown, environment: Environment, caller: string): ResolvedStorage {
  const { data, problems } = expandReferences(given, environment, 'code', literal);
  const resolved = resolveConfig(data);
  if ('config' in resolved && problems.length === 0) return resolved.config;
  throw configInvalid(caller, toldOnce(problems, 'problems' in resolved ? resolved.problems : []));
}
