import type { Backend } from '../backend';
import type { Half } from '../manager/open-half';
import type { CommandContext } from './command-context';
import { openEnd, readEnd, type StorageEnd } from './storage-end';
import { countText } from './terminal';

/** What is said about the names of partitions. */
export interface EndOptions {
  readonly keyPrefix?: string;
  readonly allPartitions?: boolean;
}

/** An end that is open. */
export interface OpenEnd {
  readonly label: string;
  readonly backend: Backend;
  /** What the partitions begin with that belong to it. */
  readonly prefix: string;
  /** Files that were found damaged so far, and what was done about each. */
  readonly damagedFiles: readonly string[];
}

/** Reads from an end that somebody has named. */
export async function withSource<T>(
  given: string,
  options: EndOptions,
  context: CommandContext,
  use: (end: OpenEnd) => Promise<T>,
): Promise<T> {
  const end = await readEnd(given, options.keyPrefix, context.environment);
  return await withEnd(end, options, true, context, use);
}

/** Opens an end, and closes it whatever happens. */
export async function withEnd<T>(
  end: StorageEnd,
  { allPartitions = false }: EndOptions,
  hasToExist: boolean,
  { note }: CommandContext,
  use: (end: OpenEnd) => Promise<T>,
): Promise<T> {
  const damagedFiles: string[] = [];
  const warn = (details: object, message: string): void => {
    note(message);
    if ('problem' in details) damagedFiles.push(message);
  };
  const half: Half = await openEnd(end, hasToExist, { logger: { warn } });
  try {
    return await use({
      label: end.label,
      backend: half.backend,
      prefix: allPartitions ? '' : half.keyPrefix,
      damagedFiles,
    });
  } finally {
    await half.backend.close();
  }
}

const MOST = 10_000;

/** Says so when a source has partitions that are not asked for, since they are easily forgotten. */
export async function noteOthers(
  { backend, prefix, label }: OpenEnd,
  context: CommandContext,
): Promise<void> {
  if (prefix === '') return;
  let others = 0;
  let seen = 0;
  let after: string | undefined;
  do {
    const page = await backend.partitions('', { limit: 1_000, ...(after === undefined ? {} : { after }) });
    others += page.items.filter((name) => !name.startsWith(prefix)).length;
    seen += page.items.length;
    after = page.next;
  } while (after !== undefined && seen < MOST);
  if (others === 0) return;
  context.note(
    `${label} has ${countText(others, 'partition')} whose names do not begin with ${JSON.stringify(prefix)}; they are left out. --all-partitions takes everything.`,
  );
}

/** How many items there are, where that is known. */
export async function totalOf({ backend, prefix }: OpenEnd): Promise<number | undefined> {
  const { items, isCapped } = await backend.stats();
  return isCapped || prefix !== '' ? undefined : items;
}
