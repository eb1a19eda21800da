import { z } from 'zod';
import { parseInstant } from './instants';
import { parseMetadataFilters } from './metadata-filters';

const MAX_TEXT = 2048;
const MAX_LIST = 50;

const text = (description: string) => z.string().min(1).max(MAX_TEXT).meta({ description });

const instant = (role: 'start' | 'end', description: string) =>
  z
    .string()
    .max(MAX_TEXT)
    .refine((value) => parseInstant(value, role) !== undefined, {
      error: 'is no ISO 8601 date or instant, such as 2026-11-20 or 2026-11-20T12:00:00Z',
    })
    .meta({ description });

/** One value or a list of them, with one message for whatever is wrong. */
const oneOrMore = <T extends z.ZodType>(value: T, description: string, error: string) =>
  z.union([value, z.array(value).max(MAX_LIST)], { error: () => error }).meta({ description });

const methodName = z.string().regex(/^[A-Za-z][A-Za-z-]{0,31}$/);
const statusValue = z.union([z.int().min(100).max(999), z.string().regex(/^[1-5][xX][xX]$/)]);
const outcomeValue = z.enum(['completed', 'aborted', 'failed', 'timed_out']);
const storageType = z
  .enum(['request', 'response', 'both'])
  .meta({ description: 'Entries that hold a request, a response, or both.' });
const status = oneOrMore(
  statusValue,
  'A status, a class such as "5xx", or a list of these.',
  'must be a status from 100 to 999, a class such as "5xx", or a list of at most 50 of these',
);
const metadataFilters = z
  .unknown()
  .superRefine((value, context) => {
    if (value === undefined) return;
    parseMetadataFilters(value, (path, message) =>
      context.addIssue({ code: 'custom', message, path: [...path] }),
    );
  })
  .optional()
  .meta({
    description:
      'Metadata keys, joined by dots, each with the scalar it must equal or with operators. At most 16. ' +
      'Types are told apart, and a missing key is not null.',
    type: 'object',
    maxProperties: 16,
    additionalProperties: {
      anyOf: [
        { type: ['string', 'number', 'boolean', 'null'] },
        {
          type: 'object',
          minProperties: 1,
          additionalProperties: false,
          properties: {
            eq: { type: ['string', 'number', 'boolean', 'null'] },
            ne: { type: ['string', 'number', 'boolean', 'null'] },
            gt: { type: ['string', 'number'] },
            gte: { type: ['string', 'number'] },
            lt: { type: ['string', 'number'] },
            lte: { type: ['string', 'number'] },
            in: { type: 'array', maxItems: 100, items: { type: ['string', 'number', 'boolean', 'null'] } },
            exists: { type: 'boolean' },
            contains: { type: ['string', 'number', 'boolean', 'null'] },
          },
        },
      ],
    },
  });

const paging = {
  page: z.int().min(1).optional().meta({ description: 'From 1. At most 10,000 rows can be passed over.' }),
  page_size: z.int().min(1).max(100).optional().meta({ description: '1 to 100; default 20.', default: 20 }),
  cursor: text('Continues where a list ended; wins over page.').optional(),
  include_total: z.boolean().optional().meta({ description: 'False leaves the total out.', default: true }),
};

const sessionFilters = {
  endpoint: text('Route template; normalised before it is compared.').optional(),
  start_date: instant('start', 'Inclusive.').optional(),
  end_date: instant('end', 'Exclusive; a bare date means the end of that day.').optional(),
  session_id: text('Id of a session.').optional(),
  owner_id: text('Owner to look at; another’s only for an admin.').optional(),
};

export const entryQuerySchema = z.strictObject({
  storage_type: storageType.optional(),
  ...sessionFilters,
  path: text('Concrete path, or a prefix that ends in /*.').optional(),
  unmatched: z.boolean().optional().meta({ description: 'True: only requests that no route took.' }),
  method: oneOrMore(
    methodName,
    'Method or methods, in any case.',
    'must be a method or a list of at most 50 methods',
  ).optional(),
  status: status.optional(),
  outcome: oneOrMore(
    outcomeValue,
    'How the exchange ended.',
    'must be completed, aborted, failed, or a list of these',
  ).optional(),
  min_duration_ms: z.number().min(0).optional(),
  max_duration_ms: z.number().min(0).optional(),
  trace_id: text('Trace id of the traceparent header.').optional(),
  metadata_filters: metadataFilters,
  ...paging,
  include_data: z.boolean().optional().meta({ description: 'False leaves bodies out.', default: true }),
});

export const sessionListSchema = z.strictObject({ ...sessionFilters, ...paging });

export const gapListSchema = z.strictObject({
  start_date: instant('start', 'Inclusive: gaps that reach into the time from here on.').optional(),
  end_date: instant('end', 'Exclusive; a bare date means the end of that day.').optional(),
  ...paging,
});

/** Bodies that one answer with sessions may hold, each of up to the recorder's cap. */
const MAX_BODIES = 400;

export const sessionQuerySchema = z
  .strictObject({
    ...sessionFilters,
    storage_type: storageType.optional(),
    status: status.optional(),
    metadata_filters: metadataFilters,
    ...paging,
    entries_per_session: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .meta({ description: '0 to 100; default 20.', default: 20 }),
    include_data: z
      .boolean()
      .optional()
      .meta({
        description: `True shows bodies; page_size times entries_per_session is then at most ${MAX_BODIES}.`,
        default: false,
      }),
  })
  .refine(
    ({ include_data, page_size = 20, entries_per_session = 20 }) =>
      include_data !== true || page_size * entries_per_session <= MAX_BODIES,
    {
      path: ['include_data'],
      error: `needs page_size times entries_per_session to be at most ${MAX_BODIES}`,
    },
  );

export const deleteSchema = z.strictObject({
  storage_ids: z
    .array(z.string().min(1).max(MAX_TEXT))
    .min(1)
    .max(1000)
    .meta({ description: 'Ids of entries.' }),
  force: z
    .boolean()
    .optional()
    .meta({ description: 'True deletes what has not expired, too.', default: false }),
  dry_run: z.boolean().optional().meta({ description: 'True deletes nothing.', default: false }),
});

export const entryIdSchema = z.strictObject({ id: text('Id of an entry.') });

export const noParametersSchema = z.strictObject({});

export type EntryQueryInput = z.infer<typeof entryQuerySchema>;
export type GapListInput = z.infer<typeof gapListSchema>;
export type SessionListInput = z.infer<typeof sessionListSchema>;
export type SessionQueryInput = z.infer<typeof sessionQuerySchema>;
