// One of several processes that serve the same user from one database: on the word "go" it gets its
// first request, and then tells which session that made.
import { createRecorder } from '@recap/capture';
import { storageMiddleware, storageRouter } from '@recap/capture/express';
import express from 'express';

const recorder = createRecorder({ database: { type: 'postgres', url: process.argv[2] }, owner: () => 'ann' });
const app = express();
app.use(storageMiddleware({ recorder }));
app.use('/storage', storageRouter({ recorder, authenticate: () => ({ ownerId: 'ann', isAdmin: false }) }));
app.get('/hello', (_request, response) => response.json({ pid: process.pid }));
const server = app.listen(0, '127.0.0.1', () => process.send('listening'));

process.once('message', async () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  await (await fetch(`${base}/hello`)).json();
  while (recorder.stats().open > 0) await new Promise((resolve) => setImmediate(resolve));
  await recorder.flush();
  process.send('written');
  process.once('message', async () => {
    const answer = await (await fetch(`${base}/storage/sessions`)).json();
    process.send(answer.data.items.map((item) => [item.session_id, item.total_entries]));
    server.closeAllConnections();
    server.close();
    await recorder.close();
    process.disconnect();
  });
});
