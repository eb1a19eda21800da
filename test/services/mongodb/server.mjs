import { once } from 'node:events';
import { createServer } from 'node:net';
import { Commands } from './commands.mjs';
import { Wire } from './wire.mjs';

/*
 * Speaks enough of MongoDB's wire protocol for the tests of the storage layer where no genuine server can be had. It
 * is a protocol stand-in: what passes on it is proved of the driver and of our documents, not of MongoDB.
 *
 * node server.mjs [port [replica-set]]: writes its port to its output, and ends when its input does.
 */

const server = createServer();
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const commands = new Commands(process.argv[3] === 'replica-set' ? `127.0.0.1:${port}` : undefined);
server.on('connection', (socket) => {
  socket.setNoDelay(true);
  const wire = new Wire(socket, commands);
  socket.on('data', (piece) => wire.receive(piece));
  socket.on('error', () => socket.destroy());
});
console.log(port);

process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
