import type { IncomingMessage } from 'node:http';
import { invalidFields } from '../query/query-error';
import { MAX_BODY_BYTES, tooLarge } from './json-body';

/**
 * The body of a Node request. A parser of the host may or may not have been there before, and some set
 * `body` to `{}` without having read anything, so what counts is whether the stream was read.
 *
 * @param parsed what the host's parser left, if there is one
 * @throws {RouterError} `PAYLOAD_TOO_LARGE`, without keeping more
 */
export async function readNodeBody(request: IncomingMessage, parsed: unknown): Promise<unknown> {
  if (!request.readableDidRead) return readBytes(request);
  if (parsed === undefined && Number(request.headers['content-length'] ?? 1) > 0) {
    throw new Error(
      'Something read the body before the storage router without leaving it as `body`. ' +
        'Mount the router before it.',
    );
  }
  return parsed;
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      finish();
    };
    const onData = (chunk: Buffer | string): void => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += bytes.length;
      chunks.push(bytes);
      if (size <= MAX_BODY_BYTES) return;
      settle(() => reject(tooLarge()));
      // The rest flows away unread: left standing, it would hold up the connection.
      request.resume();
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onBroken = (): void =>
      settle(() => reject(invalidFields([{ field: 'body', message: 'ended before its end' }])));
    if (request.destroyed) onBroken();
    else request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}
