import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { DESCRIPTION } from '../backends/file/folder-layout';
import { isSqliteStorage } from '../backends/sqlite/is-storage';
import { nameOfEnd } from '../copy/storage-identity';
import { errorCode, StorageError } from '../errors';
import { backendType, type BackendType } from '../manager/backend-types';
import { backendShapes } from '../options/config-schemas';
import { configInvalid } from '../options/config-problem';
import { expandReferences } from '../manager/expand-references';
import { identityOfConfig } from '../manager/identity-of';
import { loadStorageConfig } from '../manager/load-storage-config';
import { openHalf, partitionPrefix, type Half } from '../manager/open-half';
import { resolveConfig } from '../manager/resolve-config';
import type { ResolvedHalf, Role } from '../manager/resolved-config';
import type { StorageOptions } from '../manager/storage-options';
import { UsageError } from './usage-error';

const FORMS =
  'a configuration file (app.yml#database), postgres://…, redis://…, mongodb://…, dynamodb:table?region=…, sqlite:path or file:path';
const CONFIG_FILE = /^(.+\.(?:ya?ml|json))(?:#(\w+))?$/i;
const SCHEME = /^([a-z][a-z0-9]+)(?:\+[a-z]+)?:(?:\/\/)?(.*)$/is;

/** Where data comes from, or goes to, as somebody wrote it on the command line. */
export interface StorageEnd {
  /** For messages; it holds nothing secret. */
  readonly label: string;
  readonly half: ResolvedHalf;
}

/**
 * @param keyPrefix instead of what the configuration says
 * @throws {UsageError} for a text that is none of the forms
 * @throws {StorageError} `CONFIG_INVALID`
 */
export async function readEnd(
  given: string,
  keyPrefix: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<StorageEnd> {
  const { data, problems } = expandReferences(given, environment, 'code');
  if (problems.length > 0) throw new UsageError(`An end of the copy: ${problems[0]!.message}`);
  const text = data as string;
  const [, path, role] = CONFIG_FILE.exec(text) ?? [];
  // A URL may end with .json too.
  if (path !== undefined && !/^\w+:\/\//.test(text)) return await fromFile(path, role, keyPrefix);
  const found = fromUrl(text);
  const named = keyPrefix === undefined ? found : { ...found, keyPrefix };
  return lasting({ label: found.type, half: resolveHalf({ database: named }, 'database', found.type) });
}

/** What only the process has is empty when it begins, and gone when it ends. */
function lasting(end: StorageEnd): StorageEnd {
  const { backend } = end.half;
  if (backend.type !== 'memory' && !(backend.type === 'sqlite' && backend.path === ':memory:')) return end;
  throw new StorageError(
    'CONFIG_INVALID',
    `${end.label} is in memory: it is empty when the command begins, and gone when it ends. Name a storage that lasts: ${FORMS}.`,
  );
}

async function fromFile(
  path: string,
  role: string | undefined,
  keyPrefix: string | undefined,
): Promise<StorageEnd> {
  const config = await loadStorageConfig(path);
  const chosen = role ?? onlyRole(Object.keys(config), path);
  if ((chosen !== 'cache' && chosen !== 'database') || config[chosen] === undefined)
    throw new UsageError(`${path} has no "${chosen}"; a role is "cache" or "database".`);
  const { fallback: _fallback, ...backend } = config[chosen];
  const named = keyPrefix === undefined ? backend : { ...backend, keyPrefix };
  const half = resolveHalf({ [chosen]: named }, chosen, path);
  return lasting({ label: `${half.backend.type} (${path}#${chosen})`, half });
}

function onlyRole(names: readonly string[], path: string): string {
  const roles = names.filter((name) => name === 'cache' || name === 'database');
  const [role] = roles;
  if (roles.length === 1 && role !== undefined) return role;
  throw new UsageError(`${path} has both roles. Say which one: ${path}#database or ${path}#cache.`);
}

interface Given {
  readonly type: BackendType;
  readonly [setting: string]: unknown;
}

/** Which setting takes what follows the scheme is read off the settings that a type has. */
function fromUrl(text: string): Given {
  const [, scheme, rest = ''] = SCHEME.exec(text) ?? [];
  // No part of it is shown: what is no URL may be a password.
  if (scheme === undefined) throw new UsageError(`An end is ${FORMS}.`);
  const name = scheme.toLowerCase();
  const found = backendType(name === 'rediss' ? 'redis' : name);
  if ('problem' in found) throw new UsageError(`The type ${found.problem}. An end is ${FORMS}.`);
  const { type } = found;
  const shape: object = backendShapes[type];
  if ('url' in shape) return { type, url: text };
  // Without one it would be where a configuration has it by default, which nobody sees here.
  if ('path' in shape && rest === '')
    throw new StorageError('CONFIG_INVALID', `"${scheme}:" names no path. Write ${name}:path.`);
  if ('path' in shape) return { type, path: rest };
  const [place, query] = splitOnce(rest, '?');
  const settings = Object.fromEntries(new URLSearchParams(query));
  if ('table' in shape && place !== '') return { type, table: place, ...settings };
  return { type, ...settings };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function resolveHalf(given: object, role: Role, label: string): ResolvedHalf {
  const resolved = resolveConfig(given);
  const half = 'config' in resolved ? resolved.config[role] : undefined;
  if (half !== undefined) return half;
  throw configInvalid(label, 'problems' in resolved ? resolved.problems : []);
}

/** Its name in tokens, and what its partitions begin with: before it is opened, as `endName` and `Half` after it. */
export function placeOfEnd(
  { half: { backend } }: StorageEnd,
  allPartitions: boolean,
): { readonly name: string; readonly prefix: string } {
  const name = nameOfEnd(backend.type, identityOfConfig(backend));
  return { name, prefix: allPartitions ? '' : partitionPrefix(backend) };
}

/**
 * Opens an end. Other backends never take over: a copy of what a fallback has is not what was asked for.
 *
 * @param hasToExist whether a file or folder that is not there is an error, rather than made
 */
export async function openEnd(
  { half, label }: StorageEnd,
  hasToExist: boolean,
  options: StorageOptions,
): Promise<Half> {
  if (hasToExist) await refuseAbsent({ half, label });
  return await openHalf({ ...half, fallback: undefined }, options, undefined);
}

/** @throws {StorageError} `UNAVAILABLE` for a file or folder that is not there, or that no backend has made */
export async function refuseAbsent({ half: { backend }, label }: StorageEnd): Promise<void> {
  if (backend.type !== 'file' && backend.type !== 'sqlite') return;
  const { type, path } = backend;
  if (!(await isThere(path))) throw new StorageError('UNAVAILABLE', `There is no ${path} (${label}).`);
  // What is of something else would be made a storage.
  if (type === 'file' && !(await isThere(join(path, DESCRIPTION))))
    throw new StorageError(
      'UNAVAILABLE',
      `${path} has no ${DESCRIPTION}: it is no folder of a file backend (${label}).`,
    );
  if (type === 'sqlite' && isSqliteStorage(path) === false)
    throw new StorageError(
      'UNAVAILABLE',
      `${path} has no tables of a storage: it is of something else (${label}).`,
    );
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
