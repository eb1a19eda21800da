import type { CapturedBody, Outcome } from '../exchange';
import { FLOW_MARKS, type FlowKind } from '../flow-kind';
import { FlowBody } from '../flow/flow-body';
import type { FlowListener } from '../flow/flow-listener';
import { watchFlow } from '../flow/watch-flow';
import { parsedBody } from './parsed-body';
import type { RecorderCore } from './recorder-core';

type End = (outcome: Outcome, result: CapturedBody, thrown?: { readonly error: unknown }) => void;

/** Results that one recorder watches at a time; of further ones only the mark is kept. */
const MAX_OPEN = 10_000;

/** Calls that may watch one value: a method hands on what another returned, or returns the same one again and again. */
const MAX_WATCHES = 4;

const watches = new WeakMap<object, number>();
const openFlows = new WeakMap<RecorderCore, Set<OpenFlow>>();
/** What the program lets go half-used has no other end. */
const letGo = new FinalizationRegistry<OpenFlow>((flow) => {
  flow.onAbort();
});

/**
 * Watches what a method returned while the program uses it, and calls `end` once: when all of it was
 * taken, when it failed, when the program lets it go, or when the recorder closes.
 *
 * @returns false when it cannot be watched: then its mark is its record.
 */
export function beginFlow(
  recorder: RecorderCore,
  value: object,
  kind: FlowKind,
  maxBodyBytes: number,
  end: End,
): boolean {
  const open = openOf(recorder);
  const before = watches.get(value) ?? 0;
  if (open.size >= MAX_OPEN || before >= MAX_WATCHES) return false;
  const flow = new OpenFlow(recorder, kind, maxBodyBytes, end);
  flow.onOver = () => open.delete(flow);
  open.add(flow);
  let isWatched = false;
  try {
    isWatched = watchFlow(value, kind, flow);
  } finally {
    if (!isWatched) flow.forget();
  }
  if (!isWatched) return false;
  watches.set(value, before + 1);
  letGo.register(value, flow);
  return true;
}

function openOf(recorder: RecorderCore): Set<OpenFlow> {
  const known = openFlows.get(recorder);
  if (known !== undefined) return known;
  const open = new Set<OpenFlow>();
  openFlows.set(recorder, open);
  recorder.onClose(() => {
    for (const flow of open) flow.onAbort();
  });
  return open;
}

/** Holds nothing of the value itself, which could not be collected else. */
class OpenFlow implements FlowListener {
  onOver: () => void = () => undefined;
  readonly #recorder: RecorderCore;
  readonly #kind: FlowKind;
  readonly #body: FlowBody;
  readonly #maxBodyBytes: number;
  readonly #end: End;
  #isOver = false;

  constructor(recorder: RecorderCore, kind: FlowKind, maxBodyBytes: number, end: End) {
    this.#recorder = recorder;
    this.#kind = kind;
    this.#maxBodyBytes = maxBodyBytes;
    this.#end = end;
    this.#body = new FlowBody(maxBodyBytes, recorder.budget);
  }

  onItem(item: unknown): void {
    if (this.#isOver) return;
    this.#guarded(() => {
      this.#body.add(item);
    });
  }

  onComplete(): void {
    this.#finish('completed');
  }

  onAbort(): void {
    this.#finish('aborted');
  }

  onFailure(error: unknown): void {
    this.#finish('failed', { error });
  }

  /** It is not watched after all. */
  forget(): void {
    this.#isOver = true;
    this.onOver();
  }

  #finish(outcome: Outcome, thrown?: { readonly error: unknown }): void {
    if (this.#isOver) return;
    this.forget();
    this.#guarded(() => {
      const isUnused = this.#body.isEmpty && outcome !== 'completed';
      const seen = this.#body.finish(outcome === 'completed');
      const mark = parsedBody(FLOW_MARKS[this.#kind], this.#maxBodyBytes);
      this.#end(outcome, isUnused && mark !== undefined ? mark : seen, thrown);
    });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#recorder.onError(error, 'storeApiData');
    }
  }
}
