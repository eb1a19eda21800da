export interface GatheredCallsOptions<Call, Answer> {
  /** Makes a call by itself. */
  readonly one: (call: Call) => Promise<Answer>;
  /** Makes several as if one after the other, and gives an answer for each. */
  readonly many: (calls: readonly Call[]) => Promise<readonly Answer[]>;
  /** What a call is about, where those about the same must keep their order. */
  readonly identityOf?: (call: Call) => string;
  /** A guess of what a call takes, or its answer. */
  readonly bytesOf: (call: Call) => number;
  /** Whether they failed together for what one of them asked, and nothing was done. */
  readonly isOfOne: (error: unknown) => boolean;
  /** After how long without an answer nothing waits for a call any more. */
  readonly patienceMs: number;
}

interface Waiting<Call, Answer> {
  readonly call: Call;
  readonly identity: string | undefined;
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
  readonly reject: (error: unknown) => void;
}

/** Of one kind, at a server at once: enough to keep it busy while others are on their way. */
const AT_ONCE = 4;
const MOST = 32;
const MOST_BYTES = 256 * 1024;
/** How long calls wait for one of those before them to end; then they go anyway. */
const STALLED_MS = 50;

/**
 * Lets calls go together that would otherwise wait for each other: for a server, a statement about many rows is little
 * more than one about a single row. A call that finds nothing on its way goes in the same turn.
 */
export class GatheredCalls<Call, Answer> {
  readonly #options: GatheredCallsOptions<Call, Answer>;
  #waiting: Waiting<Call, Answer>[] = [];
  /** What calls under way are about. */
  readonly #busy = new Set<string | undefined>();
  #underWay = 0;
  #isPlanned = false;
  #stalled: NodeJS.Timeout | undefined;

  constructor(options: GatheredCallsOptions<Call, Answer>) {
    this.#options = options;
  }

  make(call: Call): Promise<Answer> {
    const identity = this.#options.identityOf?.(call);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, identity, resolve, reject });
      this.#plan();
    });
  }

  /** At the end of the turn: those who have been answered in it have mostly made their next call by then. */
  #plan(): void {
    if (this.#isPlanned || this.#waiting.length === 0) return;
    if (this.#underWay >= AT_ONCE) {
      this.#stalled ??= setTimeout(() => {
        this.#stalled = undefined;
        this.#send();
        this.#plan();
      }, STALLED_MS);
      return;
    }
    this.#isPlanned = true;
    const send = (): void => {
      this.#isPlanned = false;
      while (this.#underWay < AT_ONCE && this.#send());
      if (this.#underWay >= AT_ONCE) this.#plan();
    };
    if (this.#underWay === 0) queueMicrotask(send);
    else setImmediate(send);
  }

  /** Tells whether there was one to send. */
  #send(): boolean {
    const group = this.#take();
    if (group.length === 0) return false;
    clearTimeout(this.#stalled);
    this.#stalled = undefined;
    this.#underWay += 1;
    let isTogether = true;
    const part = (): void => {
      if (isTogether) this.#underWay -= 1;
      isTogether = false;
      this.#plan();
    };
    const held = new Set(group.map(({ identity }) => identity));
    const release = (identity: string | undefined): void => {
      if (held.delete(identity)) this.#busy.delete(identity);
    };
    const leave = (): void => {
      held.forEach(release);
      part();
    };
    const patience = setTimeout(leave, this.#options.patienceMs).unref();
    void this.#make(group, { part, release }).finally(() => {
      clearTimeout(patience);
      leave();
    });
    return true;
  }

  async #make(
    group: readonly Waiting<Call, Answer>[],
    { part, release }: { part: () => void; release: (identity: string | undefined) => void },
  ): Promise<void> {
    const { one, many, isOfOne } = this.#options;
    try {
      const answers =
        group.length === 1 ? [await one(group[0]!.call)] : await many(group.map(({ call }) => call));
      group.forEach(({ resolve }, place) => resolve(answers[place]!));
    } catch (error) {
      if (group.length === 1 || !isOfOne(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      // One of them may take long, and holds up neither the others nor what comes after these.
      part();
      const alone = chainsOf(group).map(async (chain) => {
        for (const { call, resolve, reject } of chain) await one(call).then(resolve, reject);
        release(chain[0]!.identity);
        this.#plan();
      });
      await Promise.all(alone);
    }
  }

  /** The first of them; of what waits for a call under way, none. */
  #take(): Waiting<Call, Answer>[] {
    const group: Waiting<Call, Answer>[] = [];
    const held: Waiting<Call, Answer>[] = [];
    let bytes = 0;
    let seen = 0;
    for (; seen < this.#waiting.length && group.length < MOST; seen += 1) {
      const next = this.#waiting[seen]!;
      if (next.identity !== undefined && this.#busy.has(next.identity)) {
        held.push(next);
        continue;
      }
      bytes += this.#options.bytesOf(next.call);
      if (group.length > 0 && bytes > MOST_BYTES) break;
      group.push(next);
    }
    for (const { identity } of group) if (identity !== undefined) this.#busy.add(identity);
    this.#waiting = held.length === 0 ? this.#waiting.slice(seen) : [...held, ...this.#waiting.slice(seen)];
    return group;
  }
}

/** Those about the same, in their order. */
function chainsOf<Call, Answer>(
  group: readonly Waiting<Call, Answer>[],
): readonly (readonly Waiting<Call, Answer>[])[] {
  const chains = new Map<unknown, Waiting<Call, Answer>[]>();
  for (const waiting of group) {
    const about = waiting.identity ?? waiting;
    const chain = chains.get(about);
    if (chain === undefined) chains.set(about, [waiting]);
    else chain.push(waiting);
  }
  return [...chains.values()];
}
