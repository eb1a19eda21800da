import type { IncomingMessage } from 'node:http';

type Push = (this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding) => boolean;

/**
 * Lets `onChunk` see the request's bytes where Node pushes them into the stream: no second reader, no
 * listener, no change of the stream's mode. `null` marks the end of the body.
 */
export function observeRequest(
  request: IncomingMessage,
  onChunk: (chunk: unknown, encoding: unknown) => void,
): void {
  const { push: original } = request as { readonly push: Push };
  Object.defineProperty(request, 'push', {
    value: function push(this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding): boolean {
      onChunk(chunk, encoding);
      return original.call(this, chunk, encoding);
    },
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

/** True when bytes may have gone by before anybody watched, so that the rest would be a wrong body. */
export function hasStarted(request: IncomingMessage): boolean {
  return request.readableDidRead || request.readableLength > 0 || request.complete;
}
