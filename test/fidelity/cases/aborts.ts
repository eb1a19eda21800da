import { once } from 'node:events';
import { describeError } from '../describe-value';
import type { FidelityCase } from '../fidelity-case';
import type { Probe } from '../probe';
import { requestText } from '../wire-client';

const topic = 'aborts';
const BODY = '{"an":"upload that breaks off"}';
const upload = requestText({
  method: 'POST',
  headers: [
    ['Content-Type', 'application/json'],
    ['Content-Length', String(BODY.length)],
  ],
});

async function readAll(t: Probe): Promise<void> {
  t.run.signal('entered');
  let size = 0;
  t.req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    t.run.signal(`got ${size}`);
  });
  t.req.on('end', () => t.call('end', `got all ${size}`));
}

const LEAVES = ['FIN', 'RST'] as const;

export const abortCases: readonly FidelityCase[] = [
  ...LEAVES.flatMap((how): FidelityCase[] =>
    [1, 5, BODY.length - 1].map((bytes): FidelityCase => ({
      name: `A client that leaves (${how}) after ${bytes} of ${BODY.length} bytes of its body`,
      topic,
      handler: readAll,
      client: async (client, run) => {
        client.send(upload, BODY.slice(0, bytes));
        await run.when(`got ${bytes}`);
        if (how === 'FIN') client.socket.destroy();
        else client.reset();
      },
      records: [{ outcome: 'aborted', status: null }],
    })),
  ),
  ...LEAVES.map((how): FidelityCase => ({
    name: `A client that leaves (${how}) before the answer`,
    topic,
    handler: async (t) => {
      t.run.signal('entered');
      await once(t.res, 'close');
      t.call('write', 'too late');
      t.call('end', 'much too late');
    },
    client: async (client, run) => {
      client.send(requestText());
      await run.when('entered');
      if (how === 'FIN') client.socket.destroy();
      else client.reset();
    },
    records: [{ outcome: 'aborted', status: null }],
  })),
  ...LEAVES.flatMap((how): FidelityCase[] =>
    [1, 100, 70_000].map((bytes): FidelityCase => ({
      name: `A client that leaves (${how}) after ${bytes} bytes of the answer`,
      topic,
      handler: async (t) => {
        t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
        t.call('write', 'x'.repeat(bytes));
        await once(t.res, 'close');
        t.call('write', 'too late');
        t.call('end');
      },
      client: async (client) => {
        client.send(requestText());
        await client.until('x', bytes);
        if (how === 'FIN') client.socket.destroy();
        else client.reset();
      },
      records: [{ outcome: 'aborted', status: 200 }],
    })),
  ),
  {
    name: 'A client that half-closes and still reads',
    topic,
    handler: async (t) => {
      t.run.signal('entered');
      await t.run.when('half-closed');
      t.call('end', 'still answered');
    },
    client: async (client, run) => {
      client.send(requestText());
      await run.when('entered');
      client.socket.end();
      await once(client.socket, 'finish');
      run.signal('half-closed');
      await client.closed;
    },
  },
  {
    name: 'A client that leaves while the server waits for drain',
    topic,
    handler: async (t) => {
      t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
      t.call('write', Buffer.alloc(16 * 1024 * 1024, 'x'));
      t.run.signal('full');
      await once(t.res, 'close');
      t.note('left');
    },
    client: async (client, run) => {
      client.socket.pause();
      client.send(requestText());
      await run.when('full');
      client.reset();
    },
    records: [{ outcome: 'aborted', status: 200 }],
  },
  {
    name: 'A client that leaves without a listener for errors',
    topic,
    watchErrors: false,
    handler: readAll,
    client: async (client, run) => {
      client.send(upload, BODY.slice(0, 3));
      await run.when('got 3');
      client.socket.destroy();
    },
    records: [{ outcome: 'aborted', status: null }],
  },
  {
    name: 'A client that leaves while an iterator reads its body',
    topic,
    handler: async (t) => {
      try {
        for await (const chunk of t.req) t.run.signal(`got ${(chunk as Buffer).length}`);
      } catch (error) {
        t.note(`the iterator throws ${describeError(error)}`);
        throw error;
      }
    },
    client: async (client, run) => {
      client.send(upload, BODY.slice(0, 4));
      await run.when('got 4');
      client.socket.destroy();
    },
    records: [{ outcome: 'aborted' }],
  },
  {
    name: 'A client that leaves within the head',
    topic,
    handler: (t) => t.call('end', 'never reached'),
    client: async (client) => {
      client.send('GET / HTTP/1.1\r\nHost: rec');
      client.socket.end();
      await client.closed;
    },
    unrecorded: 'The request never reaches the app.',
  },
];
