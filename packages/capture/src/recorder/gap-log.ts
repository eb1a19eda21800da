import type { GapRecord, Missing } from '../entries/gap';

/** Time without a loss after which a gap is over. */
const QUIET_MS = 5_000;
/** A longer one is kept in parts, so that statistics can tell when within it. */
const LONGEST_MS = 60_000;
/** Kept in memory while they cannot be stored; beyond it the last ones become longer. */
const MAX_UNSAVED = 1_000;

/** How many exchanges something is missing of, by what is missing and why, since the recorder was made. */
export type Losses = Readonly<Record<Missing, Readonly<Record<string, number>>>>;

interface Gap {
  record: GapRecord;
  /** As often as it was changed, and as it had been when it was stored. */
  version: number;
  savedVersion: number;
}

export interface UnsavedGaps {
  readonly records: readonly GapRecord[];
  /** They are stored as they were given. */
  readonly markSaved: () => void;
}

/** Makes gaps of what counters say that was lost, and remembers which have to be stored. */
export class GapLog {
  readonly #newId: () => string;
  readonly #lifetimeMs: number | undefined;
  readonly #seen = new Map<string, number>();
  /** The gap of each kind that may still go on. */
  readonly #latest = new Map<Missing, Gap>();
  readonly #unsaved = new Set<Gap>();

  constructor(newId: () => string, lifetimeMs: number | undefined) {
    this.#newId = newId;
    this.#lifetimeMs = lifetimeMs;
  }

  get hasUnsaved(): boolean {
    return this.#unsaved.size > 0;
  }

  /** @param from when the first of the losses came that were not observed before */
  observe(losses: Losses, from: number, now: number): void {
    for (const [missing, reasons] of Object.entries(losses) as [Missing, Losses[Missing]][]) {
      for (const [reason, count] of Object.entries(reasons)) {
        const key = `${missing} ${reason}`;
        const more = count - (this.#seen.get(key) ?? 0);
        if (more <= 0) continue;
        this.#seen.set(key, count);
        this.#note(missing, reason, more, Math.min(from, now), now);
      }
    }
  }

  /** The oldest that are not stored as they are now. */
  unsaved(limit: number): UnsavedGaps {
    const gaps = [...this.#unsaved].slice(0, limit);
    const versions = gaps.map(({ version }) => version);
    return {
      records: gaps.map(({ record }) => record),
      markSaved: () => {
        gaps.forEach((gap, index) => {
          gap.savedVersion = versions[index] ?? 0;
          if (gap.savedVersion === gap.version) this.#unsaved.delete(gap);
        });
      },
    };
  }

  #note(missing: Missing, reason: string, count: number, from: number, now: number): void {
    const gap = this.#goingOn(missing, from) ?? this.#begin(missing, from);
    const { record } = gap;
    gap.record = {
      ...record,
      endedAt: Math.max(record.endedAt, now),
      exchanges: record.exchanges + count,
      reasons: { ...record.reasons, [reason]: (record.reasons[reason] ?? 0) + count },
      expiresAt: this.#lifetimeMs === undefined ? null : Math.max(record.endedAt, now) + this.#lifetimeMs,
    };
    gap.version += 1;
    this.#unsaved.add(gap);
  }

  #goingOn(missing: Missing, from: number): Gap | undefined {
    const latest = this.#latest.get(missing);
    if (latest === undefined) return undefined;
    const { startedAt, endedAt } = latest.record;
    // A clock that was put back leaves what it counts now in a time of its own.
    const isOver = from - endedAt > QUIET_MS || Math.abs(from - startedAt) >= LONGEST_MS;
    return isOver && this.#unsaved.size < MAX_UNSAVED ? undefined : latest;
  }

  #begin(missing: Missing, startedAt: number): Gap {
    const record: GapRecord = {
      id: this.#newId(),
      missing,
      startedAt,
      endedAt: startedAt,
      exchanges: 0,
      reasons: {},
      expiresAt: null,
    };
    const gap = { record, version: 0, savedVersion: 0 };
    this.#latest.set(missing, gap);
    return gap;
  }
}
