/** One of a ring: a `Set` would be built anew again and again, as quickly as calls come and go. */
interface Call {
  readonly lateAt: number;
  readonly giveUp: (error: Error) => void;
  before: Call;
  after: Call;
}

/** Gives up calls that take longer than all of them may, with one timer: one for each costs as much as a quick call. */
export class CallDeadlines {
  readonly #timeoutMs: number;
  readonly #late: () => Error;
  /** After it comes the oldest call; by itself it is none. */
  readonly #ring = makeRing();
  #timer: NodeJS.Timeout | undefined;

  /** @param late what a call is given up with */
  constructor(timeoutMs: number, late: () => Error) {
    this.#timeoutMs = timeoutMs;
    this.#late = late;
  }

  /** What the call answers, if that comes in time. */
  inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call = this.#begin(reject);
      answer.then(
        (value) => {
          this.#end(call);
          resolve(value);
        },
        () => {
          this.#end(call);
          // Fails as it did.
          resolve(answer);
        },
      );
    });
  }

  #begin(giveUp: (error: Error) => void): Call {
    const ring = this.#ring;
    const lateAt = performance.now() + this.#timeoutMs;
    if (this.#timer === undefined) this.#wait(this.#timeoutMs);
    else if (ring.after === ring) this.#timer.ref();
    const call = { lateAt, giveUp, before: ring.before, after: ring };
    ring.before.after = call;
    ring.before = call;
    return call;
  }

  /** The timer goes on, for the calls that come next; by itself it keeps no process alive. */
  #end(call: Call): void {
    takeOut(call);
    if (this.#ring.after === this.#ring) this.#timer?.unref();
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let call = this.#ring.after; call !== this.#ring; call = this.#ring.after) {
      // Timers may come a little early by this clock.
      const leftMs = Math.ceil(call.lateAt - now);
      if (leftMs > 0) {
        this.#wait(leftMs);
        return;
      }
      takeOut(call);
      call.giveUp(this.#late());
    }
  }
}

function makeRing(): Call {
  const ring: Partial<Call> = { lateAt: Infinity, giveUp: () => undefined };
  return Object.assign(ring as Call, { before: ring, after: ring });
}

/** Once more does nothing. */
function takeOut(call: Call): void {
  call.before.after = call.after;
  call.after.before = call.before;
  call.before = call;
  call.after = call;
}
