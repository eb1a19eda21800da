import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRecorder, storeApiData, type Recorder, type StoreApiDataOptions } from '@recap/capture';
import { storageRouter } from '@recap/capture/express';
import express from 'express';
import { OrdersClient, type Answer } from '../fidelity/orders-client';

/** An entry as the router shows it; the members that the tests look at. */
export interface Entry {
  readonly id: string;
  readonly parent_id: string | null;
  readonly endpoint: string | null;
  readonly method: string | null;
  readonly path: string | null;
  readonly status: number | null;
  readonly outcome: string;
  readonly error: { readonly name: string; readonly message: string } | null;
  readonly storage_info: Readonly<Record<string, unknown>>;
  readonly request: { readonly data: unknown };
  readonly response: { readonly data: unknown };
}

export interface Opened {
  readonly recorder: Recorder;
  readonly errors: unknown[];
  /** All that was recorded, oldest first, once every exchange is over and written. */
  entries(): Promise<Entry[]>;
  close(): Promise<void>;
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** A recorder with a database of its own, and its router to read that. */
export async function openRecorder(): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'recap-frameworks-'));
  const errors: unknown[] = [];
  const recorder = createRecorder({
    database: { type: 'sqlite', path: join(folder, 'recap.db') },
    logger: silent,
    onError: (error) => errors.push(error),
  });
  await recorder.ready();
  const app = express();
  app.use('/storage', storageRouter({ recorder, authenticate: () => ({ ownerId: 'admin', isAdmin: true }) }));
  const { port, server } = await listen(app);
  const read = async (path: string, init?: RequestInit): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${String(port)}/storage/${path}`, init);
    return ((await answer.json()) as { data: unknown }).data;
  };
  return {
    recorder,
    errors,
    entries: async () => {
      while (recorder.stats().open > 0) await nextTurn();
      await recorder.flush();
      const list = await read('query', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ page_size: 100, include_data: false }),
      });
      const ids = (list as { items: { id: string }[] }).items.map(({ id }) => id).sort();
      return Promise.all(ids.map(async (id) => (await read(`entries/${id}`)) as Entry));
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await recorder.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where `@storeApiData` stands among a route's decorators; `undefined` leaves it out. */
export type Place = 'above' | 'below' | undefined;

/** The decorator for the one place, and one that does nothing for the other. */
export function decoratorsFor(
  place: Place,
  options: StoreApiDataOptions,
): {
  readonly above: (more?: object) => MethodDecorator;
  readonly below: (more?: object) => MethodDecorator;
} {
  const at =
    (here: Place) =>
    (more: object = {}): MethodDecorator =>
      here === place
        ? storeApiData({ ...options, metadata: { ...options.metadata, ...more } })
        : () => undefined;
  return { above: at('above'), below: at('below') };
}

export async function listen(listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

/** Sends requests one after the other on one connection; answers come with every byte. */
export async function exchange(port: number, requests: readonly string[]): Promise<Answer[]> {
  const client = new OrdersClient(port);
  const answers: Answer[] = [];
  for (const each of requests) {
    const [line = '', body = ''] = each.split('\n');
    const type = body === '' ? '' : 'Content-Type: application/json\r\n';
    const length = `Content-Length: ${String(Buffer.byteLength(body))}\r\n`;
    answers.push(await client.send(`${line} HTTP/1.1\r\nHost: a\r\n${type}${length}\r\n${body}`));
  }
  client.close();
  return answers;
}

/** A recorded body as it was sent: the text of an event stream, whose messages are listed beside it, else its value. */
export function sentBody(data: unknown): unknown {
  return (data as { readonly content?: unknown } | null)?.content ?? data ?? '';
}

/** The data of a body, as the router shows it. */
export function parsed(text: string): unknown {
  return /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text;
}

function ignore(): void {
  // A logger that says nothing.
}
