import type { IncomingMessage, ServerResponse } from 'node:http';
import { stopObserving } from '../tap/patch-response';
import { openExchangeOf } from './exchange-of-request';
import type { RecorderCore } from './recorder-core';
import { REFUSED_REQUEST } from './refused-answer';

/**
 * Answers a request in place of the program when nothing can be recorded of it and no answer may go out unrecorded.
 *
 * @returns whether it did; the program must not see the request then
 */
export function refuseRequest(
  recorder: RecorderCore | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (recorder?.failsClosed !== true || openExchangeOf(request) !== undefined) return false;
  if (response.headersSent) return false;
  // A tap that could not be finished may see for it already.
  stopObserving(response);
  const { status, headers, body } = REFUSED_REQUEST;
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  response.end(body);
  return true;
}
