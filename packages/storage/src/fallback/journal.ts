import type { Address, Backend, Value, Write } from '../backend';
import { errorCode, StorageError } from '../errors';
import type { JsonValue } from '../json-value';
import { encodeValue } from '../stored-value';

/** A write that was made while the backend could not be reached. */
export interface JournalEntry {
  /** Its place in the journal. */
  readonly key: string;
  readonly write: Write;
  /** An id made when the backend was lost: every id that sorts after it is of a later write. */
  readonly since: string;
  /** The version that a write before in the same journal has left under this address. */
  readonly before?: string;
}

const PAGE = 100;
/** Of entries that failed, as many are remembered: a store that goes on failing is not to fill memory. */
const MOST_UNCERTAIN = 10_000;
/** Enough digits for a write each microsecond for 300 years. */
const DIGITS = 16;

/** Writes in their order, in a partition of the backend that has taken over. */
export class Journal {
  readonly #store: Backend;
  readonly #partition: string;
  readonly #maxValueBytes: number;
  readonly #keptFor: string | undefined;
  readonly #label: Address;
  /** Where it is kept what was replayed of those that took over before. */
  readonly replayed: string;
  #isLabelled = false;
  /** Keys of entries that failed and may be there all the same. */
  readonly #uncertain = new Set<string>();
  #last = 0;
  #length = 0;

  /**
   * @param maxValueBytes what the backend takes that is away: what it would refuse later is refused now
   * @param keptFor which backend that is, where it is known, with nothing secret
   */
  constructor(store: Backend, name: string, maxValueBytes: number, keptFor?: string) {
    this.#store = store;
    this.#maxValueBytes = maxValueBytes;
    this.#keptFor = keptFor;
    this.#partition = journalPartition(name);
    this.replayed = `\0recap-replayed:${name}`;
    this.#label = { partition: `\0recap-kept-for:${name}`, key: 'backend' };
  }

  /** Writes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Whether there is nothing, not even an entry that failed and may be there all the same. */
  get isEmpty(): boolean {
    return this.#length === 0 && this.#uncertain.size === 0;
  }

