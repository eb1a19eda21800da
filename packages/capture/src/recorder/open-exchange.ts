import type { Exchange } from '../exchange';
import type { AnswerInContext } from '../tap/answer-in-context';
import type { HttpTap } from '../tap/http-tap';
import type { TapListener, TapTarget } from '../tap/tap-target';
import type { CaptureOptions, EntryOptions, HostContext } from './capture-options';
import type { CaptureSettings, EntrySettings } from './capture-settings';
import { resolveEntrySettings } from './capture-settings';
import type { SpoolTicket } from './exchange-spool';
import type { Recorder } from './recorder';

/** Calls that one exchange may hold back until it is over. */
const MAX_WAITING = 1_000;

/** What an adapter knows of a request when it sees it first. */
export interface SeenRequest extends TapTarget {
  readonly context: HostContext;
  readonly settings: CaptureSettings;
  /** Whom the entry belongs to when the program does not say. */
  defaultOwner(): unknown;
  /** Called when the exchange is over, before the entry is made: the last chance to set the endpoint. */
  onEnd(open: OpenExchange): void;
}

/** Who makes the record of an exchange. */
export interface ExchangeKeeper {
  /** The exchange is over. Must not throw. */
  onEnd(open: OpenExchange): void;
  /** Its program has given the whole answer, which waits. Must not throw. */
  onAnswered(open: OpenExchange, answer: AnswerInContext): void;
}

/** What middleware, decorator and handler know of an exchange that is not over yet. */
export class OpenExchange implements TapListener {
  readonly id: string;
  readonly seen: SeenRequest;
  readonly context: HostContext;
  settings: CaptureSettings;
  /** Set right after construction: the tap's callback needs this object. */
  tap!: HttpTap;
  endpoint: string | undefined;
  /** Asked for at the start: a connection that is gone has no address. */
  clientAddress: string | undefined;
  pathParameters: Readonly<Record<string, string>> = NO_PARAMETERS;
  entry: EntrySettings;
  /** In the order in which they were given; where two say different things of one key the later one wins. */
  readonly metadata: NonNullable<CaptureOptions['metadata']>[] = [];
  /** True once a decorated handler has merged into this exchange; later ones make entries of their own. */
  isClaimed = false;
  /** True when a decorated handler began to record it, since no middleware had. */
  isFromDecorator = false;
  /** The session id that the answer carried. */
  announcedSessionId: string | undefined;

  /** What was spooled of it before the last of its response went out. */
  held:
    | {
        readonly ticket: SpoolTicket;
        readonly exchange: Exchange;
        readonly entry: EntrySettings;
        readonly metadataCount: number;
      }
    | undefined;
  /** True once its answer waits for its commit: it is recorded as it was then. */
  isCommitting = false;
  /** Whether it was recorded in its midst, since the program was about to exit. */
  isRecordedAtExit = false;
  /** What it took of the program's thread so far, where that is measured. */
  hostMs: number | undefined;
  /** Whether `sample` takes it; asked once. */
  isSampled: boolean | undefined;
  /** Whether `skip` leaves it out; asked once. */
  isSkipped: boolean | undefined;
  /** Tells a failure of Recap's own within this exchange. */
  readonly noteFailure: (error: unknown, where: string) => void;
  /** Who records it. */
  readonly recorder: Recorder;
  readonly #keeper: ExchangeKeeper;
  #built: Exchange | undefined;
  #isOver = false;
  readonly #waiting: ((exchange: Exchange) => void)[] = [];

  constructor(
    id: string,
    recorder: Recorder,
    keeper: ExchangeKeeper,
    seen: SeenRequest,
    noteFailure: (error: unknown, where: string) => void,
  ) {
    this.noteFailure = noteFailure;
    this.id = id;
    this.recorder = recorder;
    this.#keeper = keeper;
    this.seen = seen;
    this.context = seen.context;
    this.settings = seen.settings;
    this.entry = seen.settings.entry;
  }

  onTapEnd(): void {
    this.#keeper.onEnd(this);
  }

  onTapAnswered(answer: AnswerInContext): void {
    this.#keeper.onAnswered(this, answer);
  }

  /** Calls back when the exchange is over and is recorded; never, when it is left out. */
  whenBuilt(callback: (exchange: Exchange) => void): void {
    if (this.#built !== undefined) callback(this.#built);
    else if (!this.#isOver && this.#waiting.length < MAX_WAITING) this.#waiting.push(callback);
  }

  /** Tells those who wait. @param exchange `undefined` when it is left out. */
  settle(exchange: Exchange | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#built = exchange;
    const waiting = this.#waiting.splice(0);
    if (exchange === undefined) return;
    for (const callback of waiting) {
      try {
        callback(exchange);
      } catch (error) {
        // Neither the others that wait nor the exchange itself are to suffer from it.
        this.noteFailure(error, 'settle');
      }
    }
  }

  /** A second mount that this exchange runs into: what it says of the entry wins, what it would watch is watched already. */
  remount({ owner, sessionGroup, metadata, skip, ...own }: CaptureOptions): void {
    this.entry = resolveEntrySettings(own, this.entry);
    this.settings = {
      ...this.settings,
      ...(owner && { owner }),
      ...(sessionGroup && { sessionGroup }),
      ...(skip && { skip }),
    };
    if (metadata !== undefined) this.metadata.push(metadata);
  }

  /** A decorator's options win over the middleware's and the recorder's. */
  override(options: EntryOptions & { readonly metadata?: Readonly<Record<string, unknown>> }): void {
    this.entry = resolveEntrySettings(options, this.entry);
    if (options.metadata !== undefined) this.metadata.push(options.metadata);
  }
}

const NO_PARAMETERS: Readonly<Record<string, string>> = Object.freeze({});
