import { askHealth } from '../ask-health';
import type { Backend } from '../backend';
import type { Clock } from '../clock';
import { errorCode, StorageError } from '../errors';
import { Lifecycle } from '../lifecycle';
import type { FallbackEvent, FallbackState } from './fallback-event';
import { Gate, UnderWay } from './gate';
import { CannotKnowError, type Overlay } from './overlay';
import { wasNotDone } from '../resilience/transient';
import { hasLostItsTurn } from '../writes-in-order';
import { Replayer } from './replayer';
import { Stability } from './stability';

export interface SwitchOptions {
  readonly primary: Backend;
  /** What takes over, in this order. */
  readonly overlays: readonly Overlay[];
  readonly probeIntervalMs: number;
  readonly stableMs: number;
  /** How long a backend that failed is looked at before another takes over: a connection that was cut is soon there again. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Makes ids that sort by time: by them, a replay tells what others wrote later. */
  readonly newId: () => string;
  readonly onEvent: (event: FallbackEvent) => void;
  /** Told of failures that come to nobody. */
  readonly onError: (error: unknown, operation: 'probe' | 'replay') => void;
}

interface Outage {
  /** Which of the overlays serves. */
  readonly at: number;
  readonly degradedSince: number;
  /** An id made when it began. */
  readonly since: string;
}

/**
 * Where an operation that may have been done already is done again: a read on any backend; a write that replaces on the
 * next one, since on one that is well it would undo what another has written in between; an append on none.
 */
export type Repeats = 'anywhere' | 'elsewhere' | 'nowhere';

type OnPrimary<T> = () => Promise<T>;
type OnOverlay<T> = (overlay: Overlay, since: string) => Promise<T>;

/** Longest time for a look whether the backend is there. */
const PROBE_MS = 2_000;
const LOOK_AGAIN_MS = 50;
/** Longer chains of causes are made by hand. */
const DEPTH = 5;
/** With fewer writes left, the rest is replayed while others wait. */
const FEW = 50;

/** Leads each operation to the backend that serves, and decides which that is. */
export class Switch {
  readonly #options: SwitchOptions;
  readonly #lifecycle: Lifecycle;
  readonly #stability: Stability;
  readonly #replayer: Replayer;
  readonly #gate = new Gate();
  readonly #underWay = new UnderWay();
  #outage: Outage | undefined;
  readonly #looks = new Map<Backend, Promise<boolean>>();
  #leaving: Promise<void> | undefined;
  #clearing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #probing: Promise<void> | undefined;
  #isOpen = false;
  #isClosing = false;
  /** Why it is away, as far as it was told in this outage. */
  readonly #told = new Set<string>();

