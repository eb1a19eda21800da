import { compile, ExampleProgram } from './example-program';

jest.setTimeout(60_000);

const password = 'planted-hunter2-planted';
const card = '4111 1111 1111 1111';
const token = 'a-token-for-the-test';
const asAdmin = { authorization: `Bearer ${token}` };

let program: ExampleProgram;

afterEach(async () => {
  const how = await program.stop();
  program.remove();
  expect(how).toBe(0);
});

describe.each([
  ['express', { script: 'examples/express/server.mjs', headers: asAdmin, failure: [500, 'failed'] }],
  ['koa', { script: 'examples/koa/server.mjs', headers: {}, failure: [409, 'completed'] }],
] as const)('the example for %s', (name, { script, headers, failure }) => {
  it('records what it is asked and shows it over its router, without the secrets', async () => {
    program = await ExampleProgram.start(script, { RECAP_TOKEN: token });
    const user = { name: 'Ann', password, note: `visible ${card}`, plan: 'pro' };
    expect((await program.ask('/v1/users', user, { 'x-user': 'ann' })).status).toBe(201);
    expect((await program.ask(`/v1/orders/7?api_key=${password}`)).status).toBe(200);
    expect((await program.ask('/v1/orders/0')).status).toBe(failure[0]);
    expect((await program.ask('/v1/nothing')).status).toBe(404);
    expect((await program.ask('/v1/users', '{"name": "A')).status).toBe(400);

    expect(await program.recorded(5, headers)).toMatchObject([
      {
        endpoint: '/v1/users',
        status: 201,
        outcome: 'completed',
        owner: 'ann',
        storage_info: { plan: 'pro' },
        data: {
          request: { name: 'Ann', password: '[REDACTED]', note: 'visible [REDACTED]', plan: 'pro' },
          response: { id: 1, name: 'Ann', plan: 'pro' },
        },
      },
      { endpoint: '/v1/orders/:id', path: '/v1/orders/7', status: 200, owner: 'anonymous' },
      { endpoint: '/v1/orders/:id', status: failure[0], outcome: failure[1] },
      { endpoint: null, path: '/v1/nothing', status: 404 },
      { method: 'POST', path: '/v1/users', status: 400 },
    ]);
    expect([program.keeps(password), program.keeps(card), program.keeps('visible')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('finds entries by metadata', async () => {
    program = await ExampleProgram.start(script, { RECAP_TOKEN: token });
    for (const plan of ['pro', 'free', 'pro']) await program.ask('/v1/users', { name: 'x', plan });
    await program.recorded(3, headers);
    const answer = await program.ask('/storage/query', { metadata_filters: { plan: 'pro' } }, headers);
    expect(await answer.json()).toMatchObject({ success: true, data: { total: 2 } });
  });

  it(`lets ${name === 'express' ? 'nobody in without the token' : 'no page of another name in'}`, async () => {
    program = await ExampleProgram.start(script, { RECAP_TOKEN: token });
    const sent = name === 'express' ? {} : { 'x-forwarded-for': '203.0.113.9' };
    expect((await program.ask('/storage/stats', undefined, sent)).status).toBe(401);
  });
});

describe('the example for the decorator', () => {
  beforeAll(() => {
    compile('examples/decorator');
  });

  it('records decorated methods only, with their options and without the secrets', async () => {
    program = await ExampleProgram.start('examples/decorator/dist/server.js');
    const order = { sku: 'kettle', quantity: 2, password };
    expect((await program.ask('/v1/orders', order)).status).toBe(201);
    expect((await program.ask('/v1/status')).status).toBe(200);
    expect((await program.ask('/v1/not-recorded')).status).toBe(200);
    expect((await program.ask('/v1/orders', { sku: 'kettle', quantity: 0 })).status).toBe(422);

    const items = await program.recorded(5);
    expect(items).toMatchObject([
      {
        endpoint: '/v1/orders',
        type: 'both',
        status: 201,
        storage_info: { feature: 'orders' },
        data: {
          request: { sku: 'kettle', quantity: 2, password: '[REDACTED]' },
          response: { sku: 'kettle', quantity: 2, amount: 8.4 },
        },
      },
      {
        endpoint: 'PriceService.quote',
        method: null,
        storage_info: { component: 'prices' },
        data: { request: ['kettle', { quantity: 2 }], response: { sku: 'kettle', amount: 8.4 } },
      },
      { endpoint: '/v1/status', type: 'response', data: { request: null, response: { open: true } } },
      { endpoint: '/v1/orders', status: 422, storage_info: { feature: 'orders' } },
      { endpoint: 'PriceService.quote', outcome: 'failed' },
    ]);
    const [first, quote] = items;
    const days = Date.parse(String(first?.['ttl'])) - Date.parse(String(first?.['created_at']));
    expect(days).toBe(7 * 86_400_000);
    const detail = await program.ask(`/storage/entries/${String(quote?.id)}`);
    expect(await detail.json()).toMatchObject({ data: { parent_id: first?.id } });
    expect([program.keeps(password), program.keeps('kettle')]).toEqual([false, true]);
  });
});
