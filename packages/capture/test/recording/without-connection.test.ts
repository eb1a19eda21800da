import { EventEmitter } from 'node:events';
import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openRecorder, requestData, responseData } from './open-recorder';
import { PROGRAMS } from './programs';

interface Call {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
}
type Handler = (request: IncomingMessage, response: ServerResponse) => void;
/** Calls a handler as nobody with a connection does. Resolves to the bytes that the handler sent, head included. */
type Inject = (handler: Handler, call: Call) => Promise<string>;

function headersOf({ body }: Call): Record<string, string> {
  if (body === undefined) return { host: 'a' };
  return { host: 'a', 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
}

/** @param socket what the request says that it came over */
function requestOver(socket: unknown, call: Call): IncomingMessage {
  const request = new IncomingMessage(socket as Socket);
  const headers = headersOf(call);
  Object.assign(request, {
    method: call.method,
    url: call.url,
    headers,
    rawHeaders: Object.entries(headers).flat(),
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    complete: true,
  });
  if (call.body !== undefined) request.push(call.body);
  request.push(null);
  return request;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('It does not come.');
    await nextTurn();
  }
}

/** A response of Node that was given no socket: it emits nothing, and keeps what is sent. */
const bare: Inject = async (handler, call) => {
  const request = requestOver(new Socket(), call);
  const response = new ServerResponse(request);
  handler(request, response);
  await until(() => response.writableEnded);
  const { outputData } = response as unknown as { readonly outputData: { readonly data: unknown }[] };
  return outputData.map(({ data }) => String(data)).join('');
};

/** A socket made of the few members that Node asks for, as adapters for functions in a cloud make one. */
const adapted: Inject = async (handler, call) => {
  const sent: string[] = [];
  const nothing = (): void => undefined;
  const request = requestOver(
    { encrypted: true, readable: true, remoteAddress: '10.0.0.1', end: nothing, destroy: nothing },
    call,
  );
  const response = new ServerResponse(request);
  response.assignSocket({
    _writableState: {},
    writable: true,
    on: nothing,
    removeListener: nothing,
    destroy: nothing,
    cork: nothing,
    uncork: nothing,
    write: (data: string | Buffer, encoding: unknown, callback?: () => void) => {
      sent.push(data.toString());
      if (typeof encoding === 'function') (encoding as () => void)();
      else callback?.();
      return true;
    },
  } as unknown as Socket);
  const finished = new Promise((resolve) => response.once('finish', resolve));
  handler(request, response);
  await finished;
  return sent.join('');
};

function sink(sent: string[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      sent.push(chunk.toString());
      setImmediate(callback);
    },
  });
}

/** A response that finishes into a stream, some turns after its end, and is never closed. */
const sunk: Inject = async (handler, call) => {
  const sent: string[] = [];
  const request = requestOver(Object.assign(new EventEmitter(), { readable: true }), call);
  const response = new ServerResponse(request);
  response.assignSocket(sink(sent) as Socket);
  const finished = new Promise((resolve) => response.once('finish', resolve));
  handler(request, response);
  await finished;
  return sent.join('');
};

/** A response that says at its end that it is finished and closed; its request is a stream of its own kind. */
const injected: Inject = async (handler, call) => {
  const sent: string[] = [];
  const headers = headersOf(call);
  const request = Object.assign(
    Readable.from(call.body === undefined ? [] : [Buffer.from(call.body)], { objectMode: false }),
    {
      method: call.method,
      url: call.url,
      headers,
      rawHeaders: Object.entries(headers).flat(),
      httpVersion: '1.1',
      socket: Object.assign(new EventEmitter(), { remoteAddress: '10.0.0.1', readable: true }),
    },
  ) as unknown as IncomingMessage;
  const response = new ServerResponse(request);
  const { write, end } = ServerResponse.prototype as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  Object.assign(response, {
    write: (...args: unknown[]) => write?.apply(response, args),
    end: (chunk: unknown, encoding: unknown) => {
      if (chunk !== undefined && typeof chunk !== 'function')
        response.write(chunk, encoding as BufferEncoding);
      end?.apply(response, []);
      response.emit('finish');
      response.destroyed = true;
      process.nextTick(() => response.emit('close'));
      return response;
    },
  });
  response.assignSocket(sink(sent) as Socket);
  const closed = new Promise((resolve) => response.once('close', resolve));
  handler(request, response);
  await closed;
  await until(() => response.writableFinished);
  return sent.join('');
};

const handlerOf = (server: Server): Handler => server.listeners('request')[0] as Handler;

describe.each(PROGRAMS)('%s, called without a connection', (_name, build) => {
  describe.each([
    ['by a response without a socket', bare],
    ['by an adapter’s few members of a socket', adapted],
    ['by a response that never closes', sunk],
    ['by a response that closes itself', injected],
  ])('%s,', (_how, inject) => {
    it('records each exchange once, when it has ended', async () => {
      const { recorder, entries } = openRecorder();
      const handler = handlerOf(build(recorder));
      const calls: Call[] = [
        { method: 'GET', url: '/orders/7?x=1' },
        { method: 'POST', url: '/echo', body: '{"a":1}' },
        { method: 'GET', url: '/stream' },
        { method: 'GET', url: '/empty' },
      ];
      const answers: string[] = [];
      for (const call of calls) {
        answers.push(await inject(handler, call));
        await until(() => recorder.stats().captured === answers.length);
      }
      expect(answers[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\{"id":"7"\}$/);
      const recorded = await entries();
      const byPath = calls.map(({ url }) => recorded.find(({ path }) => path === url.split('?')[0]));
      expect(recorded).toHaveLength(4);
      expect(byPath).toMatchObject([
        {
          endpoint: '/orders/:id',
          query: 'x=1',
          status: 200,
          outcome: 'completed',
          closedBy: 'end',
          offeredBytes: 10,
        },
        { method: 'POST', status: 200, outcome: 'completed', closedBy: 'end' },
        { status: 200, outcome: 'completed', closedBy: 'end', offeredBytes: 13 },
        { status: 204, outcome: 'completed', closedBy: 'end' },
      ]);
      const [order, echo, stream] = byPath;
      if (order === undefined || echo === undefined || stream === undefined)
        throw new Error('One is missing.');
      expect([responseData(order), requestData(echo), responseData(echo), responseData(stream)]).toEqual([
        { id: '7' },
        { a: 1 },
        { a: 1 },
        'one two three',
      ]);
      expect(recorder.stats()).toMatchObject({ open: 0, internalErrors: 0 });
      expect(recorder.budget.usedBytes).toBe(0);
    });

    it('does not record what has not ended', async () => {
      const { recorder } = openRecorder();
      const handler = handlerOf(build(recorder));
      void inject(handler, { method: 'GET', url: '/hang' }).catch(() => undefined);
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
      expect(recorder.stats()).toMatchObject({ captured: 0, open: 1 });
    });

    it('answers with durability "strict" once it is recorded', async () => {
      const { recorder, entry } = openRecorder({ durability: 'strict' });
      const handler = handlerOf(build(recorder));
      expect(await inject(handler, { method: 'GET', url: '/orders/7' })).toMatch(/\{"id":"7"\}$/);
      expect(await entry()).toMatchObject({ path: '/orders/7', status: 200, outcome: 'completed' });
      expect(recorder.stats()).toMatchObject({ captured: 1, stored: 1, internalErrors: 0 });
    });
  });
});
