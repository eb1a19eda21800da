import { join } from 'node:path';
import { createRecorder } from '@recap/capture';
import { storageMiddleware, storageRouter } from '@recap/capture/express';
import { FakeClock } from '@recap/storage/testing';
import express from 'express';
import supertest from 'supertest';
import { silent, temporaryFolder, written } from './rig';

const MINUTE = 60_000;

interface SessionItem {
  owner: string;
  total_entries: number;
  endpoints: string[];
  created_at: string;
  last_activity: string;
}
interface Page<T> {
  data: { items: T[]; total: number };
}

describe('an hour of two users on three endpoints', () => {
  const folder = temporaryFolder();
  const clock = new FakeClock(Date.UTC(2026, 10, 20, 12));
  const start = clock.now();

  const openProgram = () => {
    const recorder = createRecorder({
      database: { type: 'sqlite', path: join(folder(), 'hour.db') },
      clock,
      logger: silent,
      ttlDays: 1,
      owner: (request) => (request.headers['x-user'] as string | undefined) ?? null,
    });
    const app = express();
    app.use(
      '/storage',
      storageRouter({
        recorder,
        authenticate: ({ headers }) => {
          const user = headers['x-user'];
          return typeof user === 'string' ? { ownerId: user, isAdmin: user === 'root' } : undefined;
        },
      }),
    );
    const ok: express.RequestHandler = (_request, response) => {
      response.json({ ok: true });
    };
    app.get('/chat', storageMiddleware({ recorder, sessionTimeoutMinutes: 60 }), ok);
    app.get('/quick', storageMiddleware({ recorder, sessionTimeoutMinutes: 5 }), ok);
    app.get('/plain', storageMiddleware({ recorder }), ok);
    return { recorder, agent: supertest(app) };
  };
  let program: ReturnType<typeof openProgram>;
  const at = (minute: number) => clock.advance(start + minute * MINUTE - clock.now());
  const call = async (minute: number, user: string, path: string) => {
    at(minute);
    await program.agent.get(path).set('x-user', user).expect(200);
    await written(program.recorder);
  };
  const sessionsOf = async (user: string) => {
    const { body } = await program.agent.get('/storage/sessions').set('x-user', user).expect(200);
    const { data } = body as Page<SessionItem>;
    return data.items
      .reverse()
      .map(({ owner, total_entries, endpoints }) => [owner, total_entries, endpoints]);
  };

  beforeAll(async () => {
    program = openProgram();
    await program.recorder.ready();
    // ann: 5-minute calls split after 5 minutes; a 60-minute call stretches its session for the rest.
    await call(0, 'ann', '/quick');
    await call(4, 'ann', '/quick');
    await call(10, 'ann', '/quick');
    await call(14, 'ann', '/chat');
    // bob keeps to the default of 30.
    await call(15, 'bob', '/plain');
    await call(50, 'bob', '/plain');
    await call(55, 'ann', '/quick');
    await call(59, 'bob', '/quick');
  });
  afterAll(() => program.recorder.close());

  it('is split into sessions exactly where the rule says', async () => {
    expect(await sessionsOf('ann')).toEqual([
      ['ann', 2, ['/quick']],
      ['ann', 3, ['/chat', '/quick']],
    ]);
    expect(await sessionsOf('bob')).toEqual([
      ['bob', 1, ['/plain']],
      ['bob', 2, ['/plain', '/quick']],
    ]);
  });

  it('finds the open session again after a restart', async () => {
    await program.recorder.close();
    program = openProgram();
    await call(60, 'ann', '/plain');
    expect(await sessionsOf('ann')).toEqual([
      ['ann', 2, ['/quick']],
      ['ann', 4, ['/chat', '/plain', '/quick']],
    ]);
  });

  it('shows each user their own, and an admin all', async () => {
    const totals: number[] = [];
    for (const user of ['ann', 'bob', 'root']) {
      const { body } = await program.agent.post('/storage/query').set('x-user', user).send({}).expect(200);
      totals.push((body as Page<unknown>).data.total);
    }
    expect(totals).toEqual([6, 3, 9]);
    await program.agent.post('/storage/query').set('x-user', 'ann').send({ owner_id: 'bob' }).expect(403);
    await program.agent.get('/storage/sessions').expect(401);
  });

  it('lets the admin delete what has not expired only with force, and a user nothing', async () => {
    const { body } = await program.agent.post('/storage/query').set('x-user', 'root').send({ page_size: 2 });
    const [first, second] = (body as Page<{ id: string }>).data.items;
    const ids = [first?.id, second?.id];
    const remove = (user: string, force: boolean) =>
      program.agent.post('/storage/delete').set('x-user', user).send({ storage_ids: ids, force });
    await remove('ann', true).expect(403);
    const gentle = await remove('root', false).expect(200);
    expect(gentle.body).toMatchObject({
      data: { deleted: 0, results: [{ outcome: 'protected' }, { outcome: 'protected' }] },
    });
    const forced = await remove('root', true).expect(200);
    expect(forced.body).toMatchObject({ data: { deleted: 2 } });
    const again = await remove('root', true).expect(200);
    expect(again.body).toMatchObject({
      data: { results: [{ outcome: 'not_found' }, { outcome: 'not_found' }] },
    });
  });

  it('shows nothing from the first millisecond after the lifetime, and deletes it without force', async () => {
    at(24 * 60);
    const before = await program.agent.post('/storage/query').set('x-user', 'root').send({});
    expect((before.body as Page<unknown>).data.total).toBeGreaterThan(0);
    // The last call that is left was at minute 59 or 60.
    at(25 * 60);
    for (const user of ['ann', 'bob', 'root']) {
      const found = await program.agent.post('/storage/query').set('x-user', user).send({});
      expect((found.body as Page<unknown>).data.total).toBe(0);
      expect(await sessionsOf(user)).toEqual([]);
    }
    expect((await program.recorder.sweep()).deletedEntries).toBe(7);
  });
});
