import type { CapturedBody, Exchange, ExchangeSide, HeaderList, RecordedWarning } from '../exchange';
import { keptBytesOf } from '../tap/seen-body';
import { SeenSide } from '../tap/seen-side';

/** Why a body is not kept, in the entry. */
export const OVERLOAD = 'overload';

/** What is left out of an exchange: nothing, its bodies, its headers as well, or all but its count. */
export type Step = 0 | 1 | 2 | 3;

/** The exchange without its bodies, and from step 2 on without its headers; itself when it has none of these. */
export function reduceExchange(exchange: Exchange, step: Step): Exchange {
  const request = reduceSide(exchange.request, step);
  const response = reduceSide(exchange.response, step);
  if (request === exchange.request && response === exchange.response) return exchange;
  const isShort = hasLessHeaders(exchange.request, request) || hasLessHeaders(exchange.response, response);
  const { warnings } = exchange;
  return { ...exchange, request, response, warnings: isShort ? [...warnings, HEADERS_LEFT_OUT] : warnings };
}

/** Whether `reduceExchange` left headers out. */
export function lacksHeaders({ warnings }: Exchange): boolean {
  return warnings.at(-1) === HEADERS_LEFT_OUT;
}

function reduceSide(side: ExchangeSide, step: Step): ExchangeSide {
  const body = step >= 1 ? withoutBytes(side.body) : side.body;
  if (step >= 2) {
    const headers = contentTypeOf(side.headers);
    if (headers.length < side.headers.length) return { headers, body };
  }
  if (body === side.body) return side;
  // Its header fields may never be listed in this thread.
  return side instanceof SeenSide ? new SeenSide(side.rawHeaders, body) : { headers: side.headers, body };
}

function hasLessHeaders(whole: ExchangeSide, reduced: ExchangeSide): boolean {
  return !(reduced instanceof SeenSide) && reduced !== whole && reduced.headers.length < whole.headers.length;
}

function withoutBytes(body: CapturedBody | undefined): CapturedBody | undefined {
  if (body === undefined || keptBytesOf(body) === 0) return body;
  const { totalBytes, isTruncated, source } = body;
  const knownBytes = totalBytes ?? (isTruncated ? undefined : keptBytesOf(body));
  return { bytes: undefined, totalBytes: knownBytes, isTruncated: false, omitted: OVERLOAD, source };
}

/** The one field that says what the body was. */
function contentTypeOf(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => name.length === 12 && name.toLowerCase() === 'content-type');
}

const HEADERS_LEFT_OUT: RecordedWarning = {
  code: 'HEADERS_LEFT_OUT',
  message: 'The recorder was overloaded: headers but for the content types, and bodies, were left out.',
  severity: 'MEDIUM',
  details: {},
};
