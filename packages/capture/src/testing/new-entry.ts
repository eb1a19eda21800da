import { newId } from '@recap/storage';
import { createEndpointNormalizer } from '../entries/endpoint-key';
import type { NewEntry } from '../entries/entry-store';

const normalizeEndpoint = createEndpointNormalizer();

/**
 * An entry for tests: `GET /orders/:id` of `ann`, answered 200 at 2026-01-01T00:00:00Z, kept for ever, without
 * bodies. `endpointKey`, sizes and states follow from what is overridden, unless given themselves.
 */
export function newEntry(overrides: Partial<NewEntry> = {}): NewEntry {
  const owner = overrides.owner ?? 'ann';
  const endpoint = overrides.endpoint === undefined ? '/orders/:id' : overrides.endpoint;
  const { requestBody = null, responseBody = null } = overrides;
  return {
    id: newId(),
    parentId: null,
    type: 'both',
    method: 'GET',
    endpoint,
    endpointKey: endpoint === null ? null : normalizeEndpoint(endpoint),
    path: '/orders/7',
    query: null,
    status: 200,
    outcome: 'completed',
    errorName: null,
    errorMessage: null,
    createdAt: Date.UTC(2026, 0, 1),
    durationMs: 12.5,
    owner,
    clientAddress: null,
    traceId: null,
    metadata: {},
    redacted: [],
    warnings: [],
    expiresAt: null,
    requestHeaders: [['host', 'api.test']],
    requestContentType: null,
    requestOriginalBytes: requestBody?.length ?? null,
    requestStoredBytes: requestBody?.length ?? 0,
    requestUnpackedBytes: requestBody?.length ?? 0,
    requestCodec: 'identity',
    requestState: requestBody === null ? 'empty' : 'captured',
    requestDetails: {},
    requestBody,
    responseHeaders: [['content-type', 'application/json']],
    responseContentType: 'application/json',
    responseOriginalBytes: responseBody?.length ?? null,
    responseStoredBytes: responseBody?.length ?? 0,
    responseUnpackedBytes: responseBody?.length ?? 0,
    responseCodec: 'identity',
    responseState: responseBody === null ? 'empty' : 'captured',
    responseDetails: {},
    responseBody,
    closedBy: 'end',
    offeredBytes: responseBody?.length ?? 0,
    sentBytes: responseBody?.length ?? 0,
    firstByteMs: 12.25,
    chunks: responseBody === null ? 0 : 1,
    longestGapMs: null,
    session: { key: `owner:${owner}`, group: undefined, timeoutMs: 30 * 60_000 },
    ...overrides,
  };
}
