import type { Clock } from '@recap/storage';
import type { GapRecord } from '../entries/gap';
import { GapLog, type Losses } from './gap-log';

const TICK_MS = 1_000;
const SAVED_AT_ONCE = 200;

export interface GapKeeperOptions {
  readonly losses: () => Losses;
  readonly save: (gaps: readonly GapRecord[]) => Promise<void>;
  /** False while the store is known not to answer. */
  readonly canSave: () => boolean;
  readonly onFailure: (error: unknown) => void;
  readonly clock: Clock;
  readonly newId: () => string;
  /** `undefined`: for ever. */
  readonly lifetimeMs: number | undefined;
}

/** Stores what was lost as gaps: within about a second, or as soon as the store is there. */
export class GapKeeper {
  readonly #options: GapKeeperOptions;
  readonly #log: GapLog;
  #timer: NodeJS.Timeout | undefined;
  /** When the first loss came that was not observed yet. */
  #lossSince: number | undefined;
  #saving: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: GapKeeperOptions) {
    this.#options = options;
    this.#log = new GapLog(options.newId, options.lifetimeMs);
  }

  /** Whether something is left to be stored. */
  get hasWork(): boolean {
    return this.#lossSince !== undefined || this.#log.hasUnsaved;
  }

  /** Something was lost just now. Costs a comparison but for the first in a while. */
  noteLoss(): void {
    if (this.#lossSince !== undefined) return;
    this.#lossSince = this.#options.clock.now();
    this.#plan();
  }

  /** @throws what the store fails with; the gaps wait then. */
  async flush(): Promise<void> {
    await this.#saving?.catch(() => undefined);
    this.#observe();
    while (this.#log.hasUnsaved) await this.#save();
  }

  /** Gaps that are not stored, for one who cannot wait. */
  unsaved(): readonly GapRecord[] {
    this.#observe();
    return this.#log.unsaved(Infinity).records;
  }

  stop(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tick();
    }, TICK_MS).unref();
  }

  #tick(): void {
    this.#observe();
    if (!this.#log.hasUnsaved) return;
    this.#plan();
    if (!this.#options.canSave() || this.#saving !== undefined) return;
    this.#save().catch(this.#options.onFailure);
  }

  #observe(): void {
    const now = this.#options.clock.now();
    this.#log.observe(this.#options.losses(), this.#lossSince ?? now, now);
    this.#lossSince = undefined;
  }

  #save(): Promise<void> {
    this.#saving ??= this.#saveSome().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #saveSome(): Promise<void> {
    const { records, markSaved } = this.#log.unsaved(SAVED_AT_ONCE);
    await this.#options.save(records);
    markSaved();
  }
}
