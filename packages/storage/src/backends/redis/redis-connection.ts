import { StorageError } from '../../errors';
import type { Run } from '../../writes-in-order';
import { GatheredOverwrites, type Expiry } from './gathered-overwrites';
import { Heartbeat } from './heartbeat';
import type { RedisArgument, RedisClient, RedisReply } from './redis-client';
import { explainRedisError, replyCode } from './redis-errors';
import { RedisPackets } from './redis-packets';
import type { RedisScript } from './redis-script';
import { GROW, SET, WRITE } from './redis-scripts';

export interface RedisConnectionOptions {
  /** A client that was handed in stays open. */
  readonly isOurs: boolean;
  /** How many replicas must have a write before it counts as written: 0 unless given. */
  readonly waitReplicas: number;
  readonly waitTimeoutMs: number;
  /** How long closing lets pending commands end. */
  readonly quitMs: number;
  /** How long a connection of ours may go without an answer. */
  readonly heartbeatMs: number;
  readonly onError: (error: unknown) => void;
}

const MAX_REDIRECTIONS = 5;
const WRITING = [SET, GROW, WRITE];

type Order = Pick<Run, 'isLong'>;

/** One client, its scripts, and why it is not connected. */
export class RedisConnection {
  readonly client: RedisClient;
  readonly #options: RedisConnectionOptions;
  readonly #heartbeat: Heartbeat;
  readonly #packets: RedisPackets;
  readonly #overwrites: GatheredOverwrites;
  /** Of scripts that are sent and not answered, how many. */
  readonly #sent = new Map<Order, number>();
  #reason: unknown;
  #isOpen = false;

  constructor(client: RedisClient, options: RedisConnectionOptions) {
    this.client = client;
    this.#options = options;
    this.#packets = new RedisPackets(client);
    this.#overwrites = new GatheredOverwrites(() => this.commands);
    const nodes = (): readonly RedisClient[] => (client.isCluster ? (client.nodes?.('all') ?? []) : [client]);
    this.#heartbeat = new Heartbeat(nodes, options.heartbeatMs);
  }

  /** The client, for the commands of an operation. */
  get commands(): RedisClient {
    this.#overwrites.send();
    this.#packets.open();
    return this.client;
  }

