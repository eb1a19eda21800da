import { createServer } from 'node:http';
import express from 'express';

export function createProgram({ before, after, beforeParser, afterParser }, onAnswer) {
  const app = express();
  beforeParser?.(app);
  for (const middleware of before) app.use(middleware);
  app.use(express.json({ limit: '1mb' }));
  afterParser?.(app);
  for (const middleware of after) app.use(middleware);
  app.post('/echo', (request, response) => {
    onAnswer();
    response.json(request.body);
  });
  app.get('/empty', (_request, response) => {
    onAnswer();
    response.json({ ok: true });
  });
  return createServer(app);
}
