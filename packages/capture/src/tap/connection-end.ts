import type { Socket } from 'node:net';

const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back when the connection is gone. For responses that wait behind others on it: Node tells only
 * the one whose turn it is. One listener for each connection, however many requests are pipelined.
 *
 * @returns call it when that is no longer of interest.
 */
export function onConnectionEnd(socket: Socket, callback: () => void): () => void {
  let callbacks = waiting.get(socket);
  if (callbacks === undefined) {
    const own = new Set<() => void>();
    callbacks = own;
    waiting.set(socket, own);
    makeRoom(socket);
    socket.once('close', () => {
      // Those whose turn it was are told by Node itself, and are over by then.
      setImmediate(() => {
        for (const call of own) call();
      });
    });
  }
  const all = callbacks;
  all.add(callback);
  return () => all.delete(callback);
}

/** A listener of ours must not bring a program closer to the number at which Node warns. */
export function makeRoom(emitter: NodeJS.EventEmitter): void {
  const limit = emitter.getMaxListeners();
  if (limit > 0) emitter.setMaxListeners(limit + 1);
}
