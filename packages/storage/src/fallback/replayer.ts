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

/** Keys whose writes are replayed at the same time. */
const AT_ONCE = 16;

/** Brings what was written during an outage to the backend, and counts it. */
export class Replayer {
  readonly #options: ReplayerOptions;
  /** Versions of writes that were replayed from what took over first, while what took over then has writes as well. */
  readonly #ours = new Set<string>();
  #replayed = 0;
  #conflicts = 0;

  constructor(options: ReplayerOptions) {
    this.#options = options;
  }

  /**
   * Of those that took over first all, since what the others have is later; of the last up to so many are left.
   *
   * @throws {StorageError} as `replay`; what was replayed until then is
   */
  async drain(upTo: number): Promise<void> {
    const { overlays } = this.#options;
    for (const [at, overlay] of overlays.entries()) {
      const isFollowed = overlays.slice(at + 1).some(({ journal }) => journal.length > 0);
      await overlay.slowedDown((brake) =>
        this.#drain(overlay.journal, { upTo: isFollowed ? 0 : upTo, isFollowed, brake }),
      );
    }
  }

  /** What became of all writes of an outage that is over. */
  finish(): { replayed: number; conflicts: number } {
    const counts = { replayed: this.#replayed, conflicts: this.#conflicts };
    this.#ours.clear();
    this.#replayed = 0;
    this.#conflicts = 0;
    return counts;
  }

  async #drain(
    journal: Journal,
    { upTo, isFollowed, brake }: { upTo: number; isFollowed: boolean; brake: Brake },
  ): Promise<void> {
    // While writes come faster than they can be replayed, it ends all the same, and the rest has them wait.
    let most = upTo === 0 ? Infinity : 2 * journal.length;
    while (journal.length > upTo && most > 0) {
      const entries = await journal.first();
      if (entries.length === 0) return;
      most -= entries.length;
      await this.#replay(journal, entries, isFollowed);
      brake.noteReplayed(entries.length);
    }
  }

  async #replay(journal: Journal, entries: readonly JournalEntry[], isFollowed: boolean): Promise<void> {
    const { primary, clock, onEvent } = this.#options;
    const conflicts = new Map<JournalEntry, FallbackEvent>();
    try {
      await inParallel(chainsOf(entries), AT_ONCE, async (chain) => {
        for (const entry of chain) {
          const outcome = await replay(primary, entry, { now: clock.now(), ours: this.#ours });
          if (outcome.status !== 'applied') conflicts.set(entry, toEvent(entry, outcome));
          else {
            this.#replayed += 1;
            // To what took over later, this is no later write of somebody else's.
            if (isFollowed) this.#noteOurs(entry);
            await journal.remove(entry.key);
          }
        }
      });
    } finally {
      // Told in the order of the writes, and forgotten when they were told.
      for (const entry of entries) {
        const event = conflicts.get(entry);
        if (event === undefined) continue;
        this.#conflicts += 1;
        onEvent(event);
        await journal.remove(entry.key);
      }
    }
  }

  #noteOurs({ write }: JournalEntry): void {
    if (write.type !== 'delete' && write.version !== undefined) this.#ours.add(write.version);
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
