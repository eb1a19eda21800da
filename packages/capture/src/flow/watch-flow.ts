import type { FlowKind } from '../flow-kind';
import type { FlowListener } from './flow-listener';
import { watchAsyncIterable, watchIterator } from './watch-iterator';
import { watchStream } from './watch-stream';
import { watchWebStream } from './watch-web-stream';

type Watch = (flow: object, listener: FlowListener) => boolean;

/** Of the other kinds each use is a run of its own, or looking would be the use. */
const WATCHES: Readonly<Partial<Record<FlowKind, Watch>>> = {
  generator: watchIterator,
  iterator: watchIterator,
  asyncIterable: watchAsyncIterable,
  stream: watchStream,
  webStream: watchWebStream,
};

/** Lets `listener` see what goes through `flow`; false when that cannot be without changing it. */
export function watchFlow(flow: object, kind: FlowKind, listener: FlowListener): boolean {
  return WATCHES[kind]?.(flow, listener) ?? false;
}
