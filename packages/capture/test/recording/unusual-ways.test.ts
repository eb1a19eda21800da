import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import express4 from 'express4';
import { storageMiddleware } from '../../src/express';
import { openRecorder, requestData, responseData } from './open-recorder';

async function serve(app: Express) {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${String(port)}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('on %s, an exchange', (_name, framework) => {
  it('that passes to an app called as a function, none of whose handlers takes it, is recorded and let go of', async () => {
    const { recorder, entry } = openRecorder();
    const tenant = framework();
    tenant.get('/known', (_request, response) => void response.send('known'));
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.use((request, response, next) => {
      tenant(request, response, next);
    });
    const { url, close } = await serve(app);
    expect((await fetch(`${url}/unknown`)).status).toBe(404);
    expect(await entry()).toMatchObject({ path: '/unknown', status: 404, outcome: 'completed' });
    expect(recorder.stats().open).toBe(0);
    close();
  });

  it.each([
    ['that passes to an app called as a function', false],
    ['whose request somebody watches too, and that passes to such an app,', true],
  ])('%s holds its body once', async (_which, isWatched) => {
    const { recorder, entry } = openRecorder();
    const tenant = framework();
    tenant.use(framework.text());
    tenant.post('/text', (request, response) => void response.send(String(request.body)));
    const app = framework();
    app.use((request, _response, next) => {
      const { push } = request;
      if (isWatched) request.push = (...chunk) => push.apply(request, chunk);
      next();
    });
    app.use(storageMiddleware({ recorder }));
    app.use((request, response, next) => {
      tenant(request, response, next);
    });
    const { url, close } = await serve(app);
    // In a part of its own, so that it is read when the other app has it.
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        setImmediate(() => {
          controller.enqueue(Buffer.from('once'));
          controller.close();
        });
      },
    });
    const headers = { 'content-type': 'text/plain' };
    const answer = await fetch(`${url}/text`, { method: 'POST', headers, body, duplex: 'half' });
    expect(await answer.text()).toBe('once');
    expect(requestData(await entry())).toBe('once');
    close();
  });

  it('whose client had left before Recap saw it is recorded as aborted', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use((_request, response, next) => {
      response.once('close', () => {
        setImmediate(next);
      });
      client.destroy();
    });
    app.use(storageMiddleware({ recorder }));
    app.use((_request, response) => void response.send('late'));
    const { port, close } = await serve(app);
    const client = connect(port, '127.0.0.1', () => client.write('GET /left HTTP/1.1\r\nHost: a\r\n\r\n'));
    await once(client, 'close');
    while (recorder.stats().captured === 0) await new Promise(setImmediate);
    expect(await entry()).toMatchObject({ path: '/left', outcome: 'aborted' });
    expect(recorder.stats().open).toBe(0);
    close();
  });

  it('holds what its own response sent, and nothing of another that was made for the request', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.get('/', (request, response) => {
      const other = new ServerResponse(request);
      Object.setPrototypeOf(other, app.response);
      other.end('never sent');
      response.type('text/plain').send('sent');
    });
    const { url, close } = await serve(app);
    expect(await (await fetch(url)).text()).toBe('sent');
    const recorded = await entry();
    expect(responseData(recorded)).toBe('sent');
    expect(recorded.offeredBytes).toBe(4);
    close();
  });

  it('that is taken off its connection is let go of when that ends', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.get('/taken', (request, response) => {
      const { socket } = request;
      response.detachSocket(socket);
      socket.end('raw');
    });
    const { port, close } = await serve(app);
    const client = connect(port, '127.0.0.1', () => client.write('GET /taken HTTP/1.1\r\nHost: a\r\n\r\n'));
    client.resume();
    await once(client, 'close');
    while (recorder.stats().captured === 0) await new Promise(setImmediate);
    expect((await entry()).path).toBe('/taken');
    expect(recorder.stats().open).toBe(0);
    close();
  });
});
