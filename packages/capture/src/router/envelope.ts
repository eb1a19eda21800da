import { createBreather } from '../query/breathe';
import type { Answer } from '../query/query-service';
import type { Failure } from './failure';
import type { RouterResponse } from './router-request';

const HEADERS = Object.freeze({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
});

/** A plain JSON answer, without an envelope. */
export function toResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): RouterResponse {
  return withBody(status, Buffer.from(JSON.stringify(value)), headers);
}

/** An answer in the envelope. Items are written one by one, so that long lists leave the host its turn. */
export async function toSuccess({ data, warnings }: Answer<unknown>): Promise<RouterResponse> {
  const breathe = createBreather();
  const parts = [Buffer.from('{"success":true,"data":')];
  if (isList(data)) {
    const { items, ...rest } = data;
    parts.push(Buffer.from('{"items":['));
    for (const [index, item] of items.entries()) {
      parts.push(Buffer.from((index === 0 ? '' : ',') + JSON.stringify(item)));
      await breathe();
    }
    parts.push(Buffer.from(`],${JSON.stringify(rest).slice(1)}`));
  } else {
    parts.push(Buffer.from(JSON.stringify(data)));
  }
  parts.push(Buffer.from(`,"warnings":${JSON.stringify(warnings)}}`));
  return withBody(200, Buffer.concat(parts), {});
}

export function toErrorResponse({ status, code, message, details, headers }: Failure): RouterResponse {
  return toResponse(status, { success: false, error: { code, message, details } }, headers);
}

function isList(data: unknown): data is { readonly items: readonly unknown[]; readonly page_size: number } {
  return typeof data === 'object' && data !== null && 'items' in data && Array.isArray(data.items);
}

function withBody(status: number, body: Buffer, headers: Readonly<Record<string, string>>): RouterResponse {
  return { status, body, headers: { ...HEADERS, 'content-length': String(body.length), ...headers } };
}
