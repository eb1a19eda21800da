import { StepLevel } from './step-level';

const PROBE_EVERY_MS = 500;
/** Probes that are looked at together: the most of them have to be late. */
const PROBES = 5;
/** Probes without an exchange after which a calm loop is left alone. */
const IDLE_PROBES = 10;
const MIN_STAY_MS = 3_000;
/** With fewer exchanges a second it is not Recap that holds the loop up, and keeping less of them would not help. */
const MIN_RATE = 100;

/**
 * How long a turn of the event loop takes, for as long as exchanges come. A probe is a timer that is due in the next
 * turn: it comes late by what the turn in between took. The median of the last five probes is what counts, so that a
 * program that holds its loop up once, for whatever time, changes nothing; nor does one that has few exchanges.
 */
export class LoopLag {
  readonly #steps: StepLevel;
  readonly #onChange: () => void;
  readonly #now: () => number;
  #turnsMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #exchanges = 0;
  #countedSince = 0;
  #idleProbes = 0;
  #isStopped = false;

  /**
   * @param maxLagMs length of a turn from which the first step is taken; the second at twice, the third at four times as much
   * @param now monotonic, in ms
   */
  constructor(maxLagMs: number, onChange: () => void, now: () => number) {
    this.#now = now;
    this.#steps = new StepLevel({
      rise: [maxLagMs, 2 * maxLagMs, 4 * maxLagMs],
      fallTo: 0.5,
      minStayMs: MIN_STAY_MS,
    });
    this.#onChange = onChange;
  }

  /** 0 to 3. */
  get level(): number {
    return this.#steps.level;
  }

  /** Call for every exchange. */
  noteExchange(): void {
    this.#exchanges += 1;
    if (this.#timer !== undefined || this.#isStopped) return;
    this.#countedSince = this.#now();
    this.#plan();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    this.#timer = setTimeout(() => {
      this.#probe();
    }, PROBE_EVERY_MS).unref();
  }

  #probe(): void {
    const startedAt = this.#now();
    this.#timer = setTimeout(() => {
      this.#take(this.#now() - startedAt);
    }, 1).unref();
  }

  #take(turnMs: number): void {
    const now = this.#now();
    const rate = (1_000 * this.#exchanges) / (now - this.#countedSince);
    this.#turnsMs.push(rate < MIN_RATE ? 0 : turnMs);
    if (this.#turnsMs.length > PROBES) this.#turnsMs.shift();
    const before = this.level;
    this.#steps.update(medianOf(this.#turnsMs), now);
    if (this.level !== before) this.#onChange();
    this.#idleProbes = this.#exchanges > 0 ? 0 : this.#idleProbes + 1;
    this.#exchanges = 0;
    this.#countedSince = now;
    if (this.#isStopped) return;
    if (this.level > 0 || this.#idleProbes < IDLE_PROBES) this.#plan();
    else {
      this.#timer = undefined;
      this.#turnsMs = [];
    }
  }
}

/** Of fewer than five the missing ones count as nothing. */
function medianOf(turnsMs: readonly number[]): number {
  const sorted = [...turnsMs].sort((a, b) => b - a);
  return sorted[PROBES >> 1] ?? 0;
}
