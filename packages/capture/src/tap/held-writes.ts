import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HeldAnswer, Refusal } from './held-answer';
import { refusalBytes } from './refusal';
import { gateOf, type Gatekeeper, type HeldCall, type Passage } from './socket-gate';

/**
 * Keeps what one response writes from its connection (HTTP/1). The response itself does not know: its head is made,
 * it has ended, and it finishes when its bytes have gone out, as it does on a slow connection.
 */
export class HeldWrites implements HeldAnswer, Gatekeeper {
  readonly #response: ServerResponse;
  readonly isWhole: boolean;
  #calls: HeldCall[] = [];
  heldBytes = 0;
  #hasPressedBack = false;
  #state: 'held' | 'released' | 'refused' = 'held';
  #refusal: Refusal | undefined;

  /** @param hasBegun whether a part of the answer may be with the client */
  constructor(response: ServerResponse, hasBegun: boolean) {
    this.#response = response;
    this.isWhole = !hasBegun;
    const { socket } = response;
    if (socket !== null) gateOf(socket).keeper = this;
    // A pipelined answer whose turn has not come gathers what it is given itself, until then.
    else response.once('socket', this.#take);
  }

  isFor(socket: Socket): boolean {
    return this.#response.socket === socket;
  }

  write(socket: Socket, args: readonly unknown[], bytes: number): boolean {
    const callback = args.find((each) => typeof each === 'function') as (() => void) | undefined;
    if (this.#state === 'refused') {
      if (callback !== undefined) process.nextTick(callback);
      return true;
    }
    this.#calls.push({ name: 'write', args, callback });
    this.heldBytes += bytes;
    // An imitation of a socket may tell neither.
    const hasRoom = !(socket.writableLength >= socket.writableHighWaterMark);
    this.#hasPressedBack ||= !hasRoom;
    return hasRoom;
  }

  /** What ends the connection waits as well: in a program without Recap the answer would have gone out before. */
  close(name: 'end' | 'destroy', args: readonly unknown[]): boolean {
    if (this.#state !== 'held') return false;
    this.#calls.push({ name, args, callback: undefined });
    return true;
  }

  release(): void {
    if (this.#state !== 'held') return;
    this.#state = 'released';
    const socket = this.#leave();
    if (socket === undefined) return;
    const passage = gateOf(socket).open(this);
    this.heldBytes = 0;
    const hasRoom = replay(socket, passage, this.#calls.splice(0));
    // As Node does at `end`, since a program may cork a response that it has ended.
    if (this.#response.writableEnded) while (socket.writableCorked > 0) socket.uncork();
    // Whoever was told to wait for `drain` is told once only when the connection itself had no room.
    if (this.#hasPressedBack && hasRoom) socket.emit('drain');
  }

  refuse(refusal: Refusal): void {
    if (this.#state !== 'held') return;
    if (!this.isWhole) {
      this.#state = 'released';
      const socket = this.#leave();
      if (socket !== undefined) gateOf(socket).open(this);
      this.#response.destroy();
      return;
    }
    this.#state = 'refused';
    // For the program's own log of what was answered.
    this.#response.statusCode = refusal.status;
    this.#response.statusMessage = 'Service Unavailable';
    const { socket } = this.#response;
    // Of a pipelined answer it is written when its turn comes.
    if (socket === null) this.#refusal = refusal;
    else this.#sendRefusal(socket, refusal);
  }

  readonly #take = (socket: Socket): void => {
    if (this.#state === 'released') return;
    gateOf(socket).keeper = this;
    if (this.#refusal !== undefined) this.#sendRefusal(socket, this.#refusal);
  };

  #leave(): Socket | undefined {
    this.#response.removeListener('socket', this.#take);
    return this.#response.socket ?? undefined;
  }

  #sendRefusal(socket: Socket, refusal: Refusal): void {
    const calls = this.#calls.splice(0);
    this.heldBytes = 0;
    const head = (this.#response as { readonly _header?: unknown })._header;
    const bytes = refusalBytes(this.#response, typeof head === 'string' ? head : undefined, refusal);
    const callback = (): void => {
      for (const call of calls) call.callback?.();
    };
    // The gate stays: what the response still writes is for nobody.
    const passage = gateOf(socket).passage;
    const after = calls.filter(({ name }) => name !== 'write');
    replay(socket, passage, [{ name: 'write', args: [bytes, callback], callback }, ...after]);
    if (typeof head !== 'string') socket.destroySoon();
  }
}

/** @returns whether the connection had room for all of it */
function replay(socket: Socket, passage: Passage, calls: readonly HeldCall[]): boolean {
  let hasRoom = true;
  socket.cork();
  for (const { name, args } of calls) {
    if (name !== 'write') continue;
    // The connection may have ended meanwhile, and with it the answer.
    if (socket.writable) hasRoom = passage.write(args) && hasRoom;
  }
  socket.uncork();
  for (const { name, args } of calls) if (name !== 'write') passage.close(name, args);
  return hasRoom;
}
