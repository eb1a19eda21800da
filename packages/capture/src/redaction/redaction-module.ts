import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageError } from '@recap/storage';
import type { BodyKind } from '../body-kind';
import type { Side } from './redactor';

/** What is known of a body besides its text. */
export interface RedactedBodyPlace {
  readonly side: Side;
  /** What its content type claims, or what it looks like without one. */
  readonly kind: Exclude<BodyKind, 'binary' | 'multipart'>;
  /** False when its end is missing, so that JSON does not parse. */
  readonly isComplete: boolean;
}

/**
 * What a module named by `redaction: { module }` exports, by name or as its default. Each function is given what the
 * built-in rules have left, and returns what is to be stored instead. They are synchronous, run for every exchange, and
 * run in the worker where there is one. What a function throws, or gives that is not of its type, hides all that it was
 * given, and is told to `onError`.
 */
export interface RedactionFunctions {
  /** A body of text; `undefined` drops it. Not called for empty, binary and multipart ones. */
  readonly body?: (text: string, place: RedactedBodyPlace) => string | undefined;
  /** The value of a header field; `undefined` leaves the field out. */
  readonly header?: (
    value: string,
    place: { readonly side: Side; readonly name: string },
  ) => string | undefined;
  /** A query string without `?`. */
  readonly query?: (query: string) => string;
  /** The concrete path; and the template of the route, in which only names are left to see. */
  readonly path?: (path: string) => string;
  /** The name or the message of an error. */
  readonly text?: (text: string) => string;
  readonly metadata?: (metadata: Record<string, unknown>) => Record<string, unknown>;
}

const NAMES = ['body', 'header', 'query', 'path', 'text', 'metadata'] as const;

/**
 * The file of a redaction module: of an absolute path, a `file:` URL, a path that begins with `./` or `../`, or the name
 * of a package; the last two as seen from the folder in which the program was started.
 *
 * @throws {StorageError} `CONFIG_INVALID` when there is none
 */
export function resolveRedactionModule(named: string): string {
  try {
    if (named.startsWith('file:')) return existing(fileURLToPath(named));
    if (isAbsolute(named) || named.startsWith('.')) return existing(resolve(named));
    return createRequire(join(process.cwd(), 'recap')).resolve(named);
  } catch (cause) {
    throw wrong(named, `cannot be found (looked from ${process.cwd()})`, cause);
  }
}

/**
 * Loads a module, of either kind.
 *
 * @param file as {@link resolveRedactionModule} gives it
 * @throws {StorageError} `CONFIG_INVALID` when it cannot be loaded, exports none of the functions, or one of another name:
 *   a name that is misspelt would leave a secret in place
 */
export function loadRedactionModule(file: string): RedactionFunctions {
  let loaded: unknown;
  try {
    loaded = createRequire(file)(file);
  } catch (cause) {
    throw wrong(file, `cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const found = functionsOf(loaded) ?? functionsOf((loaded as { default?: unknown } | null)?.default);
  if (found !== undefined) {
    const strange = Object.entries(found).find(
      ([name, value]) => typeof value === 'function' && !isKnown(name),
    );
    if (strange === undefined) return found;
    throw wrong(file, `exports a function "${strange[0]}"; those that are called are ${NAMES.join(', ')}`);
  }
  throw wrong(file, `has to export functions named ${NAMES.join(', ')}, one of them at least`);
}

/** `undefined` when it holds none of the names; each that it holds has to be a function. */
function functionsOf(exported: unknown): RedactionFunctions | undefined {
  if (typeof exported !== 'object' || exported === null) return undefined;
  const members = exported as Readonly<Record<string, unknown>>;
  const named = NAMES.filter((name) => members[name] !== undefined);
  if (named.length === 0 || named.some((name) => typeof members[name] !== 'function')) return undefined;
  return exported;
}

function isKnown(name: string): boolean {
  return name === 'default' || (NAMES as readonly string[]).includes(name);
}

/** A path is taken as it is: with extension. */
function existing(path: string): string {
  if (statSync(path).isFile()) return path;
  throw new Error('It is a folder.');
}

function wrong(named: string, problem: string, cause?: unknown): StorageError {
  return new StorageError('CONFIG_INVALID', `The redaction module "${named}" ${problem}.`, { cause });
}
