import { z } from 'zod';
import { examples, type RouteExamples } from './open-api-examples';
import {
  deleteSchema,
  entryIdSchema,
  entryQuerySchema,
  gapListSchema,
  sessionListSchema,
  sessionQuerySchema,
} from './request-schemas';
import {
  deleteReportSchema,
  entryDetailSchema,
  entryItemSchema,
  errorSchema,
  gapItemSchema,
  healthSchema,
  listOf,
  sessionItemSchema,
  sessionWithEntriesSchema,
  statsSchema,
  warningSchema,
} from './response-schemas';

export type JsonObject = { readonly [key: string]: unknown };

let cached: JsonObject | undefined;

/**
 * The OpenAPI 3.1 document of the routes, made from the schemas that check them.
 *
 * @param basePath where the router is mounted; `''` for the root
 */
export function openApiDocument(basePath = ''): JsonObject {
  cached ??= createDocument();
  return { ...cached, servers: [{ url: basePath === '' ? '/' : basePath }] };
}

const ERRORS: Readonly<Record<string, string>> = {
  400: 'VALIDATION_FAILED or CURSOR_INVALID: the request is wrong; every wrong field is named.',
  401: 'UNAUTHENTICATED: nobody is known to be asking.',
  403: 'FORBIDDEN: an admin’s route or parameter without being one, or a page of another site.',
  404: 'NOT_FOUND: missing, expired or somebody else’s.',
  413: 'PAYLOAD_TOO_LARGE: the body is larger than 100 kB.',
  429: 'RATE_LIMITED: too many requests of one principal.',
  500: 'INTERNAL: a failure inside; details.correlation_id names it in the log.',
  503: 'STORE_UNAVAILABLE or POOL_EXHAUSTED: the database does not answer in time.',
};

function createDocument(): JsonObject {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Recap storage router',
      version: '1',
      description:
        'Reads what a flight recorder kept of an API. A user sees their own entries, an admin everybody’s. ' +
        'How to authenticate is the mounting program’s choice.',
    },
    paths: {
      '/query': {
        post: withBody('queryEntries', 'Entries, newest first', 'EntryQuery', 'EntryList', examples.query),
      },
      '/entries/{id}': {
        get: {
          ...operation(
            'getEntry',
            'One whole entry',
            'EntryDetail',
            examples.entry,
            [400, 401, 404, 429, 500, 503],
          ),
          parameters: parameters(entryIdSchema, 'path', examples.entry),
        },
      },
      '/sessions': {
        get: {
          ...operation(
            'listSessions',
            'Sessions, latest activity first',
            'SessionList',
            examples.sessions,
            [400, 401, 403, 429, 500, 503],
          ),
          parameters: parameters(sessionListSchema, 'query', examples.sessions),
        },
      },
      '/sessions/query': {
        post: withBody(
          'querySessions',
          'Sessions with their newest matching entries',
          'SessionQuery',
          'SessionWithEntriesList',
          examples.sessionQuery,
        ),
      },
      '/delete': {
        post: withBody('deleteEntries', 'Delete entries (admin)', 'Delete', 'DeleteReport', examples.delete),
      },
      '/gaps': {
        get: {
          ...operation(
            'listGaps',
            'Times in which not all was kept, newest first (admin)',
            'GapList',
            examples.gaps,
            [400, 401, 403, 429, 500, 503],
          ),
          parameters: parameters(gapListSchema, 'query', examples.gaps),
        },
      },
      '/stats': {
        get: operation(
          'getStats',
          'Counters and sizes (admin)',
          'Stats',
          examples.stats,
          [400, 401, 403, 429, 500, 503],
        ),
      },
      '/health': { get: healthOperation() },
      '/openapi.json': {
        get: {
          operationId: 'getOpenApi',
          summary: 'This document',
          responses: {
            200: { description: 'OpenAPI 3.1', content: json({ schema: { type: 'object' } }) },
            ...errorResponses([400]),
          },
        },
      },
    },
    components: {
      schemas: {
        EntryQuery: request(entryQuerySchema),
        SessionQuery: request(sessionQuerySchema),
        Delete: request(deleteSchema),
        EntryList: response(listOf(entryItemSchema)),
        EntryDetail: response(entryDetailSchema),
        SessionList: response(listOf(sessionItemSchema)),
        SessionWithEntriesList: response(listOf(sessionWithEntriesSchema)),
        GapList: response(listOf(gapItemSchema)),
        DeleteReport: response(deleteReportSchema),
        Stats: response(statsSchema),
        Health: response(healthSchema),
        Warning: response(warningSchema),
        Error: response(errorSchema),
      },
    },
  };
}

function withBody(
  operationId: string,
  summary: string,
  requestName: string,
  responseName: string,
  routeExamples: RouteExamples,
): JsonObject {
  const { bodies } = routeExamples;
  return {
    ...operation(operationId, summary, responseName, routeExamples, [400, 401, 403, 413, 429, 500, 503]),
    requestBody: {
      required: requestName === 'Delete',
      content: json({ schema: schemaRef(requestName), examples: bodies }),
    },
  };
}

function operation(
  operationId: string,
  summary: string,
  responseName: string,
  { answer }: RouteExamples,
  errors: readonly number[],
): JsonObject {
  return {
    operationId,
    summary,
    responses: {
      200: {
        description: summary,
        content: json({
          schema: successEnvelope(responseName),
          example: { success: true, data: answer, warnings: [] },
        }),
      },
      ...errorResponses(errors),
    },
  };
}

function healthOperation(): JsonObject {
  const down = object({ success: { const: false }, data: schemaRef('Health'), error: schemaRef('Error') });
  const { responses, ...rest } = operation('getHealth', 'Whether it works', 'Health', examples.health, [400]);
  return {
    ...rest,
    responses: {
      ...(responses as JsonObject),
      503: { description: 'It is down.', content: json({ schema: down }) },
    },
  };
}

function parameters(
  schema: z.ZodObject,
  place: 'path' | 'query',
  { parameters: values = {} }: RouteExamples,
): JsonObject[] {
  const { properties = {} } = request(schema) as { properties?: Record<string, JsonObject> };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path',
    ...(description !== undefined && { description }),
    schema: property,
    ...(Object.hasOwn(values, name) && { example: values[name] }),
  }));
}

function errorResponses(statuses: readonly number[]): JsonObject {
  const schema = object({ success: { const: false }, error: schemaRef('Error') });
  return Object.fromEntries(
    statuses.map((status) => [status, { description: ERRORS[status], content: json({ schema }) }]),
  );
}

function successEnvelope(name: string): JsonObject {
  return object({
    success: { const: true },
    data: schemaRef(name),
    warnings: { type: 'array', items: schemaRef('Warning') },
  });
}

function object(properties: JsonObject): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

function json(media: JsonObject): JsonObject {
  return { 'application/json': media };
}

function schemaRef(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

const request = (schema: z.ZodType): JsonObject => toJsonSchema(schema, 'input');
const response = (schema: z.ZodType): JsonObject => toJsonSchema(schema, 'output');

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return rest;
}
