// What recording adds to a program's memory: `npm run bench -- --memory [--connections=10000 --mib=1024]`. The same
// program is driven bare and with Recap; memory is the most that the whole process had resident in each part.
// Fails when Recap adds more than 256 MiB in any of them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    readers: { type: 'string', default: '500' },
    mib: { type: 'string', default: '1024' },
    memory: { type: 'boolean' },
  },
});
const [connections, readers, mib] = [values.connections, values.readers, values.mib].map(Number);
const MIB = 1024 * 1024;
const GATE_MIB = 256;
const CHUNK = Buffer.alloc(64 * 1024, 'some text that goes on and on. ');
const here = fileURLToPath(new URL('.', import.meta.url));

const PARTS = [
  [`download of ${mib} MiB`, download],
  [`upload of ${mib} MiB`, upload],
  [`${readers} readers of 4 MiB that stop reading`, slowReaders],
  [`${connections} requests of 2 KiB at one time`, crowd],
];

const figures = { bare: await measure('bare'), recap: await measure('recap') };
console.log(`\nMost resident memory in MiB, Node ${process.version}\n`);
console.log('| part | bare | with Recap | added |\n|---|---|---|---|');
let most = 0;
for (const [name] of PARTS) {
  const [bare, recap] = [figures.bare.peaks.get(name), figures.recap.peaks.get(name)];
  most = Math.max(most, recap - bare);
  console.log(`| ${name} | ${bare.toFixed(0)} | ${recap.toFixed(0)} | ${(recap - bare).toFixed(0)} |`);
}
const { captured, stored, shed } = figures.recap.stats;
console.log(`\nCaptured ${captured}, stored ${stored}, shed ${JSON.stringify(shed)}.`);
console.log(`Added at most ${most.toFixed(0)} MiB (gate: ${GATE_MIB}).`);
if (most > GATE_MIB) process.exitCode = 1;

async function measure(variant) {
  const folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
  const server = fork(join(here, 'memory-server.mjs'), [variant, folder], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--expose-gc'],
  });
  try {
    const [{ port }] = await once(server, 'message');
    const peaks = new Map();
    await peakOf(server);
    for (const [name, drive] of PARTS) {
      await drive(port, server);
      peaks.set(name, (await peakOf(server)) / MIB);
      process.stderr.write('.');
    }
    server.send('finish');
    const [{ stats }] = await once(server, 'message');
    return { peaks, stats };
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function peakOf(server) {
  server.send('peak');
  for (;;) {
    const [message] = await once(server, 'message');
    if (message.peak !== undefined) return message.peak;
  }
}

async function download(port) {
  const response = await new Promise((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1', path: `/download/${mib}`, agent: false }, resolve)
      .on('error', reject);
  });
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  if (bytes !== mib * MIB) throw new Error(`${bytes} bytes came`);
}

async function upload(port) {
  const request = http.request({
    port,
    host: '127.0.0.1',
    path: '/upload',
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'text/plain' },
  });
  const answered = once(request, 'response');
  for (let sent = 0; sent < mib * MIB; sent += CHUNK.length) {
    if (!request.write(CHUNK)) await once(request, 'drain');
  }
  request.end();
  const [response] = await answered;
  const { bytes } = JSON.parse(Buffer.concat(await response.toArray()).toString());
  if (bytes !== mib * MIB) throw new Error(`${bytes} bytes arrived`);
}

/** Clients that ask for more than the sockets hold, and read nothing but the first bytes of it. */
async function slowReaders(port) {
  const sockets = await Promise.all(
    Array.from({ length: readers }, async () => {
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /download/4 HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'readable');
      return socket;
    }),
  );
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
}

/** Requests that are all there before the first is answered. */
async function crowd(port, server) {
  const body = JSON.stringify({ text: 'x'.repeat(2 * 1024 - 11) });
  const head = `POST /meet?of=${connections} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const met = new Promise((resolve) => {
    server.on('message', ({ met: count }) => count === connections && resolve());
  });
  const open = async () => {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.resume();
    socket.write(head + body);
    return closed;
  };
  const ends = [];
  // A few hundred at a time: a kernel takes only so many that nobody has accepted yet.
  for (let opened = 0; opened < connections; opened += 200) {
    const some = Array.from({ length: Math.min(200, connections - opened) }, open);
    ends.push(...some);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await met;
  await Promise.all(ends);
}