  constructor(options: SwitchOptions) {
    this.#options = options;
    this.#stability = new Stability(options.stableMs);
    this.#replayer = new Replayer(options);
    this.#lifecycle = new Lifecycle(
      options.primary.name,
      async () => {
        await this.#open();
        this.#isOpen = true;
      },
      () => this.#close(),
    );
  }

  get serving(): Backend {
    return this.#serving(this.#outage);
  }

  get state(): FallbackState {
    const pendingWrites = this.#options.overlays.reduce((sum, { journal }) => sum + journal.length, 0);
    const { name } = this.serving;
    return this.#outage === undefined
      ? { servedBy: name, isDegraded: false, pendingWrites }
      : { servedBy: name, isDegraded: true, degradedSince: this.#outage.degradedSince, pendingWrites };
  }

  open(): Promise<void> {
    return this.#lifecycle.open();
  }

  close(): Promise<void> {
    return this.#lifecycle.close();
  }

  run<T>(repeats: Repeats, onPrimary: OnPrimary<T>, onOverlay: OnOverlay<T>): Promise<T> {
    return this.#underWay.track(() => this.#run(repeats, onPrimary, onOverlay));
  }

  async #run<T>(repeats: Repeats, onPrimary: OnPrimary<T>, onOverlay: OnOverlay<T>): Promise<T> {
    await this.#lifecycle.ready();
    for (let isSecond = false; ;) {
      const outage = await this.#enter();
      let failure: unknown;
      try {
        if (outage === undefined) return await onPrimary();
        return await onOverlay(this.#options.overlays[outage.at]!, outage.since);
      } catch (error) {
        if (!isOutage(error) && !hasLostItsTurn(error)) throw error;
        failure = error;
      } finally {
        this.#gate.leave();
      }
      const mayBeDone = !wasNotDone(failure);
      const mayGoElsewhere = !(repeats === 'nowhere' && mayBeDone);
      const hasSwitched = (): boolean => outage !== this.#outage;
      if (hasSwitched() && mayGoElsewhere) continue;
      // One operation that takes too long is no outage, and neither is a connection that is there again.
      const healthy = await this.#isWell(this.#serving(outage));
      if (!healthy) await this.#leave(outage, failure);
      if (!mayGoElsewhere) throw failure;
      if (hasSwitched()) continue;
      // What was ahead of it took too long: made again, it would come behind what was made after it.
      const isLate = hasLostItsTurn(failure);
      if (healthy && (isSecond || isLate || (repeats === 'elsewhere' && mayBeDone))) throw failure;
      isSecond ||= healthy;
    }
  }

  /** One look for all operations that fail at the same time. */
  #isWell(backend: Backend): Promise<boolean> {
    const before = this.#looks.get(backend);
    if (before !== undefined) return before;
    const look = this.#look(backend).finally(() => this.#looks.delete(backend));
    this.#looks.set(backend, look);
    return look;
  }

  async #look(backend: Backend): Promise<boolean> {
    const until = performance.now() + this.#options.graceMs;
    for (;;) {
      const { healthy } = await askHealth(backend, PROBE_MS);
      if (healthy || performance.now() >= until) return healthy;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  #serving(outage: Outage | undefined): Backend {
    const { primary, overlays } = this.#options;
    return outage === undefined ? primary : overlays[outage.at]!.store;
  }

  async #enter(): Promise<Outage | undefined> {
    await this.#gate.enter();
    return this.#outage;
  }

  async #open(): Promise<void> {
    const { primary, overlays } = this.#options;
    this.#isClosing = false;
    for (const overlay of overlays) {
      try {
        await overlay.open();
      } catch (error) {
        // What cannot be reached now may be later; a wrong setting or a missing driver is told now.
        if (!isOutage(error)) throw error;
        this.#options.onError(error, 'probe');
      }
    }
    // The one that took over last: what another serves now would be replayed before what it has.
    const left = overlays.map(({ journal }) => journal.length > 0).lastIndexOf(true);
    try {
      await primary.open();
    } catch (error) {
      if (!isOutage(error)) throw error;
      await this.#degrade(undefined, Math.max(0, left), error);
      return;
    }
    if (left < 0) return;
    // Another process ended while degraded. Whoever reads now would miss what it has written.
    this.#outage = { at: left, degradedSince: this.#options.clock.now(), since: this.#options.newId() };
    await this.#recover();
    if (this.state.isDegraded) this.#watch();
  }

  /** One switch for all operations that fail at the same time. */
  async #leave(from: Outage | undefined, error: unknown): Promise<void> {
    if (this.#outage !== from) return;
    this.#leaving ??= this.#degrade(from, from === undefined ? 0 : from.at + 1, error).finally(() => {
      this.#leaving = undefined;
    });
    await this.#leaving;
  }

  /** From the outage that it is in, to the first that can take over. */
  async #degrade(from: Outage | undefined, first: number, error: unknown): Promise<void> {
    const { overlays, primary, clock, newId, onEvent } = this.#options;
    await this.#clearing;
    for (let at = first; at < overlays.length; at += 1) {
      const overlay = overlays[at]!;
      try {
        await overlay.open();
      } catch (reason) {
        if (!isOutage(reason)) throw reason;
        continue;
      }
      // It came back meanwhile.
      if (this.#outage !== from) return;
      const now = clock.now();
      // What was replayed already is none of somebody else's to what is written from now on.
      const since = from === undefined || this.#replayer.hasReplayed ? newId() : from.since;
      this.#outage = { at, degradedSince: from?.degradedSince ?? now, since };
      if (from === undefined) this.#stability.left(now);
      this.#told.add(reasonOf(error));
      onEvent({ type: 'degraded', from: primary.name, to: overlay.store.name, error });
      this.#watch();
      return;
    }
    throw error;
  }

  #watch(): void {
    if (this.#timer !== undefined || this.#isClosing) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#probing = this.#probe().finally(() => {
        this.#probing = undefined;
        if (this.#outage !== undefined) this.#watch();
      });
    }, this.#options.probeIntervalMs);
    this.#timer.unref();
  }

  async #probe(): Promise<void> {
    const isGood = await this.#isBack();
    if (this.#stability.probed(isGood, this.#options.clock.now())) await this.#recover();
  }

  async #isBack(): Promise<boolean> {
    try {
      await this.#options.primary.open();
      const { healthy, error } = await askHealth(this.#options.primary, PROBE_MS);
      if (!healthy) this.#tell(error, 'probe');
      return healthy;
    } catch (error) {
      this.#tell(error, 'probe');
      return false;
    }
  }

  /** Once for each reason: a server that answers again, and refuses, would else be taken for one that is gone. */
  #tell(error: unknown, operation: 'probe' | 'replay'): void {
    const reason = reasonOf(error);
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#options.onError(error, operation);
  }

  /** Replays what is kept, oldest first; the last of it while all others wait. */
  async #recover(): Promise<void> {
    const { primary, clock, onEvent } = this.#options;
    const outage = this.#outage;
    if (outage === undefined) return;
    try {
      await this.#replayer.drain(outage.at, FEW);
      await this.#gate.alone(async () => {
        await this.#replayer.drain(this.#outage?.at ?? outage.at, 0);
        this.#outage = undefined;
      });
    } catch (error) {
      this.#stability.probed(false, clock.now());
      this.#tell(error, 'replay');
      return;
    }
    const now = clock.now();
    this.#told.clear();
    this.#stability.cameBack(now);
    this.#clearing = this.#clear();
    onEvent({
      ...{ type: 'recovered', to: primary.name, ...this.#replayer.finish() },
      degradedMs: now - outage.degradedSince,
    });
  }

  async #clear(): Promise<void> {
    try {
      for (const overlay of this.#options.overlays) await overlay.clear();
    } catch (error) {
      this.#options.onError(error, 'replay');
    }
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    // What is under way while it cannot be opened waits for that.
    if (this.#isOpen) await this.#underWay.end();
    await this.#probing;
    // The last chance for what is kept in memory.
    if (this.#outage !== undefined && (await this.#isBack())) await this.#recover();
    await this.#clearing;
    const { primary, overlays, onEvent } = this.#options;
    const left = overlays.map((overlay) => ({ overlay, writes: overlay.journal.length }));
    const closed = await Promise.allSettled([primary.close(), ...overlays.map((each) => each.close())]);
    let lost = 0;
    for (const { overlay, writes } of left.filter((each) => each.writes > 0)) {
      const isLost = overlay.endsWithProcess;
      if (isLost) lost += writes;
      onEvent({ type: 'unreplayed', in: overlay.store.name, writes, isLost });
    }
    const failed = closed.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (lost > 0) {
      const text = `The ${primary.name} backend did not come back before it was closed: ${lost} writes that were kept in memory are lost.`;
      throw new StorageError('UNAVAILABLE', text);
    }
  }
}

/** The codes of an error and of its causes. */
function reasonOf(error: unknown): string {
  const codes: string[] = [];
  let cause = error;
  for (let depth = 0; depth < DEPTH && typeof cause === 'object' && cause !== null; depth += 1) {
    codes.push(errorCode(cause) ?? '');
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return codes.join(' ');
}

function isOutage(error: unknown): boolean {
  return errorCode(error) === 'UNAVAILABLE' && !(error instanceof CannotKnowError);
}
