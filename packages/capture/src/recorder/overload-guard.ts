import type { Clock } from '@recap/storage';
import type { EntryStore } from '../entries/entry-store';
import type { OpenBudget } from '../tap/open-budget';
import { resolveEntrySettings } from './capture-settings';
import type { EntryWriter } from './entry-writer';
import type { ExchangeSpool } from './exchange-spool';
import { GapKeeper } from './gap-keeper';
import { overloadSettings } from './overload-options';
import type { RecorderOptions } from './recorder-options';
import { OVERLOAD } from './reduce-exchange';
import { RetryBreaker } from './retry-breaker';
import { ShedPolicy } from './shed-policy';
import { within } from './within';

/** What is needed of a recorder. */
export interface OverloadHost {
  readonly options: RecorderOptions;
  readonly store: Pick<EntryStore, 'saveGaps'>;
  readonly clock: Clock;
  readonly budget: OpenBudget;
  readonly writer: EntryWriter;
  readonly isOpen: boolean;
  onError(error: unknown, where: string): void;
}

const REFRESH_MS = 500;
/** What is missing, in the order of the steps. */
const MISSING = [null, 'bodies', 'headers', 'exchanges'] as const;

/** All that a recorder has for the time in which it cannot keep up, or its store does not answer. */
export class OverloadGuard {
  readonly breaker = new RetryBreaker();
  readonly policy: ShedPolicy;
  readonly gaps: GapKeeper;
  readonly #host: OverloadHost;
  readonly #spool: ExchangeSpool | undefined;
  #watching: NodeJS.Timeout | undefined;

  constructor(host: OverloadHost, newId: () => string, spool: ExchangeSpool | undefined) {
    this.#host = host;
    this.#spool = spool;
    const { options, clock, budget } = host;
    this.policy = new ShedPolicy({
      settings: overloadSettings(options.overload, options.durability),
      onChange: (step) => {
        budget.refusal = step > 0 ? OVERLOAD : undefined;
        this.#watch(step > 0);
      },
    });
    this.gaps = new GapKeeper({
      losses: () => {
        const { shed, reduced } = host.writer.counts;
        return { exchanges: shed, ...reduced };
      },
      save: (gaps) => host.store.saveGaps(gaps),
      canSave: () => host.isOpen && !this.breaker.isFailing,
      onFailure: this.#noteFailure,
      clock,
      newId,
      lifetimeMs: resolveEntrySettings(options).lifetimeMs,
    });
  }

  readonly onLoss = (): void => {
    this.gaps.noteLoss();
  };

  /** What is left out of every exchange at the moment. */
  get leavingOut(): (typeof MISSING)[number] {
    return MISSING[this.policy.step];
  }

  /** Stores gaps that earlier processes left. */
  takeLeftGaps(): void {
    this.#spool?.takeGaps((gaps) => this.#host.store.saveGaps(gaps)).catch(this.#noteFailure);
  }

  /** Stores the last gaps, for at most `timeoutMs`, or leaves them to the next process. */
  async close(timeoutMs: number): Promise<void> {
    this.policy.stop();
    this.#watch(false);
    this.gaps.stop();
    if (!this.gaps.hasWork) return;
    await within(timeoutMs, this.gaps.flush().catch(this.#noteFailure));
    this.leaveGaps();
  }

  /** For the end of a process, which waits for nothing. */
  leaveGaps(): void {
    const gaps = this.gaps.unsaved();
    if (gaps.length === 0) return;
    try {
      this.#spool?.leaveGaps(gaps);
    } catch (error) {
      this.#noteFailure(error);
    }
  }

  /** Steps are taken back also when no exchange comes. */
  #watch(isWanted: boolean): void {
    if (!isWanted) {
      clearInterval(this.#watching);
      this.#watching = undefined;
      return;
    }
    this.#watching ??= setInterval(() => {
      this.#host.writer.refreshSteps();
    }, REFRESH_MS).unref();
  }

  readonly #noteFailure = (error: unknown): void => {
    this.#host.onError(error, 'gaps');
  };
}
