import type { Socket } from 'node:net';

/** Who is told that a connection is gone. */
export interface ConnectionListener {
  onClose(): void;
}

const waiting = new WeakMap<Socket, Set<ConnectionListener>>();

/**
 * Calls back when the connection is gone. For responses that wait behind others on it: Node tells only
 * the one whose turn it is. One listener for each connection, however many requests are pipelined.
 *
 * @returns those who wait: take yourself out when that is no longer of interest.
 */
export function onConnectionEnd(
  socket: Socket,
  listener: ConnectionListener,
): { delete(listener: ConnectionListener): unknown } {
  let listeners = waiting.get(socket);
  if (listeners === undefined) {
    const own = new Set<ConnectionListener>();
    listeners = own;
    waiting.set(socket, own);
    makeRoom(socket);
    socket.once('close', () => {
      // Those whose turn it was are told by Node itself, and are over by then.
      setImmediate(() => {
        for (const each of own) each.onClose();
      });
    });
  }
  return listeners.add(listener);
}

/** A listener of ours must not bring a program closer to the number at which Node warns. */
export function makeRoom(emitter: NodeJS.EventEmitter): void {
  const limit = emitter.getMaxListeners();
  if (limit > 0) emitter.setMaxListeners(limit + 1);
}
