import type { EntryStore, NewEntry } from '../entries/entry-store';
import type { GapRecord } from '../entries/gap';
import type { Exchange } from '../exchange';
import { errorCode, StorageError } from '@recap/storage';
import { BatchProcessor, type BatchOutcome, type ShedReason } from '../recorder/batch-processor';
import { RetryBreaker } from '../recorder/retry-breaker';
import type { ExchangeSpool, SpoolCounts, SpoolTicket } from '../recorder/exchange-spool';
import { within } from '../recorder/within';
import { FolderClaims } from './folder-claims';
import { Journal } from './journal';
import { leaveGaps, takeGaps } from './left-gaps';
import {
  decodeSpooledEntry,
  encodeSpooledEntry,
  type Payload,
  type SpooledEntry,
} from '../recorder/spooled-entry';
import { diskFiles, type SpoolFiles } from './spool-files';
import type { RecordPlace } from './segment';
import { SpoolRoom } from './spool-room';

export interface SpoolOptions {
  /** Of all processes that store into the same database. */
  readonly path: string;
  readonly maxBytes: number;
  readonly minFreeDiskBytes: number;
  /** Redacts, in the caller's thread. */
  readonly prepare: (exchange: Exchange) => SpooledEntry;
  readonly pack: (spooled: SpooledEntry) => NewEntry | Promise<NewEntry>;
  readonly store: Pick<EntryStore, 'open' | 'append'>;
  readonly onFailure: (error: unknown, where: string) => void;
  /** For tests. */
  readonly files?: SpoolFiles;
  readonly segmentBytes?: number;
}

interface Ticket extends SpoolTicket {
  readonly place: RecordPlace;
  readonly journal: Journal;
}

