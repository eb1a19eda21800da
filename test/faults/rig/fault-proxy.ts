import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectEncrypted, type ConnectionOptions } from 'node:tls';

/** What happens to what passes, in Toxiproxy's words. @see https://github.com/Shopify/toxiproxy#toxics */
export interface Toxics {
  /** Each piece from the server is held for so long, give or take `jitterMs`. */
  readonly latency?: { readonly latencyMs: number; readonly jitterMs?: number };
  /** Nothing passes, and nobody is told: a black hole. */
  readonly timeout?: boolean;
  /** Pieces of 1 to so many bytes, each in a packet of its own. */
  readonly slicer?: { readonly maxBytes: number };
  readonly bandwidth?: { readonly bytesPerSecond: number };
  /**
   * Resets the connection at each `every`th piece from the client that holds the text `at`: `before` it reaches the
   * server, or `after` the server answered it, which the client then does not hear.
   */
  readonly resetPeer?: { readonly at: string; readonly moment: 'before' | 'after'; readonly every: number };
}

type Direction = 'up' | 'down';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** The answer to what came last is awaited, and then the connection is reset. */
  isDoomed: boolean;
  /** Nothing passes any more. */
  isSilent: boolean;
  /** What passed faster than it may. */
  owedMs: number;
}

/** Connections between Recap and a server, which pass through here; without encryption as far as here. */
export class FaultProxy {
  readonly #target: URL;
  readonly #tls: ConnectionOptions | undefined;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #port = 0;
  #toxics: Toxics = {};
  #matched = 0;
  #resumed: (() => void)[] = [];
  /** Pieces that each fault was done to: a fault that is never reached proves nothing. */
  reached = { latency: 0, timeout: 0, slicer: 0, bandwidth: 0, resetPeer: 0 };
  /** Connections that were opened. */
  opened = 0;
  /** At one time. */
  mostOpen = 0;

  /** @param tls of a server that takes encrypted connections only */
  constructor(target: URL, tls?: ConnectionOptions) {
    this.#target = target;
    this.#tls = tls;
  }

  get url(): string {
    return Object.assign(new URL(this.#target), { hostname: '127.0.0.1', port: String(this.#port) }).href;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#pairs.size;
  }

  /** From now on, also for what is open. */
  set toxics(toxics: Toxics) {
    this.#toxics = toxics;
    if (toxics.timeout !== true) for (const resume of this.#resumed.splice(0)) resume();
  }

  /** What is open becomes a black hole for good, as in a firewall that forgot it; what is opened later is not. */
  silence(): void {
    for (const pair of this.#pairs) pair.isSilent = true;
  }

  /** Takes connections, at the same port as before. */
  async up(): Promise<void> {
    const server = createServer({ allowHalfOpen: false }, (client) => this.#join(client));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Resets every connection, and takes no other. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const pair of this.#pairs) reset(pair);
    if (server === undefined) return;
    server.close();
    await once(server, 'close');
  }

  async close(): Promise<void> {
    this.toxics = {};
    await this.down();
  }

  #join(client: Socket): void {
    this.opened += 1;
    const to = { host: this.#target.hostname, port: Number(this.#target.port || 5432) };
    const server = this.#tls === undefined ? connect(to) : connectEncrypted({ ...this.#tls, ...to });
    const pair: Pair = { client, server, isDoomed: false, isSilent: false, owedMs: 0 };
    this.#pairs.add(pair);
    this.mostOpen = Math.max(this.mostOpen, this.#pairs.size);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
    void this.#pass(pair, 'up');
    void this.#pass(pair, 'down');
  }

  /** Piece by piece, in order. */
  async #pass(pair: Pair, direction: Direction): Promise<void> {
    const [from, to] = direction === 'up' ? [pair.client, pair.server] : [pair.server, pair.client];
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        if (await this.#poison(pair, direction, piece)) return;
        if (direction === 'down') await this.#delay();
        for (let at = 0; at < piece.length;) {
          const slice = piece.subarray(at, at + this.#sliceBytes(piece.length));
          at += slice.length;
          await this.#throttle(pair, slice.length);
          if (to.destroyed) return;
          // Each slice is a packet of its own, since the one before has left.
          await new Promise<void>((resolve) => to.write(slice, () => resolve()));
        }
      }
      to.end();
    } catch {
      // The connection was broken off by either side; the handlers of `close` end the other.
      to.destroy();
    }
  }

  /** @returns whether the connection is over */
  async #poison(pair: Pair, direction: Direction, piece: Buffer): Promise<boolean> {
    const { timeout, resetPeer } = this.#toxics;
    if (pair.isSilent) {
      this.reached.timeout += 1;
      await once(pair.client, 'close');
      return true;
    }
    if (timeout === true) {
      this.reached.timeout += 1;
      await new Promise<void>((resolve) => this.#resumed.push(resolve));
      if (pair.client.destroyed) return true;
    }
    if (direction === 'down') {
      if (pair.isDoomed) reset(pair);
      return pair.isDoomed;
    }
    if (resetPeer === undefined || !piece.includes(resetPeer.at)) return false;
    this.#matched += 1;
    if (this.#matched % resetPeer.every !== 0) return false;
    this.reached.resetPeer += 1;
    if (resetPeer.moment === 'before') reset(pair);
    else pair.isDoomed = true;
    return resetPeer.moment === 'before';
  }

  #sliceBytes(whole: number): number {
    const { slicer } = this.#toxics;
    if (slicer === undefined) return whole;
    this.reached.slicer += 1;
    return 1 + Math.floor(Math.random() * slicer.maxBytes);
  }

  async #delay(): Promise<void> {
    const { latency } = this.#toxics;
    if (latency === undefined) return;
    this.reached.latency += 1;
    await wait(latency.latencyMs + (Math.random() * 2 - 1) * (latency.jitterMs ?? 0));
  }

  async #throttle(pair: Pair, bytes: number): Promise<void> {
    const { bandwidth } = this.#toxics;
    if (bandwidth === undefined) return;
    this.reached.bandwidth += 1;
    pair.owedMs += (bytes * 1_000) / bandwidth.bytesPerSecond;
    // A timer is not finer than that.
    if (pair.owedMs < 5) return;
    const { owedMs } = pair;
    pair.owedMs = 0;
    await wait(owedMs);
  }
}

function reset({ client, server }: Pair): void {
  // One that is being ended cannot be reset any more: Node would leave its handle open, and the process with it.
  if (client.writableEnded) client.destroy();
  else client.resetAndDestroy();
  server.destroy();
}

export async function startFaultProxy(target: URL, tls?: ConnectionOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(target, tls);
  await proxy.up();
  return proxy;
}
