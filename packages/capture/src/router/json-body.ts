import type { IncomingHttpHeaders } from 'node:http';
import { mediaType } from '../body-kind';
import { invalidFields, type QueryError } from '../query/query-error';
import { RouterError } from './router-error';
import type { RouterRequest } from './router-request';

/** The router's own limit, whatever the host's parser allows. */
export const MAX_BODY_BYTES = 100_000;

/**
 * The object that a request carries as JSON; one without a body stands for `{}`.
 *
 * @throws {QueryError} `VALIDATION_FAILED` when it is not JSON, or not an object
 * @throws {RouterError} `PAYLOAD_TOO_LARGE`
 */
export async function readJsonBody(request: RouterRequest<unknown>): Promise<Record<string, unknown>> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const body = await request.readBody();
  if (body === undefined) return {};
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  if (isRaw && body.length === 0) return {};
  requireJson(request.headers);
  const value = isRaw ? parse(body) : body;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('must be a JSON object');
  return value as Record<string, unknown>;
}

export function tooLarge(): RouterError {
  return new RouterError('PAYLOAD_TOO_LARGE', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
}

function requireJson(headers: IncomingHttpHeaders): void {
  const type = mediaType(headers['content-type']);
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) {
    throw invalidFields([{ field: 'content-type', message: 'must be application/json' }]);
  }
}

function parse(body: string | Uint8Array): unknown {
  if (body.length > MAX_BODY_BYTES) throw tooLarge();
  try {
    return JSON.parse(
      typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body),
    );
  } catch {
    throw wrong('is not JSON in UTF-8');
  }
}

function wrong(message: string): QueryError {
  return invalidFields([{ field: 'body', message }]);
}