const BATCH_RECORDS = 200;
const BATCH_BYTES = 4 * 1024 * 1024;
const LOOK_AGAIN_MS = 250;
/** What keeps the other from storing may be no hindrance here: after so many looks this one asks as well. */
const MAX_LOOKS = 20;
const LOOK_AROUND_MS = 15_000;
const CLOSING_ROUND_MS = 1_000;
/** After as many reads that failed one after another, the record that is in turn is given up. */
const MAX_FAILED_READS = 10;
/** Failures that say nothing of the record. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY']);

/** The local journal of one recorder, and the way back from it into the store. */
export class Spool implements ExchangeSpool {
  readonly #options: SpoolOptions;
  readonly #files: SpoolFiles;
  readonly #claims: FolderClaims;
  readonly #room: SpoolRoom;
  readonly #processor: BatchProcessor<SpooledEntry>;
  readonly #own: Journal;
  #inherited: Journal[] = [];
  /** Damaged records in journals that are gone. */
  #corruptBefore = 0;
  #recovered = 0;
  #replayed = 0;
  readonly #shed = new Map<ShedReason, number>();
  #batch: { readonly name: object; tickets: Ticket[]; entries: SpooledEntry[] } | undefined;
  #round: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  readonly #breaker = new RetryBreaker();
  #isTried: () => boolean = () => false;
  #looks = 0;
  /** One after another. */
  #failedReads = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#files = options.files ?? diskFiles;
    this.#claims = new FolderClaims(options.path, this.#files);
    this.#room = new SpoolRoom(options, this.#files, () =>
      this.#inherited.reduce((sum, { bytes }) => sum + bytes, this.#own.bytes),
    );
    this.#processor = new BatchProcessor<SpooledEntry>({
      store: options.store,
      prepare: options.pack,
      idOf: ({ entry }) => entry.id,
    });
    this.#own = this.#journalIn(this.#claims.newFolder());
  }

  get counts(): SpoolCounts {
    const journals = [this.#own, ...this.#inherited];
    return {
      spooled: journals.reduce((sum, { pending }) => sum + pending, 0),
      recovered: this.#recovered,
      replayed: this.#replayed,
      corrupt: journals.reduce((sum, { corrupt }) => sum + corrupt, this.#corruptBefore),
      shed: Object.fromEntries(this.#shed),
    };
  }

  get fill(): number {
    return this.#isClosed ? 1 : this.#room.fill;
  }

  append(exchange: Exchange): Ticket {
    const tickets: Ticket[] = [];
    this.#write([encodeSpooledEntry(this.#options.prepare(exchange))], (written) => tickets.push(written));
    const [ticket] = tickets;
    if (ticket === undefined) throw new TypeError('A record was neither written nor refused.');
    return ticket;
  }

  appendAll(exchanges: readonly Exchange[], onSpooled: () => void): (Ticket | undefined)[] {
    const tickets = new Array<Ticket | undefined>(exchanges.length).fill(undefined);
    const places: number[] = [];
    const payloads: Payload[] = [];
    exchanges.forEach((exchange, place) => {
      try {
        payloads.push(encodeSpooledEntry(this.#options.prepare(exchange)));
        places.push(place);
      } catch (error) {
        this.#noteFailure(error);
      }
    });
    const unwritten = places.values();
    try {
      this.#write(payloads, (ticket) => {
        const { value: place } = unwritten.next();
        if (place !== undefined) tickets[place] = ticket;
        onSpooled();
      });
    } catch (error) {
      this.#noteFailure(error);
    }
    return tickets;
  }

  done(tickets: readonly Ticket[]): void {
    this.#own.done(placesOf(tickets));
  }

  defer(ticket: Ticket): void {
    ticket.journal.defer(ticket.place);
    this.#wake(0);
  }

  start(isTried: () => boolean = () => false): void {
    this.#isTried = isTried;
    if (this.#lookTimer !== undefined || this.#isClosed) return;
    this.#lookTimer = setInterval(() => {
      // One look may read for longer than others wait before they take a folder that nobody touches.
      if (this.#looking !== undefined) this.#claims.keepAlive().catch(this.#noteFailure);
      this.#lookAround().catch(this.#noteFailure);
    }, LOOK_AROUND_MS).unref();
    this.#lookAround().catch(this.#noteFailure);
  }

  async drain(): Promise<void> {
    await this.#looking;
    for (;;) {
      // What is being read at this moment is in no list.
      await this.#round?.catch(() => undefined);
      if (!this.#hasDeferred || this.#isClosed) return;
      await this.#startRound();
    }
  }

  leaveGaps(gaps: readonly GapRecord[]): void {
    leaveGaps(this.#files, this.#options.path, gaps);
  }

  takeGaps(save: (gaps: readonly GapRecord[]) => Promise<void>): Promise<void> {
    return takeGaps(this.#files, this.#options.path, save, this.#noteFailure);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#lookTimer);
    await this.#looking?.catch(() => undefined);
    // What is being read or stored at this moment must not be left to another meanwhile.
    await within(CLOSING_ROUND_MS, this.#round?.catch(() => undefined) ?? Promise.resolve());
    for (const journal of [this.#own, ...this.#inherited]) {
      try {
        const isLeft = await journal.close();
        if (isLeft) await this.#claims.release(journal.folder);
      } catch (error) {
        // What is there stays there, for whoever finds this process ended.
        this.#noteFailure(error);
      }
    }
  }

  #write(payloads: readonly Payload[], onWritten: (ticket: Ticket) => void): void {
    if (this.#isClosed) throw new StorageError('CLOSED', 'The spool is closed.');
    const journal = this.#own;
    journal.append(payloads, (place, record) => {
      onWritten({ place, journal, record });
    });
  }

  readonly #noteFailure = (error: unknown): void => {
    this.#options.onFailure(error, 'spool');
  };

  get #hasDeferred(): boolean {
    return (
      this.#batch !== undefined || [...this.#inherited, this.#own].some(({ hasDeferred }) => hasDeferred)
    );
  }

  #journalIn(folder: string): Journal {
    return new Journal({
      files: this.#files,
      folder,
      reserve: (bytes) => {
        this.#room.reserve(bytes);
      },
      onFailure: this.#noteFailure,
      segmentBytes: this.#options.segmentBytes ?? this.#room.segmentBytes,
    });
  }

  #lookAround(): Promise<void> {
    this.#looking ??= this.#takeOver().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #takeOver(): Promise<void> {
    await this.#claims.keepAlive().catch(this.#noteFailure);
    for (const folder of await this.#claims.takeDead()) {
      const journal = this.#journalIn(folder);
      try {
        await journal.load(() => this.#isClosed);
      } catch (error) {
        if (!this.#isClosed) this.#noteFailure(error);
        // Left to whoever looks next, which may be this one.
        await this.#claims.release(folder);
        continue;
      }
      this.#recovered += journal.pending;
      this.#inherited.push(journal);
    }
    await this.#letGo();
    if (this.#hasDeferred) this.#wake(0);
  }

  /** Removes the folders of others that are done with. */
  async #letGo(): Promise<void> {
    const empty = this.#inherited.filter(({ pending }) => pending === 0);
    this.#inherited = this.#inherited.filter(({ pending }) => pending > 0);
    for (const journal of empty) {
      this.#corruptBefore += journal.corrupt;
      await journal.close().catch(this.#noteFailure);
    }
  }

  #wake(delayMs: number): void {
    if (this.#retryTimer !== undefined || this.#isClosed) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      if (this.#isTried() && this.#looks < MAX_LOOKS) {
        this.#looks += 1;
        this.#wake(LOOK_AGAIN_MS);
        return;
      }
      this.#looks = 0;
      this.#startRound().then(
        () => {
          if (this.#hasDeferred) this.#wake(0);
        },
        () => {
          this.#wake(this.#breaker.waitMs);
        },
      );
    }, delayMs).unref();
  }

  /** One batch at a time. @throws what the store fails with */
  #startRound(): Promise<void> {
    this.#round ??= this.#replayBatch().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #replayBatch(): Promise<void> {
    try {
      this.#batch ??= await this.#nextBatch();
    } catch (error) {
      this.#breaker.noteFailure();
      throw error;
    }
    const batch = this.#batch;
    if (batch === undefined) return;
    try {
      const outcome = await this.#processor.process(batch.name, () => batch.entries, false);
      this.#breaker.noteSuccess();
      this.#batch = undefined;
      this.#settle(batch.tickets, outcome);
    } catch (error) {
      this.#breaker.noteFailure();
      this.#options.onFailure(error, 'spool.replay');
      throw error;
    }
    if (!this.#isClosed && this.#inherited.some(({ pending }) => pending === 0)) await this.#letGo();
  }

  async #nextBatch(): Promise<{ name: object; tickets: Ticket[]; entries: SpooledEntry[] } | undefined> {
    for (const journal of [...this.#inherited, this.#own]) {
      const places = journal.takeDeferred(BATCH_RECORDS, BATCH_BYTES);
      const entries: SpooledEntry[] = [];
      const tickets: Ticket[] = [];
      const lost: RecordPlace[] = [];
      let failure: { readonly error: unknown } | undefined;
      for (const place of places) {
        if (failure !== undefined || this.#isClosed) {
          journal.defer(place);
          continue;
        }
        try {
          const entry = await this.#read(journal, place);
          if (entry === undefined) lost.push(place);
          else {
            entries.push(entry);
            tickets.push({ place, journal, record: undefined });
          }
        } catch (error) {
          journal.defer(place);
          failure = { error };
        }
      }
      journal.done(lost);
      this.#countShed('spool_corrupt', lost.length);
      if (entries.length > 0) return { name: {}, tickets, entries };
      if (failure !== undefined) throw failure.error;
    }
    return undefined;
  }

  /** `undefined` for what is damaged. @throws what may pass, such as too many open files */
  async #read(journal: Journal, place: RecordPlace): Promise<SpooledEntry | undefined> {
    let payload: Buffer | undefined;
    try {
      payload = await journal.read(place);
      this.#failedReads = 0;
    } catch (error) {
      // The file is another's by now, under another name.
      if (this.#isClosed) throw error;
      this.#failedReads += 1;
      this.#options.onFailure(error, 'spool.read');
      if (PASSING.has(errorCode(error) ?? '') || this.#failedReads < MAX_FAILED_READS) throw error;
      this.#failedReads = 0;
      return undefined;
    }
    try {
      return payload && decodeSpooledEntry(payload);
    } catch (error) {
      this.#options.onFailure(error, 'spool.read');
      return undefined;
    }
  }

  #settle(tickets: readonly Ticket[], outcome: BatchOutcome): void {
    const [first] = tickets;
    first?.journal.done(placesOf(tickets));
    this.#replayed += outcome.stored;
    this.#countShed('poison', outcome.poison);
    this.#countShed('internal_error', outcome.unprepared);
    for (const { error, where } of outcome.failures) this.#options.onFailure(error, where);
  }

  #countShed(reason: ShedReason, count: number): void {
    if (count > 0) this.#shed.set(reason, (this.#shed.get(reason) ?? 0) + count);
  }
}

function placesOf(tickets: readonly Ticket[]): RecordPlace[] {
  return tickets.map(({ place }) => place);
}