  async open(): Promise<void> {
    // Without a listener, the driver prints every error.
    this.client.on('error', this.#onError);
    this.client.on('ready', this.#onReady);
    if (!this.#options.isOurs) {
      this.#isOpen = true;
      await this.#teach();
      return;
    }
    await this.client.connect();
    this.#isOpen = true;
    // The driver only tells of a database that is not there, and stays in the first.
    const { db = 0 } = this.client.options;
    if (!this.client.isCluster && db !== 0) await this.client.select(db);
    this.#heartbeat.start();
    await this.#teach();
  }

  async close(): Promise<void> {
    this.#heartbeat.stop();
    this.client.removeListener('ready', this.#onReady);
    if (!this.#options.isOurs) {
      this.client.removeListener('error', this.#onError);
      return;
    }
    // The error listener stays, for what breaks on the way.
    await endClient(this.client, this.#options.quitMs);
  }

  /** @param order of the writes that this is one of */
  async read(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    order?: Order,
  ): Promise<RedisReply> {
    this.#enter(order);
    try {
      return (await this.commands.evalshaBuffer(script.sha, keys.length, ...keys, ...args)) as RedisReply;
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error;
      this.#letNoneOvertake();
      return (await this.commands.evalBuffer(script.lua, keys.length, ...keys, ...args)) as RedisReply;
    } finally {
      this.#leave(order);
    }
  }

  /**
   * Tells whether there was an item under this name; where there was none, nothing is written.
   *
   * @param expiry not on a cluster
   */
  overwrite(name: string, record: string | Buffer, expiry?: Expiry): Promise<boolean> {
    // While a cluster moves a slot, only a command of one name goes to where the item is.
    if (!this.client.isCluster) return this.#overwrites.make(name, record, expiry);
    return this.commands.set(name, record, 'XX').then((answer) => answer !== null);
  }

  /** As `read`, and resolves when as many replicas as wanted have it. */
  write(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    order?: Order,
  ): Promise<RedisReply> {
    if (this.#options.waitReplicas === 0) return this.read(script, keys, args, order);
    this.#enter(order);
    return this.#writeAndWait(script, keys, args).finally(() => this.#leave(order));
  }

  /** As `read`, with the text of the script, so that none that comes later overtakes it. */
  async send(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<void> {
    await this.commands.evalBuffer(script.lua, keys.length, ...keys, ...args);
  }

  explain(error: unknown): StorageError {
    return explainRedisError(error, this.client.status === 'ready' ? undefined : this.#reason);
  }

  /** WAIT counts what its own connection has written, so it has to follow there. */
  async #writeAndWait(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<RedisReply> {
    const { waitReplicas, waitTimeoutMs } = this.#options;
    let isLoaded = true;
    for (let attempt = 1; ; attempt += 1) {
      const pipeline = this.commands.pipeline();
      if (isLoaded) pipeline.evalshaBuffer(script.sha, keys.length, ...keys, ...args);
      else pipeline.evalBuffer(script.lua, keys.length, ...keys, ...args);
      const [answer, waited] = (await pipeline.wait(waitReplicas, waitTimeoutMs).exec()) ?? [];
      if (!answer?.[0] && waited?.[0])
        throw new StorageError(
          'UNAVAILABLE',
          `The master has the write, and does not say how many replicas have it: ${waited[0].message}`,
        );
      const error = answer?.[0];
      if (error) {
        const code = replyCode(error) ?? '';
        if (!['NOSCRIPT', 'MOVED', 'ASK', 'TRYAGAIN'].includes(code) || attempt > MAX_REDIRECTIONS)
          throw error;
        this.#letNoneOvertake();
        // A pipeline is not sent to another node once a part of it has succeeded; a single command is, and then
        // the driver knows the way.
        if (code === 'NOSCRIPT') isLoaded = false;
        else await this.client.getBuffer(keys[0]!).catch(() => undefined);
        continue;
      }
      const replicas = Number(waited?.[1]);
      if (replicas >= waitReplicas) return answer?.[1] as RedisReply;
      throw new StorageError(
        'UNAVAILABLE',
        `The write reached ${replicas} of ${waitReplicas} replicas within ${waitTimeoutMs} ms. The master has it, and may lose it if it fails now.`,
      );
    }
  }

  #enter(order: Order | undefined): void {
    if (order !== undefined) this.#sent.set(order, (this.#sent.get(order) ?? 0) + 1);
  }

  #leave(order: Order | undefined): void {
    if (order === undefined) return;
    const left = (this.#sent.get(order) ?? 1) - 1;
    if (left === 0) this.#sent.delete(order);
    else this.#sent.set(order, left);
  }

  /**
   * The server lacks a script, and so what is under way is sent again with its text: what is made now, and finds the
   * script there, would overtake it.
   */
  #letNoneOvertake(): void {
    for (const order of this.#sent.keys()) order.isLong = true;
  }

  readonly #onError = (error: unknown): void => {
    // Each of many attempts to connect again fails; the first is news. What fails before is told by `open`.
    if (this.#reason === undefined && this.#isOpen) this.#options.onError(explainRedisError(error));
    this.#reason = error;
  };

  readonly #onReady = (): void => {
    this.#reason = undefined;
    // A client of the user's may have sent what it held back before it tells of this, and that would be overtaken.
    if (this.#options.isOurs) void this.#teach();
  };

  /**
   * A server that was started again knows no scripts. What finds one missing needs a second round trip, in which it can
   * be overtaken; where it may not be loaded ahead, that is left to chance.
   */
  async #teach(): Promise<void> {
    const nodes = this.client.isCluster ? (this.client.nodes?.('master') ?? []) : [this.client];
    const loads = nodes.flatMap((node) => WRITING.map(async ({ lua }) => node.script?.('LOAD', lua)));
    await Promise.allSettled(loads);
  }
}

/** Lets pending commands end where the server answers. */
export async function endClient(client: RedisClient, quitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, quitMs);
  });
  try {
    if (client.status === 'ready') await Promise.race([client.quit(), late]);
  } catch {
    // It broke before it ended, and is cut off like one that does not answer.
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
}
