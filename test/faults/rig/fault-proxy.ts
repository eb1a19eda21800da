import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to what passes, in Toxiproxy's words. @see https://github.com/Shopify/toxiproxy#toxics */
export interface Toxics {
  /** Each piece is held for so long, give or take `jitterMs`. */
  readonly latency?: { readonly latencyMs: number; readonly jitterMs?: number };
  /** Nothing passes, and nobody is told: a black hole. */
  readonly timeout?: boolean;
  /** Pieces of at most so many bytes. */
  readonly slicer?: { readonly maxBytes: number };
  readonly bandwidth?: { readonly bytesPerSecond: number };
  /** Resets the connection at a piece from the client that holds this text, `before` it passes or `after` it was answered. */
  readonly resetPeer?: { readonly at: string; readonly moment: 'before' | 'after' };
}

type Direction = 'up' | 'down';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** The answer to what came last is awaited, and then the connection is reset. */
  isDoomed: boolean;
}

/** Connections between Recap and a server on 127.0.0.1, which pass through here. */
export class FaultProxy {
  readonly #target: URL;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #port = 0;
  #toxics: Toxics = {};
  #resumed: (() => void)[] = [];
  /** Pieces that each fault was done to: a fault that is never reached proves nothing. */
  reached = { latency: 0, timeout: 0, slicer: 0, bandwidth: 0, resetPeer: 0 };
  /** Connections that were opened. */
  opened = 0;

  constructor(target: URL) {
    this.#target = target;
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
    const server = connect(Number(this.#target.port || 5432), this.#target.hostname);
    const pair: Pair = { client, server, isDoomed: false };
    this.#pairs.add(pair);
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
        const size = this.#toxics.slicer?.maxBytes ?? piece.length;
        for (let at = 0; at < piece.length; at += size) {
          if (this.#toxics.slicer !== undefined) this.reached.slicer += 1;
          const slice = piece.subarray(at, at + size);
          await this.#slow(slice);
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
    this.reached.resetPeer += 1;
    if (resetPeer.moment === 'before') reset(pair);
    else pair.isDoomed = true;
    return resetPeer.moment === 'before';
  }

  async #slow({ length }: Buffer): Promise<void> {
    const { latency, bandwidth } = this.#toxics;
    let ms = 0;
    if (latency !== undefined) {
      this.reached.latency += 1;
      ms += latency.latencyMs + (Math.random() * 2 - 1) * (latency.jitterMs ?? 0);
    }
    if (bandwidth !== undefined) {
      this.reached.bandwidth += 1;
      ms += (length * 1_000) / bandwidth.bytesPerSecond;
    }
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

function reset({ client, server }: Pair): void {
  client.resetAndDestroy();
  server.destroy();
}

export async function startFaultProxy(target: URL): Promise<FaultProxy> {
  const proxy = new FaultProxy(target);
  await proxy.up();
  return proxy;
}
