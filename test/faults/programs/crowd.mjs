// Many clients at one time: `node crowd.mjs <port> <how many>`. The host answers none before all are there. Prints how
// many got the right answer, and how long it took.
import { once } from 'node:events';
import net from 'node:net';

const [port, count] = process.argv.slice(2).map(Number);
const startedAt = performance.now();
let right = 0;

async function visit(index) {
  const body = JSON.stringify({ index, apiKey: `CANARY-${index}`, text: 'x'.repeat(2_000) });
  const socket = net.connect(port, '127.0.0.1');
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const closed = once(socket, 'close');
  socket.write(
    `POST /meet/${index}?of=${count} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await closed;
  const answer = Buffer.concat(chunks).toString();
  if (answer.startsWith('HTTP/1.1 200 ') && answer.endsWith(`\r\n\r\n${body}`)) right += 1;
}

/** A kernel keeps only so many connections that nobody has accepted yet, and lets clients of the others wait for minutes. */
async function untilMet(there) {
  for (let waiting = 0; waiting < there;) {
    waiting = Number(await (await fetch(`http://127.0.0.1:${port}/waiting`)).text());
  }
}

const visits = [];
for (let index = 0; index < count; index += 1) {
  visits.push(visit(index));
  if (index % 1_000 === 999 && index + 1 < count) await untilMet(index + 1);
}
await Promise.allSettled(visits);
const told = JSON.stringify({ right, ms: Math.round(performance.now() - startedAt) });
// The connection that asked is kept for a while.
process.stdout.write(told, () => process.exit(0));
