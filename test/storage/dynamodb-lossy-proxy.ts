import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { request as requestEncrypted } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface LossyProxy {
  readonly url: string;
  /** How many answers were lost. */
  readonly lost: number;
  /** The next request of that operation whose text holds `text` is carried out, and its connection cut instead of answered. */
  loseNext(operation: string, text: string, meanwhile?: () => Promise<unknown>): void;
  close(): Promise<void>;
}

export async function startLossyProxy(target: string): Promise<LossyProxy> {
  let next: { operation: string; text: string; meanwhile?: (() => Promise<unknown>) | undefined } | undefined;
  let lost = 0;
  const server = createServer((incoming, outgoing) => {
    const pass = async (): Promise<void> => {
      const body = await buffer(incoming);
      const { method, url, headers } = incoming;
      const to = new URL(url ?? '/', target);
      // The name of the host stays as it was: the signature holds it.
      const forwarded =
        to.protocol === 'https:'
          ? requestEncrypted(to, { method, headers, servername: to.hostname })
          : request(to, { method, headers });
      forwarded.end(body);
      const [answer] = (await once(forwarded, 'response')) as [typeof incoming];
      const content = await buffer(answer);
      const isNext =
        next !== undefined &&
        String(headers['x-amz-target']).endsWith(`.${next.operation}`) &&
        body.includes(next.text);
      if (!isNext) {
        outgoing.writeHead(answer.statusCode!, answer.headers).end(content);
        return;
      }
      const { meanwhile } = next!;
      next = undefined;
      lost += 1;
      await meanwhile?.();
      incoming.socket.destroy();
    };
    pass().catch(() => incoming.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get lost() {
      return lost;
    },
    loseNext: (operation, text, meanwhile) => {
      next = { operation, text, meanwhile };
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
