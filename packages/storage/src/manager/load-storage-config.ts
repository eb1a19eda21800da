import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { errorCode, StorageError } from '../errors';
import { markExpanded } from './check-config';
import { checkedSettings } from '../options/backend-options';
import { configInvalid, pathText, toldOnce, type ConfigProblem } from '../options/config-problem';
import { handedIn } from '../options/config-schemas';
import { nearest } from '../options/nearest';
import { isWord } from '../options/shown-name';
import { text } from '../options/setting-schemas';
import { expandReferences, type Environment } from './expand-references';
import { isRecord } from './map-texts';
import { parseConfigText, type ConfigDocument } from './parse-config-text';
import { resolveConfig } from './resolve-config';
import type { StorageConfig } from './storage-config';

/** Larger than any configuration, and small enough to parse at once. */
const MAX_FILE_BYTES = 256 * 1024;

export interface LoadConfigOptions {
  /** Where `$NAME` gets its value; default `process.env`. */
  readonly environment?: Environment;
  /** The key of the file that holds the configuration; default `storage`, or the whole file without such a key. */
  readonly section?: string;
}

const OPTIONS = {
  environment: handedIn('an object, such as process.env').optional(),
  section: text().optional(),
} satisfies Record<keyof LoadConfigOptions, unknown>;

/**
 * Reads a configuration from a YAML or JSON file of at most 256 KiB, and replaces `$NAME`, `${NAME}` and
 * `${NAME:-default}` in its texts; `$$` is a dollar sign. A relative `path` in it is relative to the working
 * directory of the process, not to the file.
 *
 * @throws {StorageError} `CONFIG_INVALID` for wrong `options`, and for a file that is not there or cannot work, with
 *   file, line and column of everything that is wrong
 */
export async function loadStorageConfig(
  path: string,
  options: LoadConfigOptions = {},
): Promise<StorageConfig> {
  checkedSettings(OPTIONS, 'loadStorageConfig', options);
  const { environment = process.env, section } = options;
  const document = parseConfigText(await readText(path), formatOf(path), path);
  const root: unknown = document.value;
  const within = section ?? 'storage';
  const hasSection = isRecord(root) && Object.hasOwn(root, within) && root[within] !== undefined;
  if (!hasSection && section !== undefined) throw fileError(path, `has no key "${section.slice(0, 64)}"`);
  const at = hasSection ? [within] : [];
  const { data, problems: missing } = expandReferences(hasSection ? root[within] : root, environment, 'file');
  const resolved = resolveConfig(data);
  const found = 'problems' in resolved ? resolved.problems : [];
  const problems = toldOnce([...(hasSection ? [] : lackOfSection(root)), ...missing], found);
  if (problems.length > 0) {
    throw configInvalid(path, problems, (problem) => placeOf(problem, at, document));
  }
  markExpanded(data);
  return data as StorageConfig;
}

/** Where nothing in the file is a configuration, its key is misspelt, or is another one. */
function lackOfSection(root: unknown): readonly ConfigProblem[] {
  if (!isRecord(root)) return [];
  const names = Object.keys(root);
  if (names.some((name) => ['cache', 'database', 'type'].includes(name.toLowerCase()))) return [];
  const near = nearest('storage', names.filter(isWord));
  const guess = near === undefined ? '' : ` (is "${near}" meant to be it?)`;
  const message = `has no key "storage"${guess}, and neither "cache" nor "database". The option "section" names another key`;
  return [{ path: [], message }];
}

function placeOf(problem: ConfigProblem, at: readonly PropertyKey[], document: ConfigDocument): string {
  const { line, column } = document.positionOf([...at, ...problem.path]);
  return `${line}:${column}: ${pathText([...at, ...problem.path])}`;
}

function formatOf(path: string): 'yaml' | 'json' {
  const extension = extname(path).toLowerCase();
  if (extension === '.json') return 'json';
  if (extension === '.yaml' || extension === '.yml') return 'yaml';
  throw fileError(path, 'has to be a .yaml, .yml or .json file');
}

async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const file = await open(path);
    try {
      // One byte more tells that there is more; the size that a pipe or /proc reports is 0.
      bytes = await readUpTo(file, MAX_FILE_BYTES + 1);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError(path, `cannot be read (${errorCode(cause) ?? 'no code'})`, cause);
  }
  if (bytes.length > MAX_FILE_BYTES) throw fileError(path, `is larger than ${MAX_FILE_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fileError(path, 'is not UTF-8', cause);
  }
}

async function readUpTo(
  file: { read(buffer: Uint8Array, offset: number, length: number): Promise<{ bytesRead: number }> },
  limit: number,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await file.read(buffer, length, limit - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function fileError(path: string, what: string, cause?: unknown): StorageError {
  return new StorageError('CONFIG_INVALID', `The configuration file ${path} ${what}.`, { cause });
}
