import { createHash } from 'node:crypto';
import type { RecordedWarning } from '../exchange';

/** Deeper metadata is cut: SQLite refuses to read JSON beyond 1,000 levels, and one such row would fail every query. */
const MAX_JSON_DEPTH = 200;

/** Read by code points, so that only surrogates without their partner are of the category. */
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/**
 * Text as every database can hold it: NUL, which PostgreSQL refuses, and lone surrogates, which are
 * not UTF-8, become U+FFFD. Applied to what is stored and to what is looked for.
 *
 * @see https://www.postgresql.org/docs/current/datatype-character.html
 */
export function storableText(text: string): string {
  // Native looks first: the expression costs more than all else that is done with a short text.
  const { isWellFormed } = text as unknown as { readonly isWellFormed: (this: string) => boolean };
  if (isWellFormed.call(text) && !text.includes('\0')) return text;
  return text.replace(UNSTORABLE, '\uFFFD');
}

/** At most three bytes of UTF-8 each, so that with its neighbours a key stays below the 2,704 bytes of an index entry on PostgreSQL. */
const MAX_KEY_LENGTH = 512;

/** Text that an index holds: {@link storableText}, and what is too long ends in its hash, so that equal stays equal. */
export function storableKey(text: string): string {
  const storable = storableText(text);
  if (storable.length <= MAX_KEY_LENGTH) return storable;
  const hash = createHash('sha256').update(storable).digest('hex');
  return `${storableText(storable.slice(0, MAX_KEY_LENGTH - hash.length - 1))}~${hash}`;
}

/** JSON text whose strings obey {@link storableText}: PostgreSQL refuses `\u0000` and lone surrogates in jsonb. */
export function storableJson(value: object): string {
  // Most are empty.
  const isList = Array.isArray(value);
  if ((isList ? value : Object.keys(value)).length === 0) return isList ? '[]' : '{}';
  const json = JSON.stringify(value);
  if (!json.includes('\\u') || !/\\u(?:0000|d[89a-f])/i.test(json)) return json;
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'string') return storableText(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, item]) => [storableText(key), item]));
  });
}

/** Metadata as JSON text that every database can query, and what has to be said when some had to go. */
export function storableMetadata(metadata: Readonly<Record<string, unknown>>): {
  json: string;
  warning: RecordedWarning | undefined;
} {
  try {
    const json = storableJson(metadata);
    const bounded = cutBelow(json, MAX_JSON_DEPTH);
    return { json: bounded, warning: bounded === json ? undefined : metadataWarning('is nested too deeply') };
  } catch (cause) {
    // A cycle, a BigInt or a depth that JSON.stringify cannot take: one entry must not cost its whole batch.
    return { json: '{}', warning: metadataWarning(`is not JSON (${(cause as Error).name})`) };
  }
}

function metadataWarning(reason: string): RecordedWarning {
  return {
    code: 'METADATA_CUT',
    message: `Part of the metadata is missing, since it ${reason}.`,
    severity: 'LOW',
    details: { maxDepth: MAX_JSON_DEPTH },
  };
}

/** Replaces what is nested deeper than `maxDepth` in JSON text by null. */
function cutBelow(json: string, maxDepth: number): string {
  if (json.length <= 2 * maxDepth) return json;
  let depth = 0;
  let isInString = false;
  let keptUntil = 0;
  const kept: string[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (isInString) {
      if (char === '\\') at += 1;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '{' || char === '[') {
      depth += 1;
      if (depth === maxDepth + 1) kept.push(json.slice(keptUntil, at), 'null');
    } else if (char === '}' || char === ']') {
      if (depth === maxDepth + 1) keptUntil = at + 1;
      depth -= 1;
    }
  }
  return kept.length === 0 ? json : kept.join('') + json.slice(keptUntil);
}
