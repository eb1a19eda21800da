import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Address } from '../../backend';

export type FileKind = 'value' | 'list';

const EXTENSIONS: Readonly<Record<FileKind, string>> = { value: '.json', list: '.jsonl' };
/** Some file systems take no more than 143 bytes for a name, most 255. */
const MAX_BYTES = 120;
const READABLE_BYTES = 50;
const BETWEEN = '@';
const CUT = '~';

/** Between folder and extension. */
export function nameOf({ partition, key }: Address): string {
  const name = escapeName(partition) + BETWEEN + escapeName(key);
  if (name.length <= MAX_BYTES) return name;
  const hash = createHash('sha256').update(`${Buffer.byteLength(partition)}:${partition}${key}`);
  return name.slice(0, READABLE_BYTES) + CUT + hash.digest('hex');
}

/** What a name stands for, unless it is one that was cut: then only the file itself says. */
export function addressOf(name: string): Address | undefined {
  const [partition, key, ...more] = name.split(BETWEEN).map(readName);
  if (partition === undefined || key === undefined || more.length > 0) return undefined;
  return nameOf({ partition, key }) === name ? { partition, key } : undefined;
}

export function fileNameOf(name: string, kind: FileKind): string {
  return name + EXTENSIONS[kind];
}

export function readFileName(
  fileName: string,
): { readonly name: string; readonly kind: FileKind } | undefined {
  for (const kind of ['value', 'list'] as const) {
    const extension = EXTENSIONS[kind];
    if (fileName.endsWith(extension)) return { name: fileName.slice(0, -extension.length), kind };
  }
  return undefined;
}

const BACKUP = /^(.+)\.(\d+)(\.jsonl?)$/;

export function backupNameOf(name: string, slot: number, kind: FileKind): string {
  return `${name}.${slot}${EXTENSIONS[kind]}`;
}

/** What a backup is of: the name, without its slot. */
export function readBackupName(
  fileName: string,
): { readonly name: string; readonly slot: number; readonly kind: FileKind } | undefined {
  const [, name, slot, extension] = BACKUP.exec(fileName) ?? [];
  if (name === undefined) return undefined;
  return { name, slot: Number(slot), kind: extension === EXTENSIONS.value ? 'value' : 'list' };
}

const TEMPORARY = '.tmp';

export const temporaryName = (path: string): string => path + TEMPORARY;
export const isTemporary = (fileName: string): boolean => fileName.endsWith(TEMPORARY);

/** By the name alone, so that a file is moved to its folder without being read. */
export function shardOf(name: string, shardCount: number): string {
  return shardName(crc32(name) % shardCount);
}

export function shardName(index: number): string {
  return index.toString(16).padStart(3, '0');
}

export function isShardName(name: string): boolean {
  return /^[0-9a-f]{3,4}$/.test(name);
}

/*
 * Lower-case letters, digits, "-" and "_" stand for themselves, "^a" for "A", everything else for its UTF-8 bytes: "%2e".
 * So no two keys share a name where case does not count or accents are composed, none is "." or "..", and none is
 * a device of Windows, which would be ahead of the first dot.
 */
const PLAIN = /^[a-z0-9_-]*$/;
const UPPER = /^[A-Z]/;
const SPECIAL = /[A-Z]+|[^a-z0-9_-]/gu;

function escapeName(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(SPECIAL, (found) =>
    UPPER.test(found)
      ? found.toLowerCase().replaceAll(/./g, '^$&')
      : Buffer.from(found).toString('hex').replaceAll(/../g, '%$&'),
  );
}

const ESCAPED = /^(?:[a-z0-9_-]|\^[a-z]|%[0-9a-f]{2})*$/;

function readName(name: string): string | undefined {
  if (!ESCAPED.test(name)) return undefined;
  const latin = name.replaceAll(/\^[a-z]|%../g, (found) =>
    found.startsWith('^') ? found.charAt(1).toUpperCase() : String.fromCharCode(parseInt(found.slice(1), 16)),
  );
  return Buffer.from(latin, 'latin1').toString();
}
