import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { storageMiddleware } from '@recap/capture/express';
import express from 'express';
import express4 from 'express4';
import type { EntryRecord } from '../../packages/capture/src/entries/entry-record';
import { openRecorder, requestData, responseData } from '../../packages/capture/test/recording/open-recorder';
import { OrdersClient, type Answer } from './orders-client';
import { inserted, middlewareOrders, ordersProgram, type Step } from './orders-program';

const isLong = process.env['RECAP_LONG'] === '1';
const orders = middlewareOrders(isLong);

const SMALL = '{"a":[1,2],"b":"☃"}';
const REQUESTS: readonly (readonly [method: string, path: string, body?: string, header?: string])[] = [
  ['POST', '/small', SMALL],
  ['GET', '/large'],
  ['HEAD', '/large'],
  ['GET', '/large', '', 'If-None-Match: *\r\n'],
  ['GET', '/stream'],
  ['GET', '/stream?head=first'],
  ['GET', '/head'],
  ['GET', '/nowhere'],
  ['GET', '/error'],
];
const CODINGS = ['gzip', 'deflate', 'br', 'identity'] as const;

/** Everywhere in the long form; else first, last and somewhere between. */
function placesOfRecap(order: readonly Step[], index: number): number[] {
  const all = Array.from({ length: order.length + 1 }, (_, place) => place);
  return isLong ? all : [0, 1 + (index % (order.length - 1)), order.length];
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
] as const)('%s with middlewares in any order', (_name, framework) => {
  let handle: RequestListener;
  let server: Server;
  let client: OrdersClient;

  beforeAll(async () => {
    server = createServer((request, response) => {
      handle(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new OrdersClient((server.address() as AddressInfo).port);
  });
  afterAll(async () => {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  const exchange = async (app: RequestListener): Promise<Answer[]> => {
    handle = app;
    const answers: Answer[] = [];
    for (const coding of CODINGS) {
      for (const [method, path, body = '', header = ''] of REQUESTS) {
        const type = body === '' ? '' : `Content-Type: application/json\r\n`;
        const length = `Content-Length: ${String(Buffer.byteLength(body))}\r\n`;
        const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n${type}${length}${header}\r\n`;
        answers.push(await client.send(head + body));
      }
    }
    return answers;
  };

  it.each(orders.map((order, index) => [order.join(', '), order, index] as const))(
    'answers the same bytes with Recap and stores what the client got: %s',
    async (_title, order, index) => {
      const bare = ordersProgram(framework, order);
      const expected = await exchange(bare.app);
      for (const coding of ['gzip', 'deflate', 'br']) {
        expect(expected.filter(({ contentEncoding }) => contentEncoding === coding)).toHaveLength(5);
      }
      for (const place of placesOfRecap(order, index)) {
        const { recorder, entries, failures } = openRecorder({ redaction: false });
        const steps = inserted(order, place, 'recap');
        const recording = ordersProgram(framework, steps, storageMiddleware({ recorder }));
        const answers = await exchange(recording.app);
        expect(answers.map(({ wire }) => wire)).toEqual(expected.map(({ wire }) => wire));
        const stored = await entries();
        expect(recording.log).toEqual(bare.log);
        expect(failures).toEqual([]);
        expect(stored).toHaveLength(answers.length);
        stored.forEach((entry, at) => {
          expectTrue(entry, answers[at]!);
        });
        await recorder.close();
      }
    },
  );
});

function expectTrue(entry: EntryRecord, answer: Answer): void {
  const isJson = entry.responseContentType?.startsWith('application/json') === true;
  expect({
    status: entry.status,
    headers: entry.responseHeaders,
    state: entry.responseState,
    contentEncoding: entry.responseDetails.contentEncoding,
    data: responseData(entry),
  }).toEqual({
    status: answer.status,
    headers: answer.headers,
    state: answer.text === '' ? 'empty' : 'captured',
    contentEncoding: answer.contentEncoding,
    data: answer.text === '' ? null : isJson ? JSON.parse(answer.text) : answer.text,
  });
  if (entry.method === 'POST') expect(requestData(entry)).toEqual(JSON.parse(SMALL));
}
