import { encodeCursor } from '../query/cursor';
import type { EntryDetail } from '../query/entry-detail';
import type { EntryItem } from '../query/entry-item';
import type { GapItem } from '../query/gap-item';
import type { SessionItem, SessionWithEntries } from '../query/session-item';

/** Requests and answers that the OpenAPI document shows. A test sends each request to a running router. */

const ENTRY_ID = '0199f0c2-7a10-7000-8000-000000000001';
const SESSION_ID = '0199f0c2-7a10-7000-8000-0000000000aa';

const entry: EntryItem = {
  id: ENTRY_ID,
  type: 'response',
  endpoint: '/api/v1/ai/generate',
  method: 'POST',
  path: '/api/v1/ai/generate',
  status: 200,
  outcome: 'completed',
  created_at: '2026-11-20T12:00:00.000Z',
  duration_ms: 412.7,
  ttl: '2026-12-20T12:00:00.000Z',
  owner: 'ann',
  storage_info: { model: 'gpt-4', usage: { tokens: 120 }, session_id: SESSION_ID },
  data: { text: 'Hello, Ann.' },
  data_state: null,
  original_bytes: 22,
};

const session: SessionItem = {
  session_id: SESSION_ID,
  owner: 'ann',
  group: null,
  created_at: '2026-11-20T12:00:00.000Z',
  last_activity: '2026-11-20T12:21:07.412Z',
  ended: false,
  timeout_minutes: 30,
  endpoints: ['/api/v1/ai/generate'],
  total_entries: 7,
  error_entries: 1,
  matching_entries: 3,
};

const sessionWithEntries: SessionWithEntries = {
  ...session,
  entries: [{ ...entry, data: null, data_state: null, original_bytes: 22 }],
  has_more_entries: true,
};

const detail: EntryDetail = {
  ...entry,
  type: 'both',
  data: { request: { prompt: 'Greet me.' }, response: { text: 'Hello, Ann.' } },
  data_state: { request: null, response: null },
  original_bytes: { request: 22, response: 22 },
  parent_id: null,
  delivery: {
    closed_by: 'end',
    offered_bytes: 22,
    sent_bytes: 22,
    first_byte_ms: 411.9,
    chunks: 1,
    longest_gap_ms: null,
  },
  request: {
    headers: [
      ['content-type', 'application/json'],
      ['authorization', '[redacted]'],
    ],
    content_type: 'application/json',
    original_bytes: 22,
    stored_bytes: 22,
    compression: null,
    body_source: 'wire',
    reason: null,
    sha256: null,
    data: { prompt: 'Greet me.' },
    data_state: null,
  },
  response: {
    headers: [['content-type', 'application/json']],
    content_type: 'application/json',
    original_bytes: 22,
    stored_bytes: 22,
    compression: null,
    body_source: 'wire',
    reason: null,
    sha256: null,
    data: { text: 'Hello, Ann.' },
    data_state: null,
  },
  query: null,
  error: null,
  client_address: '203.0.113.7',
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  redacted: ['request.headers.authorization'],
  warnings: [],
};

const gap: GapItem = {
  id: '0199f0c2-7a10-7000-8000-0000000000bb',
  missing: 'bodies',
  started_at: '2026-11-20T12:00:04.000Z',
  ended_at: '2026-11-20T12:00:09.214Z',
  exchanges: 1240,
  reasons: { backlog: 1240 },
  ttl: '2026-12-20T12:00:09.214Z',
};

function list(items: readonly unknown[]): Record<string, unknown> {
  const page = { total: items.length, total_is_capped: false, page: 1, page_size: 20 };
  return { items, ...page, has_more: false, cursor: null };
}

export interface RouteExamples {
  /** Bodies of requests, by the name they have in the document. */
  readonly bodies?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
  /** Values of the parameters of one request. */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /** `data` of an answer. */
  readonly answer: unknown;
}

export const examples = {
  query: {
    bodies: {
      everything: { summary: 'The newest entries', value: {} },
      metadata: {
        summary: 'Answers of one endpoint by metadata',
        value: {
          storage_type: 'response',
          endpoint: '/api/v1/ai/generate',
          start_date: '2026-11-20',
          end_date: '2026-11-20',
          metadata_filters: { model: 'gpt-4', 'usage.tokens': { gte: 100 } },
          page: 1,
          page_size: 20,
        },
      },
      failures: {
        summary: 'What went wrong lately, without bodies',
        value: {
          status: ['5xx', 429],
          outcome: ['completed', 'failed'],
          method: 'post',
          include_data: false,
        },
      },
      next: {
        summary: 'The rest of a list',
        value: {
          path: '/api/v1/*',
          cursor: encodeCursor({ at: Date.UTC(2026, 10, 20, 13), id: ENTRY_ID }),
          include_total: false,
        },
      },
    },
    answer: list([entry]),
  },
  entry: { parameters: { id: ENTRY_ID }, answer: detail },
  sessions: {
    parameters: { endpoint: '/api/v1/ai/generate', start_date: '2026-11-20', page_size: 10 },
    answer: list([session]),
  },
  sessionQuery: {
    bodies: {
      model: {
        summary: 'Sessions in which a model was used, with three entries each',
        value: { metadata_filters: { model: 'gpt-4' }, entries_per_session: 3 },
      },
      one: { summary: 'One session with bodies', value: { session_id: SESSION_ID, include_data: true } },
    },
    answer: list([sessionWithEntries]),
  },
  delete: {
    bodies: {
      dryRun: { summary: 'What would go', value: { storage_ids: [ENTRY_ID], dry_run: true } },
      force: { summary: 'Delete before its time', value: { storage_ids: [ENTRY_ID], force: true } },
    },
    answer: { results: [{ id: ENTRY_ID, outcome: 'deleted' }], deleted: 1 },
  },
  stats: {
    answer: {
      recorder: { captured: 41, stored: 41, queued: 0, shed: {} },
      store: {
        kind: 'sqlite',
        status: 'open',
        database_bytes: 131072,
        entries: 41,
        entries_is_capped: false,
      },
      gaps: { total: 0, total_is_capped: false, exchanges: 0, bodies: 0, headers: 0 },
    },
  },
  gaps: { parameters: { start_date: '2026-11-20', page_size: 10 }, answer: list([gap]) },
  health: { answer: { status: 'ok' } },
} satisfies Readonly<Record<string, RouteExamples>>;
