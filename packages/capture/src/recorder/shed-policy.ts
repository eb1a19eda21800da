import { performance } from 'node:perf_hooks';
import type { Exchange } from '../exchange';
import { ANONYMOUS } from './build-exchange';
import { LoopLag } from './loop-lag';
import { NoisyOwners } from './noisy-owners';
import type { OverloadSettings } from './overload-options';
import type { Step } from './reduce-exchange';
import { StepLevel } from './step-level';

/** Why less is kept: too much waits, the event loop is late, or its owner takes too much of the room. */
export type OverloadReason = 'backlog' | 'lag' | 'noisy_owner';

/** What is to be left out of an exchange, and why. */
export interface Verdict {
  readonly step: Step;
  readonly reason: OverloadReason;
}

export interface ShedPolicyOptions {
  readonly settings: Required<OverloadSettings>;
  /** Told when the step for everybody changes. */
  readonly onChange: (step: Step) => void;
  /** For tests: monotonic, in ms. */
  readonly now?: () => number;
}

const FALL_TO = 0.8;
const MIN_STAY_MS = 500;
/** For a noisy owner the room is smaller, so that its exchanges are shed before anything of the others' is left out. */
const NOISY_SHARE = 0.9;
/** Share of a noisy owner's room that may be used before anybody is looked at. */
const WATCHED_SHARE = 0.6;
const WHOLE: Verdict = { step: 0, reason: 'backlog' };

/** Decides what is kept of each exchange while there is more to do than can be done. */
export class ShedPolicy {
  readonly #options: ShedPolicyOptions;
  readonly #now: () => number;
  readonly #backlog: StepLevel;
  readonly #noisyBacklog: StepLevel;
  readonly #noisyRoom: number;
  /** Share of the room that may be used before anything is looked at. */
  readonly watchedFrom: number;
  readonly #owners = new NoisyOwners();
  readonly #lag: LoopLag | undefined;
  #step: Step = 0;

  constructor(options: ShedPolicyOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const { shed, bodiesUpTo, headersUpTo, maxLagMs } = options.settings;
    // The last step for everybody is a queue that takes no more.
    const rise = shed === 'stepwise' ? [bodiesUpTo, headersUpTo] : [];
    this.#noisyRoom = NOISY_SHARE * (shed === 'stepwise' ? bodiesUpTo : 1);
    this.watchedFrom = WATCHED_SHARE * this.#noisyRoom;
    const timing = { fallTo: FALL_TO, minStayMs: MIN_STAY_MS };
    this.#backlog = new StepLevel({ rise, ...timing });
    this.#noisyBacklog = new StepLevel({
      rise: [rise[0] ?? Infinity, rise[1] ?? Infinity, 1],
      ...timing,
    });
    this.#lag =
      maxLagMs === false
        ? undefined
        : new LoopLag(
            maxLagMs,
            () => {
              this.#tell();
            },
            this.#now,
          );
  }

  get shed(): OverloadSettings['shed'] {
    return this.#options.settings.shed;
  }

  /** What is left out of everybody's exchanges. */
  get step(): Step {
    return this.#step;
  }

  get reason(): OverloadReason {
    return (this.#lag?.level ?? 0) > this.#backlog.level ? 'lag' : 'backlog';
  }

  /** Call for every exchange that is not judged. */
  noteExchange(): void {
    this.#lag?.noteExchange();
  }

  /**
   * @param fill share of the room that is used
   * @param fillOfWhat share of the room that leaving a part out makes
   */
  judge(exchange: Exchange, fill: number, fillOfParts: number): Verdict {
    this.noteExchange();
    if (fill < this.watchedFrom && this.#step === 0 && this.#noisyBacklog.level === 0) return WHOLE;
    this.refresh(fill, fillOfParts);
    const owner = exchange.owner === ANONYMOUS ? exchange.session.key : exchange.owner;
    this.#owners.note(owner, this.#now());
    const lag = this.#lag?.level ?? 0;
    const noisyStep = Math.max(this.#noisyBacklog.level, lag === 0 ? 0 : Math.min(3, lag + 1)) as Step;
    if (noisyStep > this.#step && this.#owners.isNoisy(owner)) {
      return { step: noisyStep, reason: 'noisy_owner' };
    }
    return { step: this.#step, reason: this.reason };
  }

  /** Takes steps back when the room has become larger. */
  refresh(fill: number, fillOfParts: number): void {
    const now = this.#now();
    this.#backlog.update(fillOfParts, now);
    this.#noisyBacklog.update(fill / this.#noisyRoom, now);
    this.#tell();
  }

  stop(): void {
    this.#lag?.stop();
  }

  #tell(): void {
    const step = Math.max(this.#backlog.level, this.#lag?.level ?? 0) as Step;
    if (step === this.#step) return;
    this.#step = step;
    this.#options.onChange(step);
  }
}
