import express from 'express';
import { createRecorder } from '@recap/capture';
import { storageMiddleware, storageRouter } from '@recap/capture/express';
import { aiRoutes } from './ai-routes.mjs';
import { orderRoutes } from './order-routes.mjs';
import { userOf, userRoutes } from './users.mjs';

const adminToken = process.env.RECAP_TOKEN;
if (!adminToken) {
  console.error('Set RECAP_TOKEN to the token that the admin of /storage has to send.');
  process.exit(1);
}

const recorder = createRecorder({
  database: { type: 'sqlite', path: process.env.RECAP_DATABASE ?? '.recap/recap.db' },
  // To see the difference that redaction makes; it is on by default.
  ...(process.env.RECAP_REDACTION === 'off' && { redaction: false }),
});

const app = express();

app.use(
  storageMiddleware({
    recorder,
    metadata: { service: 'demo' },
    // A conversation is a session of its own, beside the user's other requests.
    sessionGroup: (req) => req.body?.conversation_id,
  }),
);
app.use('/storage', storageRouter({ recorder, authenticate: principalOf }));

app.use(express.json());
app.use((req, res, next) => {
  req.user = userOf(req.get('authorization'));
  next();
});

app.use('/v1', userRoutes());
app.use('/v1/ai', aiRoutes());
app.use('/v1/orders', orderRoutes());
app.use((error, req, res, next) => {
  if (res.headersSent) return next(error);
  const status = error.status ?? 500;
  return res.status(status).json({ error: status < 500 ? error.message : 'Something went wrong.' });
});

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) {
    console.error(`Cannot listen on port ${process.env.PORT ?? 3000}: ${error.message}`);
    process.exit(1);
  }
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => recorder.close());
    server.closeIdleConnections();
  });
}

/** The admin sees everything; a user who is logged in, what is their own. */
function principalOf(req) {
  const header = req.headers.authorization;
  if (header === `Bearer ${adminToken}`) return { ownerId: 'admin', isAdmin: true };
  const user = userOf(header);
  return user && { ownerId: user.id, isAdmin: false };
}
