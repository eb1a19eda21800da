import { Readable } from 'node:stream';
import { createReadStream } from 'node:fs';
import type { Express, Request, Response } from 'express';
import type { Context } from 'koa';
import type { RequestSpec } from '../request-spec';
import type { FidelityCase, Tools } from '../fidelity-case';

const topic = 'frameworks';

/** The same thing said in each framework's words. */
interface Pair {
  readonly express?: (request: Request, response: Response, tools: Tools) => unknown;
  readonly koa?: (context: Context, tools: Tools) => unknown;
  readonly request?: RequestSpec;
  readonly http2?: false;
}

const range = (value: string): RequestSpec => ({ headers: [['Range', value]] });

const pairs: Readonly<Record<string, Pair>> = {
  'A text by the framework': {
    express: (_request, response) => response.send('text'),
    koa: (context) => {
      context.body = 'text';
    },
  },
  'HTML by the framework': {
    express: (_request, response) => response.send('<p>html</p>'),
    koa: (context) => {
      context.body = '<p>html</p>';
    },
  },
  'JSON by the framework': {
    express: (_request, response) => response.json({ a: [1, null, '\u2028'] }),
    koa: (context) => {
      context.body = { a: [1, null, '\u2028'] };
    },
  },
  'Bytes by the framework': {
    express: (_request, response) => response.type('bin').send(Buffer.from([0, 1, 255])),
    koa: (context) => {
      context.body = Buffer.from([0, 1, 255]);
    },
  },
  'A stream by the framework': {
    express: (_request, response) => {
      Readable.from(['a ', 'stream']).pipe(response.type('text'));
    },
    koa: (context) => {
      context.type = 'text';
      context.body = Readable.from(['a ', 'stream']);
    },
  },
  'A file': {
    express: (_request, response, { files }) =>
      response.sendFile('letters.txt', { root: files, etag: false, lastModified: false }),
    koa: (context, { files }) => {
      context.type = 'text';
      context.body = createReadStream(`${files}letters.txt`);
    },
  },
  'A file to HEAD': {
    // Koa 2 never answers HEAD over HTTP/2.
    http2: false,
    request: { method: 'HEAD' },
    express: (_request, response, { files }) => response.sendFile('letters.txt', { root: files }),
    koa: (context, { files }) => {
      context.type = 'text';
      context.body = createReadStream(`${files}letters.txt`);
    },
  },
  'A file that does not exist': {
    express: (request, response, { files }) =>
      response.sendFile('missing.txt', { root: files }, (error) => {
        response.status(404).send(`${(error as NodeJS.ErrnoException).code ?? ''} ${request.path}`);
      }),
    koa: (context, { files }) => {
      context.body = createReadStream(`${files}missing.txt`);
    },
  },
  'A download': {
    express: (_request, response, { files }) => response.download(`${files}page.html`, 'caf\u00e9 page.html'),
    koa: (context, { files }) => {
      context.attachment('caf\u00e9 page.html');
      context.body = createReadStream(`${files}page.html`);
    },
  },
  'A redirect': {
    express: (_request, response) => response.redirect(303, '/else?where=\u00e4'),
    koa: (context) => {
      context.status = 303;
      context.redirect('/else?where=\u00e4');
    },
  },
  'Cookies by the framework': {
    express: (_request, response) =>
      response.cookie('a', '1', { httpOnly: true }).cookie('b', { c: 2 }).clearCookie('d').end(),
    koa: (context) => {
      context.cookies.set('a', '1');
      context.cookies.set('b', '2', { httpOnly: false });
      context.body = '';
    },
  },
  'A body that is fresh': {
    request: { headers: [['If-None-Match', '"tag"']] },
    express: (_request, response) => response.set('ETag', '"tag"').send('unchanged'),
    koa: (context) => {
      context.set('ETag', '"tag"');
      context.body = 'unchanged';
      if (context.fresh) context.status = 304;
    },
  },
  'A status alone': {
    express: (_request, response) => response.sendStatus(202),
    koa: (context) => {
      context.status = 202;
    },
  },
  'No content': {
    express: (_request, response) => response.status(204).send('dropped'),
    koa: (context) => {
      context.body = null;
    },
  },
  'A body to HEAD': {
    // Koa 2 never answers HEAD over HTTP/2.
    http2: false,
    request: { method: 'HEAD' },
    express: (_request, response) => response.send('not sent'),
    koa: (context) => {
      context.body = 'not sent';
    },
  },
  'A choice by Accept': {
    request: { headers: [['Accept', 'text/html;q=0.5, application/json']] },
    express: (_request, response) =>
      response.format({ html: () => response.send('<p>1</p>'), json: () => response.json({ one: 1 }) }),
    koa: (context) => {
      context.body = context.accepts('html', 'json') === 'json' ? { one: 1 } : '<p>1</p>';
    },
  },
  'Nothing at all': {
    express: (request, _response) => request.next?.(),
    koa: () => undefined,
  },
  'What next returns': {
    express: (request, response, { probe }) => {
      probe(request).note(`next returns ${String(request.next?.())}, sent ${String(response.headersSent)}`);
    },
    koa: (context, { probe }) => {
      probe(context.req).note(`next ${String(context.respond)}`);
    },
  },
  'An asynchronous handler': {
    express: async (_request, response) => {
      await Promise.resolve();
      response.send('later');
    },
    koa: async (context) => {
      await Promise.resolve();
      context.body = 'later';
    },
  },
  'An error with a status by the framework': {
    express: (request) => request.next?.(Object.assign(new Error('teapot'), { status: 418 })),
    koa: (context) => context.throw(418, 'teapot', { headers: { 'X-Reason': 'tea' } }),
  },
  'A stream that fails as the answer': {
    koa: (context) => {
      context.body = new Readable({
        read() {
          this.destroy(new Error('the source fails'));
        },
      });
    },
  },
  'A stream that is replaced': {
    koa: (context) => {
      context.body = Readable.from(['old']);
      context.body = Readable.from(['new']);
    },
  },
  'A body that is taken back': {
    koa: (context) => {
      context.body = 'text';
      context.body = undefined;
    },
  },
  JSONP: {
    request: { path: '/?callback=call' },
    express: (_request, response) => response.jsonp({ a: 1 }),
  },
  'Links, Vary and Location': {
    express: (_request, response) =>
      response.links({ next: '/2' }).vary('Accept').append('Link', '</3>').location('/x').send('ok'),
  },
  ...Object.fromEntries(
    ['bytes=0-9', 'bytes=-5', 'bytes=19990-', 'bytes=0-1,5-6', 'bytes=99999-', 'nonsense'].map(
      (value): [string, Pair] => [
        `A file with Range: ${value}`,
        {
          request: range(value),
          express: (_request, response, { files }) => response.sendFile('letters.txt', { root: files }),
        },
      ],
    ),
  ),
};

export const frameworkCases: readonly FidelityCase[] = [
  ...Object.entries(pairs).map(([name, { express, koa, request, http2 }]): FidelityCase => ({
    name,
    topic,
    ...(request && { request }),
    ...(http2 === false && { http2 }),
    ...(express && {
      express: (app: Express, tools: Tools) => {
        app.use((incoming, response) => {
          tools.probe(incoming).enter();
          return express(incoming, response, tools);
        });
      },
    }),
    ...(koa && {
      koa: (app: { use(handler: (context: Context) => unknown): unknown }, tools: Tools) => {
        app.use((context) => {
          tools.probe(context.req).enter();
          return koa(context, tools);
        });
      },
    }),
  })),
];
