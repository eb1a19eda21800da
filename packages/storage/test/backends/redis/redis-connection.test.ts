import { EventEmitter } from 'node:events';
import { createRedisBackend } from '../../../src/backends/redis/redis-backend';
import type { RedisClient } from '../../../src/backends/redis/redis-client';
import { RedisConnection } from '../../../src/backends/redis/redis-connection';
import { SET } from '../../../src/backends/redis/redis-scripts';
import { isTransient, wasNotDone } from '../../../src/resilience/transient';

const HEARTBEAT_MS = 5_000;
const never = (): Promise<never> => new Promise(() => undefined);

type Answers = [error: Error | null, result: unknown][];

/** A server that answers each pipeline as it is told to, and is asked for nothing else. */
class Client extends EventEmitter {
  status = 'ready';
  readonly isCluster = false;
  readonly options = {};
  readonly pipelines: string[][] = [];
  answers: Answers[] = [];

  connect = jest.fn(async () => undefined);
  ping = jest.fn(async () => 'PONG');
  script = jest.fn(async () => 'sha');
  quit = jest.fn(async () => 'OK');
  disconnect = jest.fn();

  pipeline() {
    const asked: string[] = [];
    this.pipelines.push(asked);
    const note = (what: string) => () => (asked.push(what), pipeline);
    const pipeline = {
      evalBuffer: note('eval'),
      evalshaBuffer: note('evalsha'),
      wait: note('wait'),
      exec: async () => this.answers.shift(),
    };
    return pipeline;
  }
}

interface Settings {
  readonly isOurs?: boolean;
  readonly waitReplicas?: number;
  readonly onError?: (error: unknown) => void;
}

function open(client: Client, options: Settings = {}) {
  return new RedisConnection(client as unknown as RedisClient, {
    isOurs: true,
    waitReplicas: 0,
    waitTimeoutMs: 100,
    quitMs: 100,
    heartbeatMs: HEARTBEAT_MS,
    onError: () => undefined,
    ...options,
  });
}

describe('a connection to Redis', () => {
  it('leaves it to opening to tell why it cannot be made, and tells once that it broke', async () => {
    const client = new Client();
    const broken = Object.assign(new Error('of Node'), { code: 'ECONNREFUSED' });
    client.connect.mockImplementationOnce(async () => {
      client.emit('error', broken);
      throw broken;
    });
    const onError = jest.fn();
    const [failing, connection] = [open(client, { onError }), open(client, { onError })];
    await expect(failing.open()).rejects.toBe(broken);
    client.removeAllListeners();
    await connection.open();
    expect(onError).not.toHaveBeenCalled();
    for (let n = 0; n < 3; n += 1) client.emit('error', broken);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: 'UNAVAILABLE' })]]);
    await connection.close();
  });

  it('makes a write once that the master has, and of which it does not say how many replicas have it', async () => {
    const client = new Client();
    const connection = open(client, { waitReplicas: 1 });
    client.answers = [
      [
        [null, 1],
        [Object.assign(new Error('LOADING Redis is loading'), { name: 'ReplyError' }), undefined],
      ],
    ];
    const failure = await connection.write(SET, ['k'], []).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('has the write') });
    expect(wasNotDone(failure)).toBe(false);
    expect(client.pipelines).toEqual([['evalsha', 'wait']]);
  });

  it('gives the text of a script to a server that does not know it, and waits for the replicas of that', async () => {
    const client = new Client();
    const connection = open(client, { waitReplicas: 1 });
    client.answers = [
      [
        [new Error('NOSCRIPT No matching script.'), undefined],
        [null, 1],
      ],
      [
        [null, 7],
        [null, 1],
      ],
    ];
    expect(await connection.write(SET, ['k'], [])).toBe(7);
    expect(client.pipelines).toEqual([
      ['evalsha', 'wait'],
      ['eval', 'wait'],
    ]);
  });

  // It was asked for its scripts without an end.
  it('is given up by its heartbeat when it falls silent while it is taught its scripts', async () => {
    jest.useFakeTimers();
    try {
      const client = new Client();
      client.script.mockImplementation(never);
      client.ping.mockImplementation(never);
      void open(client).open();
      await jest.advanceTimersByTimeAsync(2 * HEARTBEAT_MS);
      expect(client.disconnect).toHaveBeenCalledWith(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it('that is ours is taught its scripts each time that it is there again', async () => {
    const ours = new Client();
    const connection = open(ours);
    await connection.open();
    const taught = ours.script.mock.calls.length;
    ours.emit('ready');
    expect(ours.script.mock.calls.length).toBe(2 * taught);
    await connection.close();
    ours.emit('ready');
    expect(ours.script.mock.calls.length).toBe(2 * taught);
  });

  it('does not say of a call in flight that it was not made, whatever the connection broke of', () => {
    const client = new Client();
    const connection = open(client);
    void connection.open();
    client.emit('error', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    client.status = 'reconnecting';
    const inFlight = Object.assign(new Error('Reached the max retries per request limit'), {
      name: 'MaxRetriesPerRequestError',
    });
    expect(wasNotDone(connection.explain(new Error("Stream isn't writeable")))).toBe(true);
    expect(wasNotDone(connection.explain(inFlight))).toBe(false);
    expect(isTransient(connection.explain(inFlight))).toBe(true);
    expect(connection.explain(inFlight).message).toContain('ECONNREFUSED');
  });
});

describe('createRedisBackend', () => {
  it.each([{ stringNumbers: true }, { redisOptions: { stringNumbers: true } }])(
    'refuses a client of which numbers come as texts: %j',
    (options) => {
      const client = Object.assign(new Client(), { options });
      expect(() => createRedisBackend({ client })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    },
  );
});
