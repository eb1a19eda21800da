import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { makeRoom } from './connection-end';
import type { ResponseObserver } from './patch-response';

/** Whether it is a connection that closes at some time. Programs that call handlers themselves pass imitations. */
export function willClose(connection: object): boolean {
  if (!(connection instanceof Duplex)) return false;
  // Made, and connected to nobody: nothing will ever happen to it.
  const { pending, destroyed, connecting } = connection as Partial<Socket>;
  return pending !== true || destroyed === true || connecting === true;
}

type End = (this: ServerResponse, ...args: unknown[]) => unknown;

/**
 * Tells `observer`, perhaps more than once, when an answer that goes to no connection has ended: such a response may never
 * close, and one that has no socket does not even finish. A turn later, so that one that closes has done so.
 */
export function onUnconnectedEnd(
  response: ServerResponse,
  observer: Pick<ResponseObserver, 'onClose'>,
): void {
  const tell = (): void => {
    observer.onClose();
  };
  makeRoom(response);
  response.once('finish', () => setImmediate(tell));
  const { end: original } = response as unknown as { readonly end: End };
  const end: End = function (this: ServerResponse, ...args) {
    const result = original.apply(this, args);
    setImmediate(() => {
      if (response.writableEnded && response.socket === null) tell();
    });
    return result;
  };
  Object.defineProperties(end, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true },
  });
  Object.defineProperty(response, 'end', {
    value: end,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}
