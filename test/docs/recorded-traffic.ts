import { createRecorder, annotate, type EntryStore, type Recorder } from '@recap/capture';
import { bearerToken, storageMiddleware, storageRouter } from '@recap/capture/express';
import { FakeClock } from '@recap/storage/testing';
import express from 'express';
import supertest from 'supertest';

export const TOKEN = 'a-token-for-the-documentation';

/** A recorder with the traffic that the documentation's examples ask about, and its router. */
export interface RecordedTraffic {
  readonly agent: ReturnType<typeof supertest>;
  close(): Promise<void>;
}

/** Ids count up and the clock stands still between requests, so that documented ids and instants are exact. */
export async function recordTraffic(): Promise<RecordedTraffic> {
  const clock = new FakeClock(Date.UTC(2026, 10, 20, 12));
  let ids = 0;
  const recorder = createRecorder({
    database: { type: 'sqlite', path: ':memory:' },
    owner: (context) => context.headers['x-user']?.toString(),
    clock,
    newId: () => `0199f0c2-7a10-7000-8000-${(ids += 1).toString(16).padStart(12, '0')}`,
  });
  const agent = supertest(program(recorder));
  const send = async (afterMinutes: number, request: supertest.Test): Promise<void> => {
    clock.advance(afterMinutes * 60_000);
    const { captured } = recorder.stats();
    await request;
    // The exchange is over a moment after its client has the answer.
    while (recorder.stats().captured === captured) await new Promise(setImmediate);
    await recorder.flush();
  };
  const ask = (user: string, prompt: string): supertest.Test =>
    agent.post('/api/v1/ai/generate').set('x-user', user).send({ prompt, api_key: 'k-123' });

  await send(0, ask('ann', 'Greet me.'));
  await send(5, ask('ann', 'Say it at greater length, please.'));
  await send(5, agent.get('/orders/7?token=abc').set('x-user', 'ann'));
  await send(40, agent.get('/orders/8').set('x-user', 'ann'));
  await send(1, agent.get('/orders/broken').set('x-user', 'bob'));
  await send(1, agent.get('/nowhere'));
  await send(1, agent.get('/stories/1').set('x-user', 'eve'));
  await (recorder as unknown as { readonly store: EntryStore }).store.saveGaps([
    {
      id: '0199f0c2-7a10-7000-8000-0000000000bb',
      missing: 'bodies',
      startedAt: Date.UTC(2026, 10, 20, 12, 0, 4),
      endedAt: Date.UTC(2026, 10, 20, 12, 0, 9, 214),
      exchanges: 1240,
      reasons: { backlog: 1200, noisy_owner: 40 },
      expiresAt: Date.UTC(2026, 11, 20, 12, 0, 9, 214),
    },
  ]);
  return { agent, close: () => recorder.close() };
}

function program(recorder: Recorder): express.Express {
  const app = express();
  app.set('env', 'test');
  app.disable('x-powered-by').disable('etag');
  app.use(storageMiddleware({ recorder, exclude: ['/storage/**'] }));
  const asAdmin = bearerToken(TOKEN, { ownerId: 'ops', isAdmin: true });
  app.use(
    '/storage',
    storageRouter({
      recorder,
      authenticate: (request) => {
        const user = request.headers['x-user'];
        return typeof user === 'string' ? { ownerId: user, isAdmin: false } : asAdmin(request);
      },
    }),
  );
  app.use(express.json());
  app.post(
    '/api/v1/ai/generate',
    (request: express.Request<object, unknown, { prompt: string }>, response) => {
      const { prompt } = request.body;
      annotate(request, { model: 'gpt-4', usage: { tokens: prompt.length * 4 }, tags: ['beta', 'chat'] });
      response.json({ text: `You said: ${prompt}` });
    },
  );
  app.get('/stories/:id', (_request, response) => {
    response.type('text/event-stream');
    response.write('event: word\nid: 1\ndata: {"text":"Once"}\n\n');
    response.write('event: word\nid: 2\ndata: {"text":"upon"}\n\n');
    response.end('data: [DONE]\n\n');
  });
  app.get('/orders/:id', (request, response) => {
    if (request.params.id === 'broken') throw new Error('The warehouse is closed.');
    response.json({ id: request.params.id });
  });
  return app;
}
