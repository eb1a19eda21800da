// `node paced-client.mjs <JSON>`: posts so many requests a second, however long answers take, and sends what it saw.
import { listBody } from '../bodies.mjs';
import { HttpConnection, numberedBytes, requestBytes } from './http-connection.mjs';

const MAX_CONNECTIONS = 2_048;
const { port, path, bodyBytes, seconds, perSecond, hasOwnCore } = JSON.parse(process.argv[2]);
process.on('disconnect', () => process.exit(1));

const nextBytes = numberedBytes(requestBytes('POST', path, listBody(bodyBytes)));
const total = Math.round(seconds * perSecond);
const intervalMs = 1000 / perSecond;
const free = await Promise.all(Array.from({ length: 32 }, () => HttpConnection.open(port)));
const latencies = [];
const lateness = [];
let [sent, opened, failures] = [0, free.length, 0];
const startedAt = performance.now() + 20;
let resolveAll;
const all = new Promise((resolve) => (resolveAll = resolve));

/** Requests that are due leave on a free connection, or on a new one: none waits for another's answer. */
function tick() {
  const now = performance.now();
  while (sent < total && startedAt + sent * intervalMs <= now) {
    const dueAt = startedAt + sent * intervalMs;
    sent += 1;
    lateness.push(now - dueAt);
    const connection = takeFree();
    if (connection !== undefined) send(connection, dueAt);
    else if (opened < MAX_CONNECTIONS) openAndSend(dueAt);
    else note(dueAt, 0);
  }
  if (sent === total) return;
  // A timer wakes up a millisecond late; a core of its own can be spent on looking at the clock.
  if (hasOwnCore) setImmediate(tick);
  else setTimeout(tick, 1);
}

/** One that the server has not closed meanwhile. */
function takeFree() {
  let connection = free.pop();
  for (; connection?.isClosed; connection = free.pop()) opened -= 1;
  return connection;
}

function openAndSend(dueAt) {
  opened += 1;
  HttpConnection.open(port).then(
    (connection) => send(connection, dueAt),
    () => note(dueAt, 0),
  );
}

/** The clock runs from when the request was due, so that time spent in a queue counts. */
function send(connection, dueAt) {
  connection.send(nextBytes(), (status) => {
    note(dueAt, status);
    if (status > 0) free.push(connection);
  });
}

function note(dueAt, status) {
  latencies.push(performance.now() - dueAt);
  if (status !== 200) failures += 1;
  if (latencies.length === total) resolveAll();
}

tick();
await all;
const tookMs = performance.now() - startedAt;
const seen = { latencies, lateness, failures, perSecond: (total / tookMs) * 1000 };
process.send(seen, () => process.exit(0));
