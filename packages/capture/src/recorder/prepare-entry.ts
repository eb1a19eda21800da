import { isPromise } from 'node:util/types';
import { faultPoint } from '../fault-point';
import type { NormalizeEndpoint } from '../entries/endpoint-key';
import type { NewEntry } from '../entries/entry-store';
import type { CapturedBody, Exchange, ExchangeSide, HeaderList, RecordedWarning } from '../exchange';
import type { Redactor, Side } from '../redaction/redactor';
import { packBodies, type PackBody, type PackedFields } from '../codec';
import type { DecodedBody, PreparedBody } from './prepare-body';
import { decodeBody, decodeBodyNow, headerValue, prepareBody } from './prepare-body';

export interface EntryTools {
  /** `undefined` when redaction is off. */
  readonly redactor: Redactor | undefined;
  readonly pack: PackBody;
  /** Bound for what a compressed body may unfold to. */
  readonly maxDecodedBytes: number;
  readonly normalizeEndpoint: NormalizeEndpoint;
}

const MAX_LISTED_REDACTIONS = 100;
const MAX_ERROR_MESSAGE = 2_000;
const MAX_ERROR_NAME = 200;
const MAX_METADATA_BYTES = 16 * 1024;
const RECOMMENDED_FROM_BYTES = 10 * 1024;

/** Turns an exchange into what is stored of it. From here on nothing is left that redaction hides. */
export function prepareEntry(exchange: Exchange, tools: EntryTools): NewEntry | Promise<NewEntry> {
  faultPoint('prepare');
  const { maxDecodedBytes } = tools;
  const request = isKept(exchange, 'request') ? decodeBody(exchange.request, maxDecodedBytes) : NOT_KEPT;
  const response = isKept(exchange, 'response') ? decodeBody(exchange.response, maxDecodedBytes) : NOT_KEPT;
  const finish = (decoded: Readonly<Record<Side, DecodedBody>>): NewEntry | Promise<NewEntry> =>
    packEntry(redactEntry(exchange, decoded, tools), exchange.compress, tools);
  // Most bodies need no waiting for, and a promise for each step costs as much as the step.
  if (!isPromise(request) && !isPromise(response)) return finish({ request, response });
  return Promise.all([request, response]).then(([first, second]) =>
    finish({ request: first, response: second }),
  );
}

/** The same at once, but for packing: `packEntry` does that at any later time. */
export function prepareUnpacked(
  exchange: Exchange,
  tools: Pick<EntryTools, 'redactor' | 'normalizeEndpoint' | 'maxDecodedBytes'>,
): NewEntry {
  const { maxDecodedBytes } = tools;
  const request = isKept(exchange, 'request') ? decodeBodyNow(exchange.request, maxDecodedBytes) : NOT_KEPT;
  const response = isKept(exchange, 'response')
    ? decodeBodyNow(exchange.response, maxDecodedBytes)
    : NOT_KEPT;
  return redactEntry(exchange, { request, response }, tools);
}

/** Packs the bodies of an entry, in place. */
export function packEntry(
  entry: NewEntry,
  compress: boolean,
  { pack }: Pick<EntryTools, 'pack'>,
): NewEntry | Promise<NewEntry> {
  if (!compress) return entry;
  const packed = packBodies(entry, pack);
  // Most need no waiting for.
  return isPromise(packed) ? packed.then((fields) => withPacked(entry, fields)) : withPacked(entry, packed);
}

function withPacked(entry: NewEntry, packed: PackedFields): NewEntry {
  entry.requestBody = packed.requestBody;
  entry.requestCodec = packed.requestCodec;
  entry.requestStoredBytes = packed.requestStoredBytes;
  entry.responseBody = packed.responseBody;
  entry.responseCodec = packed.responseCodec;
  entry.responseStoredBytes = packed.responseStoredBytes;
  return entry;
}

const NOT_KEPT: DecodedBody = { bytes: undefined };

function isKept({ storageType }: Exchange, side: Side): boolean {
  return storageType === 'both' || storageType === side;
}

