import type * as Yaml from 'yaml';
import type { Document, LineCounter, Scalar, YAMLError } from 'yaml';
import { StorageError } from '../errors';
import { jsonErrorOffset } from './json-error-offset';

/** Loaded when there is a file to read: it takes longer than most programs take to open their storage. */
function yaml(): typeof Yaml {
  return require('yaml') as typeof Yaml;
}

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface ConfigDocument {
  readonly value: unknown;
  /** Where the value at a path begins, or what is nearest around it. */
  positionOf(path: readonly PropertyKey[]): Position;
}

/**
 * Parses a configuration; JSON is read as the YAML that it is, after it was found to be JSON, for its positions.
 *
 * @throws {StorageError} `CONFIG_INVALID` with line and column. The parsers' own messages quote the file, and it
 *   may hold secrets, so they are not used.
 */
export function parseConfigText(text: string, format: 'yaml' | 'json', file: string): ConfigDocument {
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const fail = (offset: number, what: string): StorageError => {
    const { line, column } = positionAt(lines, offset);
    return new StorageError('CONFIG_INVALID', `${file}:${line}:${column}: ${what}.`);
  };
  let document: Document;
  try {
    // Plain scalars stay what they look like; `!!js` and other tags of languages do not exist here.
    document = parseDocument(text, {
      prettyErrors: false,
      lineCounter: lines,
      merge: format === 'yaml',
      // Its warnings go to the process, and quote keys.
      logLevel: 'error',
    });
  } catch (cause) {
    // Its composer goes down a level of the file on a level of the stack.
    throw new StorageError('CONFIG_INVALID', `${file} is nested too deeply to be read.`, { cause });
  }
  if (format === 'json') {
    const offset = jsonErrorOffset(text);
    if (offset !== undefined) throw fail(offset, 'this is not JSON');
  }
  const found = [...document.errors, ...document.warnings];
  const [error] = format === 'json' ? found.filter(({ code }) => code === 'DUPLICATE_KEY') : found;
  if (error !== undefined) {
    const [at] = error.pos;
    if (text.slice(at - 1, at + 1) === '${') throw fail(at - 1, UNQUOTED_REFERENCE);
    throw fail(at, whatIsWrong(error));
  }
  return {
    value: format === 'json' ? (JSON.parse(text) as unknown) : valueOf(document, fail),
    positionOf: (path) => positionAt(lines, offsetOf(document, path)),
  };
}

/** There, a brace begins a map. */
const UNQUOTED_REFERENCE = 'a text that holds "${" is quoted within { } and [ ] in YAML: "${NAME}"';
const UNKNOWN_ALIAS = 'an alias (*name) without its anchor (&name); a text that begins with * is quoted';

function valueOf(document: Document, fail: (offset: number, what: string) => StorageError): unknown {
  yaml().visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined) throw fail(alias.range?.[0] ?? 0, UNKNOWN_ALIAS);
    },
    Pair: (_key, { key, value }) => {
      if (!isMergeKey(key) || isMergeable(value, document)) return;
      throw fail(
        key.range?.[0] ?? 0,
        'a merge key (<<) takes a map, an alias (*name) of one, or a list of those',
      );
    },
  });
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    // The only thing left to go wrong: few lines of aliases can stand for terabytes.
    throw fail(0, 'its aliases (*name) stand for too much');
  }
}

/** A plain `<<`, of which the parser makes a symbol; a quoted one is a name like others. */
function isMergeKey(key: unknown): key is Scalar {
  return yaml().isScalar(key) && typeof key.value === 'symbol';
}

function isMergeable(value: unknown, document: Document): boolean {
  const { isAlias, isMap, isSeq } = yaml();
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const source = resolved(value);
  return isMap(source) || (isSeq(source) && source.items.every((each) => isMap(resolved(each))));
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as
      { range?: readonly number[] | null } | undefined;
    const begin = node?.range?.[0];
    if (begin !== undefined) return begin;
  }
  return document.contents?.range?.[0] ?? 0;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function whatIsWrong({ code }: YAMLError): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key is there twice';
    case 'TAB_AS_INDENT':
      return 'a tab is no indentation in YAML';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; one is taken';
    case 'BAD_ALIAS':
      return UNKNOWN_ALIAS;
    case 'BAD_SCALAR_START':
      return 'a text that begins with @ or ` is quoted in YAML';
    case 'BAD_INDENT':
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'the indentation is wrong here, or a bracket (a text that holds ": " is quoted in YAML)';
    case 'MISSING_CHAR':
      return 'a bracket, a quote or a comma is missing';
    case 'TAG_RESOLVE_FAILED':
      return 'a tag (!name) that is not taken; a text that begins with ! is quoted';
    case 'RESOURCE_EXHAUSTION':
      return 'nested too deeply';
    default:
      return 'this is not YAML';
  }
}
