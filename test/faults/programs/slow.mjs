// Clients that ask for a large answer and do not read it: `node slow.mjs <port> <how many> <bytes>`. Told by a message, they
// read all of it; then it sends how many answers were whole.
import net from 'node:net';

const [port, count, bytes] = process.argv.slice(2).map(Number);
const sockets = Array.from({ length: count }, (_each, index) => {
  const socket = net.connect(port, '127.0.0.1');
  socket.pause();
  socket.write(`GET /large/${bytes}/${index} HTTP/1.0\r\nHost: a\r\n\r\n`);
  return socket;
});

function whole(socket) {
  return new Promise((resolve) => {
    let got = 0;
    let head = '';
    socket.on('data', (chunk) => {
      if (head.includes('\r\n\r\n')) got += chunk.length;
      else {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end >= 0) got = head.length - end - 4;
      }
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(head.startsWith('HTTP/1.1 200 ') && got === bytes));
    socket.resume();
  });
}

process.once('message', async () => {
  const all = await Promise.all(sockets.map(whole));
  process.send({ right: all.filter(Boolean).length });
  process.disconnect();
});