  /**
   * Finds what an earlier process has left.
   *
   * @throws {StorageError} `CONFIG_INVALID` when that is for another backend
   */
  async open(): Promise<void> {
    this.#isLabelled = false;
    await this.#dropUncertain();
    const { items } = await this.#store.keys(this.#partition, { reverse: true, limit: 1 });
    this.#last = Math.max(this.#last, Number(items[0] ?? 0));
    this.#length = 0;
    for (let after: string | undefined; ;) {
      const page = await this.#store.keys(this.#partition, {
        limit: 1_000,
        ...(after === undefined ? {} : { after }),
      });
      this.#length += page.items.length;
      if (page.next === undefined) break;
      after = page.next;
    }
    if (this.#length > 0) await this.#checkLabel();
  }

  /** @returns the key of the new entry */
  async add({ write, since, before }: Omit<JournalEntry, 'key'>): Promise<string> {
    if (!this.#isLabelled) await this.#putLabel();
    const key = String(this.#last + 1).padStart(DIGITS, '0');
    const entry = { since, write: encode(write, this.#maxValueBytes), before: before ?? null };
    await this.#put(key, entry);
    this.#last += 1;
    this.#length += 1;
    return key;
  }

  async #put(key: string, entry: JsonValue): Promise<void> {
    let written: string | undefined;
    try {
      written = await this.#store.set({ partition: this.#partition, key }, entry, { ifAbsent: true });
    } catch (error) {
      // It may be there, and its place is nobody else's then.
      if (errorCode(error) === 'UNAVAILABLE') {
        this.#last += 1;
        if (this.#uncertain.size < MOST_UNCERTAIN) this.#uncertain.add(key);
      }
      throw error;
    }
    if (written !== undefined) return;
    // Whoever has it, the next one may be free.
    this.#last += 1;
    throw sharedWith(this.#store);
  }

  async #dropUncertain(): Promise<void> {
    for (const key of this.#uncertain) {
      await this.#store.delete({ partition: this.#partition, key });
      this.#uncertain.delete(key);
    }
  }

  /** The first entries, oldest first. What was refused is none, and is taken away before. */
  async first(): Promise<JournalEntry[]> {
    await this.#dropUncertain();
    const { items } = await this.#store.scan(this.#partition, { limit: PAGE });
    return items.map((item) => {
      if (item.type !== 'value') throw unreadable(item.key);
      return decode(item.key, item.value);
    });
  }

  async remove(key: string): Promise<void> {
    const wasThere = await this.#store.delete({ partition: this.#partition, key });
    // One that came late is not counted.
    if (wasThere && this.#length > 0) this.#length -= 1;
  }

  /** Of what took over before, so that it is known as the program's own to what this has, also after its end. */
  async noteReplayed(version: string): Promise<void> {
    await this.#store.set({ partition: this.replayed, key: version }, true);
  }

  async replayedBefore(): Promise<ReadonlySet<string>> {
    const versions = new Set<string>();
    for (let after: string | undefined; ;) {
      const page = await this.#store.keys(this.replayed, {
        limit: 1_000,
        ...(after === undefined ? {} : { after }),
      });
      for (const version of page.items) versions.add(version);
      if (page.next === undefined) return versions;
      after = page.next;
    }
  }

  async #checkLabel(): Promise<void> {
    const label = (await this.#store.get(this.#label))?.value;
    // Of a client that a program has handed in, nobody can tell.
    if (typeof label !== 'string' || this.#keptFor === undefined || label === this.#keptFor) return;
    const waiting = this.#length;
    // None of them is to be replayed here, whoever asks.
    this.#length = 0;
    throw new StorageError(
      'CONFIG_INVALID',
      `The ${this.#store.name} fallback keeps writes (${waiting}) for ${label}; the configuration says ${this.#keptFor}. Start as before until they are replayed, or give this backend a fallback of its own; "adoptWrites" replays them here, if it is the same data that has moved.`,
    );
  }

  /** Before the first entry: without entries it says nothing. */
  async #putLabel(): Promise<void> {
    if (this.#keptFor === undefined) await this.#store.delete(this.#label);
    else await this.#store.set(this.#label, this.#keptFor);
    this.#isLabelled = true;
  }
}

function sharedWith({ name }: Backend): StorageError {
  return new StorageError(
    'UNAVAILABLE',
    `Another process keeps its writes in this ${name} fallback. Give each process a fallback of its own.`,
  );
}

export const journalPartition = (name: string): string => `\0recap-journal:${name}`;

/** As text, since the limits of depth are those of the value itself. */
function encode(write: Write, maxValueBytes: number): JsonValue {
  const { partition, key, type } = write;
  const address = { partition, key, type };
  if (type === 'delete') return address;
  const expiresAt = write.expiresAt ?? null;
  const version = write.version ?? null;
  return type === 'set'
    ? { ...address, expiresAt, version, value: toText(write.value, maxValueBytes) }
    : { ...address, expiresAt, version, values: write.values.map((each) => toText(each, maxValueBytes)) };
}

function toText(value: Value, maxValueBytes: number): JsonValue {
  const stored = encodeValue(value, maxValueBytes);
  return typeof stored === 'string' ? stored : { bytes: Buffer.from(stored).toString('base64') };
}

interface Encoded {
  readonly partition: string;
  readonly key: string;
  readonly type: Write['type'];
  readonly expiresAt: number | null;
  readonly version: string | null;
  readonly value: EncodedValue;
  readonly values: readonly EncodedValue[];
}

type EncodedValue = string | { readonly bytes: string };

function decode(key: string, value: Value): JournalEntry {
  const { write, since, before } = value as { write?: Encoded; since?: string; before?: string | null };
  if (typeof write !== 'object' || typeof since !== 'string') throw unreadable(key);
  const entry = { key, write: decodeWrite(write), since };
  return before == null ? entry : { ...entry, before };
}

function decodeWrite({ partition, key, type, expiresAt, version, value, values }: Encoded): Write {
  const address = { partition, key };
  const options = { ...(expiresAt === null ? {} : { expiresAt }), ...(version === null ? {} : { version }) };
  switch (type) {
    case 'delete':
      return { ...address, type };
    case 'set':
      return { ...address, type, value: decodeValue(value), ...options };
    case 'append':
      return { ...address, type, values: values.map(decodeValue), ...options };
  }
}

function decodeValue(value: EncodedValue): Value {
  return typeof value === 'string'
    ? (JSON.parse(value) as JsonValue)
    : new Uint8Array(Buffer.from(value.bytes, 'base64'));
}

function unreadable(key: string): StorageError {
  return new StorageError('CORRUPT', `Entry ${key} of the journal of writes to be replayed cannot be read.`);
}
