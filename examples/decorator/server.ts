import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { createRecorder, setDefaultRecorder } from '@recap/capture';
import { localhostOnly, storageRouter } from '@recap/capture/express';
import { OrdersController } from './orders-controller';
import { PriceService } from './price-service';

const recorder = createRecorder({
  database: { type: 'sqlite', path: process.env['RECAP_DATABASE'] ?? '.recap/recap.db' },
});
// There is no middleware here: only the decorated methods are recorded, and they ask for the process's recorder.
setDefaultRecorder(recorder);

const app = express();
const orders = new OrdersController(new PriceService());

app.use(express.json());
app.post('/v1/orders', (req, res) => orders.create(req, res));
app.get('/v1/status', (req, res) => orders.status(req, res));
app.get('/v1/not-recorded', (_req, res) => {
  res.json({ recorded: false });
});

const onError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent || !(error instanceof RangeError)) next(error);
  else res.status(422).json({ error: error.message });
};
app.use(onError);

// Whoever works on this machine may read everything: for development only.
app.use('/storage', storageRouter({ authenticate: localhostOnly({ ownerId: 'me', isAdmin: true }) }));

// This example is for your machine; leave the address out to be reached from others.
const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    // Writes what is still queued, and closes the database.
    server.close(() => void recorder.close());
    server.closeIdleConnections();
  });
}
