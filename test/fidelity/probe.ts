import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { once } from 'node:events';
import { describeError, describeValue } from './describe-value';
import { CALLBACK, type Call } from './call';
import type { Run } from './run';

const REQUEST_EVENTS = ['aborted', 'close', 'end', 'error', 'pause', 'resume'];
const RESPONSE_EVENTS = ['close', 'drain', 'error', 'finish', 'pipe', 'prefinish', 'unpipe'];

/** Watches one request from outside the app, and lets its handler do things to the response on record. */
export class Probe {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly run: Run;
  readonly #label: string;
  readonly closed: Promise<void>;
  #calls = 0;
  /** Whether Node said that the whole answer was handed over. */
  didFinish = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    run: Run,
    label: string,
    watchErrors = true,
  ) {
    this.req = request;
    this.res = response;
    this.run = run;
    this.#label = label;
    for (const name of REQUEST_EVENTS) if (watchErrors || name !== 'error') this.#watch('req', request, name);
    for (const name of RESPONSE_EVENTS)
      if (watchErrors || name !== 'error') this.#watch('res', response, name);
    response.once('finish', () => {
      // HTTP/2 emits it however the stream was closed; HTTP/1 may after `destroy`, when `end` comes.
      this.didFinish = response.writableFinished && !response.destroyed;
    });
    this.closed = new Promise((resolve) => {
      response.once('close', () => {
        this.note(`at close: ${this.#state()}`);
        resolve();
      });
    });
  }

  /** Resolves when the response is closed, or can no longer be: its turn on the connection never came. */
  async over(): Promise<void> {
    if (this.res.socket === null && this.req.socket.destroyed) return;
    await this.closed;
  }

  note(line: string): void {
    this.run.note(`${this.#label} ${line}`);
  }

  /** The first line of every handler: what the middlewares before it left. */
  enter(): void {
    const { req, res } = this;
    const listeners = ['data', 'readable', 'end', 'error'].map((name) => req.listenerCount(name)).join();
    this.note(`handler: flowing ${String(req.readableFlowing)}, listeners ${listeners}, ${this.#state()}`);
    this.note(`handler: headers ${describeValue(res.getHeaders())}`);
  }

  /** Calls one method of the response, or does what else {@link Call} names, and notes what came of it. */
  call(name: string, ...given: unknown[]): unknown {
    this.#calls += 1;
    const label = `${String(this.#calls)} ${name}`;
    const args = given.map((arg) =>
      arg === CALLBACK
        ? (...passed: unknown[]): void =>
            this.note(`${label} calls back(${passed.map(describeValue).join()})`)
        : arg,
    );
    try {
      const result = this.#do(name, args);
      this.note(`${label} -> ${this.#describe(result)}`);
      return result;
    } catch (error) {
      this.note(`${label} throws ${describeError(error)}`);
      return undefined;
    }
  }

  async play(calls: readonly Call[]): Promise<void> {
    for (const [name, ...args] of calls) {
      if (name === 'turn') await nextTurn();
      else if (name.startsWith('await ')) await once(this.res, name.slice('await '.length));
      else this.call(name, ...args);
    }
  }

  #do(name: string, args: readonly unknown[]): unknown {
    const steps = name.split('.');
    const last = steps.pop() ?? '';
    let target: unknown = steps[0] === 'req' ? this.req : this.res;
    for (const step of steps[0] === 'req' ? steps.slice(1) : steps) {
      target = (target as Readonly<Record<string, unknown>>)[step];
    }
    const holder = target as Record<string, unknown>;
    if (last.endsWith('=')) {
      [holder[last.slice(0, -1)]] = args;
      return undefined;
    }
    return (holder[last] as (...all: readonly unknown[]) => unknown).apply(holder, [...args]);
  }

  #watch(side: string, emitter: NodeJS.EventEmitter, name: string): void {
    emitter.on(name, (value: unknown) => {
      this.note(`${side} ${name}${name === 'error' ? ` ${describeError(value)}` : ''}`);
    });
  }

  #state(): string {
    const { req, res } = this;
    const flags = {
      status: res.statusCode,
      // HTTP/2 has none, and warns once whoever asks.
      ...(req.httpVersionMajor < 2 && { message: res.statusMessage }),
      sent: res.headersSent,
      ended: res.writableEnded,
      finished: res.writableFinished,
      destroyed: res.destroyed,
      needDrain: res.writableNeedDrain,
      complete: req.complete,
      read: req.readableDidRead,
      gone: req.destroyed,
    };
    return Object.entries(flags)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ');
  }

  #describe(result: unknown): string {
    if (result === this.res) return 'the response';
    if (result === this.req) return 'the request';
    if (result === this.res.socket && result !== null) return 'the socket';
    return describeValue(result);
  }
}
