import { STORE_STATUSES } from './stats';
import { z } from 'zod';
import type { EntryDetail } from '../query/entry-detail';
import type { EntryItem } from '../query/entry-item';
import type { GapItem } from '../query/gap-item';
import type { ListPage } from '../query/list-page';
import type { DeleteReport } from '../query/query-service';
import type { QueryWarning } from '../query/query-warning';
import type { SessionItem, SessionWithEntries } from '../query/session-item';

const instant = z.iso.datetime({ precision: 3 });
const count = z.int().min(0);
const type = z.enum(['request', 'response', 'both']);
const sides = <T extends z.ZodType>(value: T) => z.strictObject({ request: value, response: value });
const headers = z.array(z.tuple([z.string(), z.string()]));
const record = z.record(z.string(), z.unknown());

const dataState = z
  .enum(['truncated', 'dropped', 'corrupt', 'unsupported', 'not_captured'])
  .nullable()
  .meta({ description: 'Why data is not the body as it was; null when it is, or when there was none.' });
const originalBytes = count.nullable().meta({ description: 'Size of the body as it travelled.' });
const data = z.unknown().meta({
  description: 'A JSON value; text as a string; bytes as { "encoding": "base64", "content": "…" }.',
});

export const warningSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  severity: z.enum(['LOW', 'MEDIUM', 'HIGH']),
  details: record,
}) satisfies z.ZodType<QueryWarning>;

const entryFields = {
  id: z.string(),
  type: type.meta({ description: 'The side that was asked for, else what the entry holds.' }),
  endpoint: z
    .string()
    .nullable()
    .meta({ description: 'Route template; null when no route took the request.' }),
  method: z.string().nullable(),
  path: z.string().nullable(),
  status: z.int().nullable(),
  outcome: z.enum(['completed', 'aborted', 'failed', 'timed_out']),
  created_at: instant,
  duration_ms: z.number(),
  ttl: instant.nullable().meta({ description: 'The instant of expiry; null when it is kept for ever.' }),
  owner: z.string(),
  storage_info: z
    .object({ session_id: z.string() })
    .catchall(z.unknown())
    .meta({ description: 'Metadata, and the session.' }),
  data: data.meta({
    description:
      'The body of the side that was asked for, else { "request", "response" }; null when left out.',
  }),
  data_state: z.union([dataState, sides(dataState)]),
  original_bytes: z.union([originalBytes, sides(originalBytes)]),
};

export const entryItemSchema = z.strictObject(entryFields) satisfies z.ZodType<EntryItem>;

const sideDetail = z.strictObject({
  headers: headers.meta({ description: 'In the order they were sent.' }),
  content_type: z.string().nullable(),
  original_bytes: originalBytes,
  stored_bytes: count,
  compression: z.enum(['deflate', 'br', 'zstd']).nullable(),
  body_source: z.enum(['wire', 'parsed']).nullable().meta({
    description: '"parsed" when the body is the value that a parser or a method held.',
  }),
  reason: z.string().nullable().meta({ description: 'Why there is no body.' }),
  sha256: z.string().nullable().meta({ description: 'Of a body that is not kept, in hex.' }),
  data,
  data_state: dataState,
});

const delivery = z
  .strictObject({
    closed_by: z.enum(['end', 'connection', 'cap']).meta({
      description: '"cap" for a stream that went on beyond what is kept of it; all else is as it was then.',
    }),
    offered_bytes: count.nullable().meta({ description: 'Bytes of body that the program handed over.' }),
    sent_bytes: count.nullable().meta({
      description: 'Bytes of body that went to the network; null when that cannot be told.',
    }),
    first_byte_ms: z.number().nullable().meta({ description: 'Until the first byte of the answer.' }),
    chunks: count.nullable().meta({ description: 'Pieces of body that the program handed over.' }),
    longest_gap_ms: z.number().nullable().meta({ description: 'Longest time between two of them.' }),
  })
  .nullable()
  .meta({ description: 'How the answer went out; null for a call of a method.' });

export const entryDetailSchema = z.strictObject({
  ...entryFields,
  parent_id: z.string().nullable().meta({ description: 'Entry within which a decorated method was called.' }),
  request: sideDetail,
  response: sideDetail,
  delivery,
  query: z.string().nullable(),
  error: z.strictObject({ name: z.string().nullable(), message: z.string().nullable() }).nullable(),
  client_address: z.string().nullable(),
  trace_id: z.string().nullable(),
  redacted: z.array(z.string()).meta({ description: 'Paths at which something was hidden.' }),
  warnings: z.array(warningSchema).meta({ description: 'What arose while recording.' }),
}) satisfies z.ZodType<EntryDetail>;

const sessionFields = {
  session_id: z.string(),
  owner: z.string(),
  group: z.string().nullable(),
  created_at: instant,
  last_activity: instant,
  ended: z.boolean(),
  timeout_minutes: z.number(),
  endpoints: z.array(z.string()),
  total_entries: count,
  error_entries: count,
  matching_entries: count,
};

export const sessionItemSchema = z.strictObject(sessionFields) satisfies z.ZodType<SessionItem>;

export const sessionWithEntriesSchema = z.strictObject({
  ...sessionFields,
  entries: z.array(entryItemSchema),
  has_more_entries: z.boolean(),
}) satisfies z.ZodType<SessionWithEntries>;

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    total: count.nullable().meta({ description: 'Counted to 10,000; null when it was not asked for.' }),
    total_is_capped: z.boolean().nullable(),
    page: z.int().nullable().meta({ description: 'Null after a cursor.' }),
    page_size: z.int(),
    has_more: z.boolean(),
    cursor: z.string().nullable().meta({ description: 'Continues after the last item; null at the end.' }),
  }) satisfies z.ZodType<ListPage<z.output<Item>>>;

export const deleteReportSchema = z.strictObject({
  results: z.array(
    z.strictObject({ id: z.string(), outcome: z.enum(['deleted', 'not_found', 'protected']) }),
  ),
  deleted: count,
}) satisfies z.ZodType<DeleteReport>;

export const gapItemSchema = z.strictObject({
  id: z.string(),
  missing: z.enum(['exchanges', 'bodies', 'headers']).meta({
    description: 'Whole exchanges, or of their entries the bodies or the headers.',
  }),
  started_at: instant.meta({ description: 'The exchanges ended between this and ended_at.' }),
  ended_at: instant,
  exchanges: count.meta({ description: 'How many exchanges something is missing of.' }),
  reasons: z.record(z.string(), count).meta({ description: 'How many of them for which reason.' }),
  ttl: instant.nullable().meta({ description: 'The instant of expiry; null when it is kept for ever.' }),
}) satisfies z.ZodType<GapItem>;

export const healthSchema = z.strictObject({ status: z.enum(['ok', 'degraded', 'down']) });

export const statsSchema = z.strictObject({
  recorder: record,
  store: z.strictObject({
    kind: z.string(),
    status: z.enum(STORE_STATUSES).meta({
      description: 'The rest, and gaps, are null unless it is open.',
    }),
    database_bytes: z.number().nullable(),
    entries: count.nullable(),
    entries_is_capped: z.boolean().nullable(),
  }),
  gaps: z
    .strictObject({
      total: count,
      total_is_capped: z.boolean(),
      exchanges: count,
      bodies: count,
      headers: count,
    })
    .nullable()
    .meta({ description: 'Sums over the gaps in the database; of the newest 10,000 when there are more.' }),
});

export const errorSchema = z.strictObject({ code: z.string(), message: z.string(), details: record });