function redactEntry(
  exchange: Exchange,
  decoded: Readonly<Record<Side, DecodedBody>>,
  { redactor, normalizeEndpoint }: Pick<EntryTools, 'redactor' | 'normalizeEndpoint'>,
): NewEntry {
  let redacted: Set<string> | undefined;
  const report = (path: string): void => {
    redacted ??= new Set();
    if (redacted.size < MAX_LISTED_REDACTIONS) redacted.add(path);
  };
  const warnings: RecordedWarning[] = [...exchange.warnings];
  const prepareSide = (side: Side): SideColumns => {
    const whole = exchange[side];
    if (!isKept(exchange, side)) return leftOut(whole);
    const body = prepareBody(side, whole, decoded[side], redactor, report);
    const warning = sizeWarning(side, whole, body, exchange.compress);
    if (warning !== undefined) warnings.push(warning);
    return {
      headers: redactor?.headers(side, whole.headers, report) ?? whole.headers,
      contentType:
        headerValue(whole.headers, 'content-type') ??
        (body.details.source === 'parsed' ? parsedType(whole.body) : null),
      body,
    };
  };
  const request = prepareSide('request');
  const response = prepareSide('response');
  const { error, path, query, delivery } = exchange;
  // A template holds no values, but one that cannot be told is the concrete path.
  const endpoint = exchange.endpoint && (redactor?.path(exchange.endpoint, {}, report) ?? exchange.endpoint);
  const metadata = redactor?.metadata(exchange.metadata, report) ?? { ...exchange.metadata };
  const metadataBytes = sizeOf(metadata);
  if (metadataBytes > MAX_METADATA_BYTES) {
    warnings.push(largePayload('metadata', metadataBytes, 0));
  }
  return {
    id: exchange.id,
    parentId: exchange.parentId ?? null,
    type: exchange.storageType,
    method: exchange.method ?? null,
    endpoint: endpoint ?? null,
    endpointKey: endpoint === undefined ? null : normalizeEndpoint(endpoint),
    path: path === undefined ? null : (redactor?.path(path, exchange.pathParameters, report) ?? path),
    query: query === undefined ? null : (redactor?.query(query, report) ?? query),
    status: exchange.status ?? null,
    outcome: exchange.outcome,
    errorName: error === undefined ? null : errorText(error.name, MAX_ERROR_NAME, redactor, report),
    errorMessage: error === undefined ? null : errorText(error.message, MAX_ERROR_MESSAGE, redactor, report),
    createdAt: exchange.startedAt,
    durationMs: wholeMicroseconds(exchange.durationMs),
    owner: exchange.owner,
    clientAddress: exchange.clientAddress ?? null,
    traceId: exchange.traceId ?? null,
    metadata: metadataBytes > MAX_METADATA_BYTES ? {} : metadata,
    expiresAt: exchange.expiresAt ?? null,
    session: exchange.session,
    // Written out: spreading objects costs more than all else that is done here.
    requestHeaders: request.headers,
    requestContentType: request.contentType,
    requestOriginalBytes: request.body.originalBytes,
    requestStoredBytes: request.body.bytes?.length ?? 0,
    requestUnpackedBytes: request.body.bytes?.length ?? 0,
    requestCodec: 'identity',
    requestState: request.body.state,
    requestDetails: request.body.details,
    requestBody: request.body.bytes ?? null,
    responseHeaders: response.headers,
    responseContentType: response.contentType,
    responseOriginalBytes: response.body.originalBytes,
    responseStoredBytes: response.body.bytes?.length ?? 0,
    responseUnpackedBytes: response.body.bytes?.length ?? 0,
    responseCodec: 'identity',
    responseState: response.body.state,
    responseDetails: response.body.details,
    responseBody: response.body.bytes ?? null,
    closedBy: delivery?.closedBy ?? null,
    offeredBytes: delivery?.offeredBytes ?? null,
    sentBytes: delivery?.sentBytes ?? null,
    firstByteMs: microseconds(delivery?.firstByteMs),
    chunks: delivery?.chunks ?? null,
    longestGapMs: microseconds(delivery?.longestGapMs),
    redacted: redacted === undefined ? [] : [...redacted],
    warnings,
    ...(exchange.isCorrection === true && { isCorrection: true }),
  };
}

/** As JSON. Most is empty. */
function sizeOf(metadata: Readonly<Record<string, unknown>>): number {
  return Object.keys(metadata).length === 0 ? 2 : JSON.stringify(metadata).length;
}

/** The type of what a program held, when no header names it. */
function parsedType(body: CapturedBody | undefined): string {
  return body?.isRaw === true ? 'text/plain' : 'application/json';
}

interface SideColumns {
  readonly headers: HeaderList;
  readonly contentType: string | null;
  readonly body: PreparedBody;
}

function leftOut({ headers, body }: ExchangeSide): SideColumns {
  return {
    headers: [],
    contentType: headerValue(headers, 'content-type') ?? null,
    body: {
      state: body === undefined ? 'empty' : 'not_captured',
      details: body === undefined ? {} : { reason: 'storage_type' },
      originalBytes: body?.totalBytes ?? null,
      bytes: undefined,
    },
  };
}

/** Further digits are noise of the subtraction. */
export function wholeMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function microseconds(ms: number | undefined): number | null {
  return ms === undefined ? null : wholeMicroseconds(ms);
}

function errorText(
  text: string,
  maxLength: number,
  redactor: Redactor | undefined,
  report: (path: string) => void,
): string {
  const head = text.slice(0, 2 * maxLength);
  return (redactor?.text(head, 'error.message', report) ?? head).slice(0, maxLength);
}

function sizeWarning(
  side: Side,
  { body }: ExchangeSide,
  prepared: PreparedBody,
  compress: boolean,
): RecordedWarning | undefined {
  const kept = body?.bytes?.length;
  const total = body?.totalBytes;
  if (prepared.state === 'truncated' && kept !== undefined && total !== undefined && total > kept) {
    return largePayload(`${side}.body`, total, kept);
  }
  if (!compress && (prepared.bytes?.length ?? 0) >= RECOMMENDED_FROM_BYTES) {
    return {
      code: 'COMPRESSION_RECOMMENDED',
      message: `The ${side} body is stored uncompressed.`,
      severity: 'LOW',
      details: { surface: `${side}.body`, stored_bytes: prepared.bytes?.length },
    };
  }
  return undefined;
}

function largePayload(surface: string, originalBytes: number, keptBytes: number): RecordedWarning {
  return {
    code: 'LARGE_PAYLOAD',
    message: `More than the limit; only a part is kept (${surface}).`,
    severity: 'MEDIUM',
    details: { surface, original_bytes: originalBytes, kept_bytes: keptBytes },
  };
}
