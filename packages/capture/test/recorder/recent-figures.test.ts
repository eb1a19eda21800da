import express from 'express';
import supertest from 'supertest';
import { storageMiddleware } from '../../src/express';
import { HostCost } from '../../src/recorder/host-cost';
import { RecentFigures } from '../../src/recorder/recent-figures';
import { openRecorder } from '../recording/open-recorder';

describe('recent figures', () => {
  it('say nothing before the first', () => {
    expect(new RecentFigures().percentile(95)).toBeUndefined();
  });

  it('say what 95 of 100 do not exceed, in whatever order they came', () => {
    const figures = new RecentFigures();
    for (let figure = 100; figure >= 1; figure -= 1) figures.note(figure);
    expect([50, 95, 100, 1].map((share) => figures.percentile(share))).toEqual([50, 95, 100, 1]);
  });

  it('forget what is long ago', () => {
    const figures = new RecentFigures();
    for (let figure = 0; figure < 1_000; figure += 1) figures.note(10_000);
    for (let figure = 0; figure < 256; figure += 1) figures.note(3);
    expect([50, 95].map((share) => figures.percentile(share))).toEqual([3, 3]);
  });
});

describe('the cost for the program’s thread', () => {
  const busyFor = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };

  it('is that of one exchange in 32, what the program’s own functions take at its end included', async () => {
    const { recorder, entries } = openRecorder({
      owner: () => {
        busyFor(3);
        return 'ann';
      },
    });
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.get('/', (_request, response) => void response.send('answer'));
    for (let count = 0; count < 31; count += 1) await supertest(app).get('/');
    await entries();
    expect(recorder.stats().microsPerExchange).toBeNull();
    await supertest(app).get('/');
    await entries();
    expect(recorder.stats().microsPerExchange).toBeGreaterThanOrEqual(3_000);
  });

  it('comes again after 32 more', () => {
    const cost = new HostCost();
    const turns = Array.from({ length: 64 }, () => cost.isTurn());
    expect(turns.flatMap((isTurn, index) => (isTurn ? [index] : []))).toEqual([31, 63]);
  });
});
