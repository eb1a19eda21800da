import type { Socket } from 'node:net';

/** A call on a connection that is made later. */
export interface HeldCall {
  readonly name: 'write' | 'end' | 'destroy';
  readonly args: readonly unknown[];
  readonly callback: (() => void) | undefined;
}

/** Who decides what becomes of the calls on a connection. */
export interface Gatekeeper {
  /** Whether it is this one's answer that the connection is for now. */
  isFor(socket: Socket): boolean;
  /** Bytes that wait here. */
  readonly heldBytes: number;
  /** @returns what `write` returns */
  write(socket: Socket, args: readonly unknown[], bytes: number): boolean;
  /** @returns whether the call waits */
  close(name: 'end' | 'destroy', args: readonly unknown[]): boolean;
}

/** The connection's own methods. */
export interface Passage {
  write(args: readonly unknown[]): boolean;
  close(name: 'end' | 'destroy', args: readonly unknown[]): void;
}

export interface SocketGate {
  keeper: Gatekeeper | undefined;
  readonly passage: Passage;
  /** Lets all through, unless another has taken over. */
  open(keeper: Gatekeeper): Passage;
}

const GATE = Symbol('recap.socketGate');
type Method = (this: Socket, ...args: unknown[]) => unknown;

/** The gate of a connection, made once: from then on a call costs one comparison more. */
export function gateOf(socket: Socket): SocketGate {
  const known = (socket as { [GATE]?: SocketGate })[GATE];
  if (known !== undefined) return known;
  const { write, end, destroy } = socket as unknown as Readonly<Record<HeldCall['name'], Method>>;
  const own = { end, destroy };
  const gate: SocketGate = {
    keeper: undefined,
    passage: {
      write: (args) => write.apply(socket, [...args]) !== false,
      close: (name, args) => {
        own[name].apply(socket, [...args]);
      },
    },
    open: (keeper) => {
      if (gate.keeper === keeper) gate.keeper = undefined;
      return gate.passage;
    },
  };
  hide(socket, GATE, gate);
  hide(socket, 'write', function (this: Socket, ...args: unknown[]): unknown {
    const { keeper } = gate;
    if (keeper?.isFor(socket) !== true) return write.apply(this, args);
    return keeper.write(socket, args, byteLength(args));
  });
  // Node calls an answer finished at once when it was ended without a chunk and nothing waits on its connection.
  Object.defineProperty(socket, 'writableLength', {
    get: () => {
      const waiting = Reflect.get(
        Object.getPrototypeOf(socket) as object,
        'writableLength',
        socket,
      ) as number;
      // Something waits also where it is no byte, but the end of the connection that ends the answer.
      return gate.keeper?.isFor(socket) === true ? waiting + Math.max(1, gate.keeper.heldBytes) : waiting;
    },
    configurable: true,
    enumerable: false,
  });
  for (const name of ['end', 'destroy'] as const) {
    hide(socket, name, function (this: Socket, ...args: unknown[]): unknown {
      const { keeper } = gate;
      if (keeper?.isFor(socket) === true && keeper.close(name, args)) return this;
      return own[name].apply(this, args);
    });
  }
  return gate;
}

function byteLength([chunk, encoding]: readonly unknown[]): number {
  if (typeof chunk !== 'string') return chunk instanceof Uint8Array ? chunk.byteLength : 0;
  return encoding === 'latin1' || typeof encoding !== 'string'
    ? chunk.length
    : Buffer.byteLength(chunk, encoding as BufferEncoding);
}

function hide(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}
