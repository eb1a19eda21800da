import type { Backend } from '../backend';
import type { Clock } from '../clock';
import { inParallel } from '../in-parallel';
import type { Brake } from './brake';
import type { FallbackEvent } from './fallback-event';
import type { Journal, JournalEntry } from './journal';
import type { Overlay } from './overlay';
import { replay, type ReplayOutcome } from './replay';
import { chainsOf } from './write-chains';

export interface ReplayerOptions {
  readonly primary: Backend;
  /** In the order in which they took over. */
  readonly overlays: readonly Overlay[];
  readonly clock: Clock;
  readonly onEvent: (event: FallbackEvent) => void;
}

/** What one of those that took over has. */
interface Part {
  readonly at: number;
  readonly journal: Journal;
  readonly upTo: number;
  /** Those that took over later. */
  readonly later: readonly Overlay[];
}

/** Keys whose writes are replayed at the same time. */
const AT_ONCE = 16;

/** Brings what was written during an outage to the backend, and counts it. */
export class Replayer {
  readonly #options: ReplayerOptions;
  /** Versions of what was replayed of those that took over first: none of it is somebody else's. */
  readonly #ours = new Set<string>();
  /** Entries that were counted and told, and could not be taken off their journals yet. */
  readonly #settled = new Set<string>();
  #replayed = 0;
  #conflicts = 0;

  constructor(options: ReplayerOptions) {
    this.#options = options;
  }

  /** Whether something of this outage is with the backend already. */
  get hasReplayed(): boolean {
    return this.#replayed > 0;
  }

  /**
   * Of those that took over before the one that serves all, since what that one has is later; of that one up to so many
   * are left: none when nobody writes meanwhile.
   *
   * @throws {StorageError} as `replay`; what was replayed until then is
   */
  async drain(serving: number, upTo: number): Promise<void> {
    const { overlays } = this.#options;
    for (const [at, overlay] of overlays.slice(0, serving + 1).entries()) {
      const part: Part = {
        at,
        journal: overlay.journal,
        upTo: at < serving ? 0 : upTo,
        later: overlays.slice(at + 1, serving + 1),
      };
      await overlay.slowedDown((brake) => this.#drain(part, brake));
    }
  }

  /** What became of all writes of an outage that is over. */
  finish(): { replayed: number; conflicts: number } {
    const counts = { replayed: this.#replayed, conflicts: this.#conflicts };
    this.#replayed = 0;
    this.#conflicts = 0;
    this.#settled.clear();
    this.#ours.clear();
    return counts;
  }

  async #drain(part: Part, brake: Brake): Promise<void> {
    const { at, journal, upTo } = part;
    // While writes come faster than they can be replayed, it ends all the same, and the rest has them wait.
    let most = 2 * journal.length;
    let isKnown = at === 0;
    const isLast = upTo === 0;
    while (isLast ? !journal.isEmpty : journal.length > upTo && most > 0) {
      const entries = await firstOf(journal);
      if (entries === undefined || entries.length === 0) return;
      if (!isKnown) for (const version of await journal.replayedBefore()) this.#ours.add(version);
      isKnown = true;
      most -= entries.length;
      await this.#replay(part, entries);
      brake.noteReplayed(entries.length);
    }
  }

  async #replay(part: Part, entries: readonly JournalEntry[]): Promise<void> {
    const { primary, clock } = this.#options;
    const conflicts = new Map<JournalEntry, FallbackEvent>();
    try {
      await inParallel(chainsOf(entries), AT_ONCE, async (chain) => {
        for (const entry of chain) {
          const outcome = await replay(primary, entry, { now: clock.now(), ours: this.#ours });
          if (outcome.status !== 'applied') conflicts.set(entry, toEvent(entry, outcome));
          else {
            await this.#noteOurs(part, entry);
            await this.#settle(part, entry, () => {
              this.#replayed += 1;
            });
          }
        }
      });
    } finally {
      // Told in the order of the writes, and forgotten when they were told.
      for (const entry of entries) {
        const event = conflicts.get(entry);
        if (event !== undefined)
          await this.#settle(part, entry, () => {
            this.#conflicts += 1;
            this.#options.onEvent(event);
          });
      }
    }
  }

  async #noteOurs({ later }: Part, { write }: JournalEntry): Promise<void> {
    if (write.type === 'delete' || write.version === undefined) return;
    // What is written to one that takes over from now on knows by its time.
    if (later.length > 0) this.#ours.add(write.version);
    for (const { journal, endsWithProcess } of later)
      // For the next process, which may miss it where there is no room.
      if (!endsWithProcess) await journal.noteReplayed(write.version).catch(() => undefined);
  }

  /** Once for each entry, however often it is tried to take it off its journal. */
  async #settle({ at, journal }: Part, { key }: JournalEntry, tell: () => void): Promise<void> {
    const name = `${at} ${key}`;
    if (!this.#settled.has(name)) tell();
    this.#settled.add(name);
    await journal.remove(key);
    this.#settled.delete(name);
  }
}

/** `undefined` where the store is away, and has nothing that was acknowledged: that is not worth waiting for. */
async function firstOf(journal: Journal): Promise<readonly JournalEntry[] | undefined> {
  try {
    return await journal.first();
  } catch (error) {
    if (journal.length > 0) throw error;
    return undefined;
  }
}

function toEvent(
  { write }: JournalEntry,
  outcome: Exclude<ReplayOutcome, { status: 'applied' }>,
): FallbackEvent {
  if (outcome.status === 'refused') return { type: 'conflict', write, error: outcome.error };
  const { theirs } = outcome;
  return theirs === undefined ? { type: 'conflict', write } : { type: 'conflict', write, theirs };
}
