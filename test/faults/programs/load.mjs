// The client of the program that faults happen to, in a process of its own which nobody kills. It keeps the ledger: what
// it got the whole answer of, and when. It is told what to do by messages.
import { createHash } from 'node:crypto';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

let answered = [];
let sent = [];
let failed = [];
let wrong = [];
let running;

const digestOf = (text) => createHash('sha256').update(text).digest('hex');

/** Every eighth body is large enough to be compressed well, every fortieth takes many pages. */
function textOf(id, index) {
  const size = index % 40 === 39 ? 40_000 : index % 8 === 7 ? 6_000 : 100 + (index % 7) * 150;
  return `text of ${id} `.repeat(Math.ceil(size / (9 + id.length)));
}

function post(agent, port, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    request.end(body);
  });
}

async function ask(agent, port, id, index) {
  const text = textOf(id, index);
  const body = { id, text, nested: { apiKey: `CANARY-${id}-api-key` } };
  const json = JSON.stringify(body);
  sent.push(id);
  const answer = await post(
    agent,
    port,
    `/orders/${id}?token=CANARY-${id}-query`,
    {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(json),
      authorization: `Bearer CANARY-${id}-authorization`,
      cookie: `sid=CANARY-${id}-cookie`,
      'x-owner': `owner-${index % 5}`,
    },
    json,
  );
  const expected = JSON.stringify({ ...body, password: `CANARY-${id}-password` });
  if (answer.status !== 200 || answer.body !== expected) wrong.push(`${id}: ${answer.status}`);
  else answered.push({ id, at: Date.now(), digest: digestOf(text) });
}

/** Sends until told to stop, at most `perSecond`, and says so once when `tellAt` answers have come. */
function start({ port, connections, perSecond, prefix, tellAt, stopsAtFailure }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const before = answered.length;
  const state = { isOver: false, index: 0 };
  const startedAt = performance.now();
  let hasTold = false;
  const client = async () => {
    while (!state.isOver) {
      const index = (state.index += 1);
      const dueMs = startedAt + (index * 1000) / perSecond - performance.now();
      if (dueMs > 1) await wait(dueMs);
      if (state.isOver) return;
      const id = `${prefix}-${index}`;
      try {
        await ask(agent, port, id, index);
      } catch (error) {
        failed.push(`${id}: ${error.code ?? error.message}`);
        if (stopsAtFailure) return;
      }
      if (hasTold || tellAt === undefined || answered.length - before < tellAt) continue;
      hasTold = true;
      process.send({ reached: true });
    }
  };
  const clients = Array.from({ length: connections }, client);
  running = {
    stop: async () => {
      state.isOver = true;
      await Promise.all(clients);
      agent.destroy();
    },
  };
}

process.on('message', async (message) => {
  if (message.kind === 'start') start(message);
  else if (message.kind === 'count') process.send({ count: answered.length });
  else {
    await running?.stop();
    running = undefined;
    process.send({ ledger: { sent, answered, failed, wrong } });
    [sent, answered, failed, wrong] = [[], [], [], []];
  }
});
