import express from 'express';
import { annotate, createRecorder } from '@recap/capture';
import { bearerToken, storageMiddleware, storageRouter } from '@recap/capture/express';

const recorder = createRecorder({
  database: { type: 'sqlite', path: process.env.RECAP_DATABASE ?? '.recap/recap.db' },
});

const app = express();

// First, so that it sees bytes as they travel, and body parsers fail.
app.use(storageMiddleware({ recorder }));
app.use(
  '/storage',
  storageRouter({
    recorder,
    authenticate: bearerToken(process.env.RECAP_TOKEN ?? 'example-token-change-me', {
      ownerId: 'admin',
      isAdmin: true,
    }),
  }),
);

app.use(express.json());

// Stands in for your authentication. Recap takes `req.user.id` for the owner of the entry.
app.use((req, res, next) => {
  const name = req.get('x-user');
  if (name) req.user = { id: name };
  next();
});

app.post('/v1/users', (req, res) => {
  annotate(req, { plan: req.body.plan ?? 'free' });
  res.status(201).json({ id: 1, name: req.body.name, plan: req.body.plan ?? 'free' });
});

app.get('/v1/orders/:id', (req, res) => {
  if (req.params.id === '0') throw new Error('Order 0 is broken on purpose.');
  res.json({ id: req.params.id, total: 12.5 });
});

app.use((error, req, res, next) => {
  if (res.headersSent) return next(error);
  return res
    .status(error.status ?? 500)
    .json({ error: error.status ? error.message : 'Something went wrong.' });
});

// This example is for your machine; leave the address out to be reached from others.
const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    // Writes what is still queued, and closes the database.
    server.close(() => recorder.close());
    server.closeIdleConnections();
  });
}
