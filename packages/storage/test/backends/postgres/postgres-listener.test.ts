import { EventEmitter } from 'node:events';
import type {
  PostgresClient,
  PostgresPool,
  PostgresQueryConfig,
  PostgresResult,
} from '../../../src/backends/postgres/postgres-client';
import { PostgresListener } from '../../../src/backends/postgres/postgres-listener';

const HEARTBEAT_MS = 5_000;
const RECONNECT_MS = 1_000;
const ANSWER: PostgresResult = { rows: [] };

class Connection extends EventEmitter implements PostgresClient {
  readonly asked: string[] = [];
  readonly release = jest.fn();
  answer = (): Promise<PostgresResult> => Promise.resolve(ANSWER);

  waiting = 0;
  mostWaiting = 0;

  async query({ text }: PostgresQueryConfig): Promise<PostgresResult> {
    this.asked.push(text);
    this.waiting += 1;
    this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
    const answer = await this.answer();
    this.waiting -= 1;
    return answer;
  }

  get beats(): number {
    return this.asked.filter((text) => text === 'SELECT 1').length;
  }

  get channels(): string[] {
    return this.asked.filter((text) => text.startsWith('LISTEN'));
  }
}

function listenerOf(max = 10) {
  const connections: Connection[] = [];
  const pool: PostgresPool = {
    query: () => Promise.resolve(ANSWER),
    connect: async () => {
      const connection = new Connection();
      connections.push(connection);
      return connection;
    },
    end: () => Promise.resolve(),
    on: () => undefined,
    options: { max },
  };
  const onError = jest.fn();
  const listener = new PostgresListener({ pool, suffix: 's', heartbeatMs: HEARTBEAT_MS, onError });
  return { connections, listener, onError };
}

const never = (): Promise<PostgresResult> => new Promise(() => undefined);
const ignore = (): void => undefined;

describe('a PostgreSQL connection that listens', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is asked for a sign of life, and stays as long as it gives one', async () => {
    const { connections, listener, onError } = listenerOf();
    await listener.subscribe('a', ignore);
    await jest.advanceTimersByTimeAsync(10 * HEARTBEAT_MS);
    expect(connections).toHaveLength(1);
    expect(connections[0]!.beats).toBe(10);
    expect(onError).not.toHaveBeenCalled();
    await listener.close();
  });

  it.each([
    ['gives no answer', 2 * HEARTBEAT_MS, never],
    ['is given up by its pool', HEARTBEAT_MS, () => Promise.reject(new Error('Query read timeout'))],
  ])('is replaced by one with the same channels when it %s', async (_what, afterMs, answer) => {
    const { connections, listener, onError } = listenerOf();
    await listener.subscribe('a', ignore);
    await listener.subscribe('b', ignore);
    connections[0]!.answer = answer;
    await jest.advanceTimersByTimeAsync(afterMs + 2 * RECONNECT_MS);
    expect(connections[0]!.release.mock.calls).toEqual([[true]]);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: 'UNAVAILABLE' })]]);
    expect(connections).toHaveLength(2);
    expect(connections[1]!.channels).toEqual(connections[0]!.channels);
    await jest.advanceTimersByTimeAsync(10 * HEARTBEAT_MS);
    expect(connections).toHaveLength(2);
    await listener.close();
  });

  it('stays when its answer is there by the time that a busy program reads it', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const { connections, listener, onError } = listenerOf();
    await listener.subscribe('a', ignore);
    let arrive = ignore;
    connections[0]!.answer = () => new Promise((resolve) => (arrive = () => resolve(ANSWER)));
    await jest.advanceTimersByTimeAsync(HEARTBEAT_MS);
    jest.advanceTimersByTime(HEARTBEAT_MS);
    arrive();
    await new Promise((resolve) => setImmediate(resolve));
    expect(connections[0]!.release).not.toHaveBeenCalled();
    expect(onError).not.toHaveBeenCalled();
    await listener.close();
  });

  it('is asked one thing at a time, and has as long for each', async () => {
    const { connections, listener, onError } = listenerOf();
    await listener.subscribe('a', ignore);
    const [connection] = connections;
    connection!.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS - 1));
      return ANSWER;
    };
    await jest.advanceTimersByTimeAsync(HEARTBEAT_MS);
    const subscribed = listener.subscribe('b', ignore);
    await jest.advanceTimersByTimeAsync(3 * HEARTBEAT_MS);
    await subscribed;
    expect(connection!.mostWaiting).toBe(1);
    expect(connections).toHaveLength(1);
    expect(onError).not.toHaveBeenCalled();
    await listener.close();
  });

  it('stays for those who listen when the server refuses another, and is watched on', async () => {
    const { connections, listener, onError } = listenerOf();
    await listener.subscribe('a', ignore);
    const [connection] = connections;
    const refusal = Object.assign(new Error('permission denied'), { code: '42501' });
    connection!.answer = () => Promise.reject(refusal);
    const refused = listener.subscribe('b', ignore);
    await expect(refused).rejects.toBe(refusal);
    connection!.answer = () => Promise.resolve(ANSWER);
    await jest.advanceTimersByTimeAsync(3 * HEARTBEAT_MS);
    expect(connections).toHaveLength(1);
    expect(connection!.beats).toBe(3);
    expect(connection!.release).not.toHaveBeenCalled();
    // Only of taking the refused one back, which was refused as well.
    expect(onError.mock.calls).toEqual([[refusal]]);
    await listener.close();
  });

  it('is asked nothing once nobody listens', async () => {
    const { connections, listener } = listenerOf();
    const end = await listener.subscribe('a', ignore);
    await end();
    await jest.advanceTimersByTimeAsync(10 * HEARTBEAT_MS);
    expect(connections).toHaveLength(1);
    expect(connections[0]!.beats).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  // Every call waited in vain for the one connection.
  it('is not taken from a pool that has no other', async () => {
    const { connections, listener } = listenerOf(1);
    await expect(listener.subscribe('a', ignore)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('Raise "pool.max" to 2'),
    });
    expect(connections).toEqual([]);
    const { listener: roomier } = listenerOf(2);
    await roomier.subscribe('a', ignore);
    await roomier.close();
  });

  it('outlives what the one before it tells late', async () => {
    const { connections, listener } = listenerOf();
    await listener.subscribe('a', ignore);
    connections[0]!.emit('error', new Error('It broke.'));
    await jest.advanceTimersByTimeAsync(RECONNECT_MS);
    expect(connections).toHaveLength(2);
    connections[0]!.emit('error', new Error('It broke once more.'));
    expect(connections[1]!.release).not.toHaveBeenCalled();
    await listener.close();
  });
});
