// The program that faults happen to: `node host.mjs <JSON: { database, options, handlesSignals, isBare }>`. It sends its
// port, and does what it is told by a message.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import worker from 'node:worker_threads';
import { createRecorder } from '@recap/capture';
import { storageMiddleware, storageRouter } from '@recap/capture/express';
import express from 'express';

const { database, options, handlesSignals, isBare } = JSON.parse(process.argv[2]);
/** The threads that have been started, to be killed from outside as an operator or a bug would. */
const threads = [];
const { Worker } = worker;
createRequire(import.meta.url)('node:worker_threads').Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    threads.push(this);
  }
};

const failures = [];
/** A program that ends by itself when it is told to. */
if (handlesSignals) process.on('SIGTERM', () => setTimeout(() => process.exit(9), 20));
const recorder = createRecorder({
  database,
  onError: (error, where) => {
    if (failures.length < 20_000) failures.push(`${where}: ${error.message}`);
  },
  logger: { debug() {}, info() {}, warn: console.warn, error: console.error },
  // The ledger compares bodies: what gives way is whole exchanges.
  overload: { shed: 'newest', maxLagMs: false },
  ...options,
});
const app = express();
app.get('/waiting', (_request, response) => response.end(String(waiting.length)));
if (!isBare) app.use(storageMiddleware({ recorder, owner: (request) => request.get('x-owner') }));
app.use(
  '/storage',
  storageRouter({
    recorder,
    authenticate: (request) => ({ ownerId: request.get('x-owner'), isAdmin: false }),
  }),
);
/** Answers that wait until their client takes more, and `write`s that said something else than the response. */
let blocked = 0;
let badWrites = 0;
const PIECE = 64 * 1024;
function sendLarge(response, bytes) {
  response.type('application/json');
  let left = bytes - 2;
  const go = () => {
    while (left > 0) {
      const piece = Math.min(left, PIECE);
      left -= piece;
      const hasRoom = response.write((left + piece === bytes - 2 ? '"' : '') + 'x'.repeat(piece));
      if (hasRoom === response.writableNeedDrain) badWrites += 1;
      if (hasRoom) continue;
      blocked += 1;
      response.once('drain', () => {
        blocked -= 1;
        go();
      });
      return;
    }
    response.end('"');
  };
  go();
}
app.get('/large/:bytes/:id', (request, response) => sendLarge(response, Number(request.params.bytes)));
/** Takes a body of any size, and answers with as many bytes. */
app.post('/large/:id', (request, response) => {
  let bytes = 0;
  request.on('data', (chunk) => (bytes += chunk.length));
  request.on('end', () => sendLarge(response, bytes));
});
app.use(express.json({ limit: '20mb' }));
app.post('/echo/:id', (request, response) => response.json({ ...request.body, password: 'hunter2' }));
/** What the ledger's client asks for: the answer repeats the request, with secrets of its own. */
app.post('/orders/:id', (request, response) => {
  const { id } = request.params;
  response.set('set-cookie', `session=CANARY-${id}-set-cookie`);
  response.json({ ...request.body, password: `CANARY-${id}-password` });
});
app.get('/stream/:id', (request, response) => {
  response.write('part one, ');
  setImmediate(() => response.end(`part two of ${request.params.id}`));
});
/** Holds the event loop up. */
app.post('/block/:ms', (request, response) => {
  const until = performance.now() + Number(request.params.ms);
  while (performance.now() < until);
  response.json({});
});
/** Answers when as many requests are here at one time as the query says. */
const waiting = [];
app.post('/meet/:id', (request, response) => {
  waiting.push(() => response.json(request.body));
  if (waiting.length < Number(request.query.of)) return;
  for (const answer of waiting.splice(0)) answer();
});
app.post('/exit/:code', (request, response) => {
  response.json({ ends: true });
  response.once('close', () => setImmediate(() => process.exit(Number(request.params.code))));
});
app.post('/answer-and-exit/:code', (request, response) => {
  response.json(request.body);
  process.exit(Number(request.params.code));
});
app.post('/throw', (_request, response) => {
  response.json({ ends: true });
  response.once('close', () =>
    setImmediate(() => {
      throw new Error('nobody catches this');
    }),
  );
});
app.get('/small', (_request, response) => response.json({ text: 'x'.repeat(1_000) }));
const server = app.listen(0, '127.0.0.1', 16_384, () => process.send({ port: server.address().port }));

let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20).unref();

const told = {
  stats: async () => ({ ...recorder.stats(), threads: threads.length, failures }),
  ready: async () => {
    await recorder.ready();
    return told.stats();
  },
  flush: async () => {
    await recorder.flush();
    return told.stats();
  },
  /** Kills the thread that records. */
  kill: async () => {
    await threads.at(-1)?.terminate();
    return told.stats();
  },
  /** What the program has in memory without anything in progress, and the most it had since it was asked last. */
  memory: async () => {
    setFlagsFromString('--expose-gc');
    const { runInNewContext } = await import('node:vm');
    const before = peak;
    runInNewContext('gc')();
    peak = process.memoryUsage.rss();
    const files = readdirSync('/proc/self/fd').length;
    return { ...(await told.stats()), rss: peak, peak: before, files, blocked, badWrites };
  },
  close: async () => {
    await recorder.close({ timeoutMs: 500 });
    return told.stats();
  },
  /** The program has nothing more to do, and says nothing of that to the recorder. */
  leave: async () => {
    server.closeAllConnections();
    server.close();
    setImmediate(() => process.disconnect());
    return told.stats();
  },
};
process.on('message', async ({ ask, number }) => {
  const answer = await told[ask]().catch(async (error) => ({
    ...(await told.stats()),
    error: String(error),
  }));
  process.send({ number, answer });
});
