import { CALLBACK, type Call } from '../call';
import type { FidelityCase } from '../fidelity-case';

const topic = 'methods';
const plain: readonly Call[] = [
  ['statusCode=', 200],
  ['setHeader', 'Content-Type', 'text/plain'],
  ['end', 'an answer'],
];

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'M-SEARCH',
  'PURGE',
];
const STATUSES = [200, 201, 202, 206, 226, 301, 307, 400, 401, 404, 418, 429, 500, 503, 599, 999];

export const methodCases: readonly FidelityCase[] = [
  ...METHODS.map((method): FidelityCase => ({ name: method, topic, request: { method }, calls: plain })),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'GET'].map((method): FidelityCase => ({
    name: `${method} with a body`,
    topic,
    request: { method, headers: [['Content-Type', 'application/json']], body: '{"a":1}' },
    handler: async (t) => {
      const chunks: Buffer[] = [];
      for await (const chunk of t.req) chunks.push(chunk as Buffer);
      t.res.statusCode = 200;
      t.call('end', Buffer.concat(chunks));
    },
    records: [{ requestBody: '{"a":1}' }],
  })),
  { name: 'HEAD', topic, request: { method: 'HEAD' }, calls: [['statusCode=', 200], ['end']] },
  { name: 'HEAD whose handler offers a body', topic, request: { method: 'HEAD' }, calls: plain },
  {
    name: 'HEAD with a Content-Length',
    topic,
    request: { method: 'HEAD' },
    calls: [['writeHead', 200, { 'Content-Length': '9' }], ['end']],
  },
  {
    name: 'HEAD whose handler writes in pieces',
    topic,
    request: { method: 'HEAD' },
    calls: [['statusCode=', 200], ['write', 'one '], ['write', 'two'], ['end']],
  },
  ...STATUSES.map((status): FidelityCase => ({
    name: `Status ${String(status)}`,
    topic,
    calls: [
      ['statusCode=', status],
      ['end', `status ${String(status)}`],
    ],
  })),
  ...[204, 205, 304].flatMap((status): FidelityCase[] => [
    {
      name: `Status ${String(status)} without a body`,
      topic,
      calls: [['writeHead', status], ['end']],
    },
    {
      name: `Status ${String(status)} whose handler offers a body`,
      topic,
      calls: [
        ['statusCode=', status],
        ['write', 'one', CALLBACK],
        ['end', 'two'],
      ],
    },
    {
      name: `Status ${String(status)} with a Content-Length`,
      topic,
      calls: [['writeHead', status, { 'Content-Length': '0' }], ['end']],
    },
  ]),
];
