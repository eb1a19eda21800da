import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { openApiDocument } from '../../src/router/open-api';
import { routes } from '../../src/router/routes';
import {
  ADMIN,
  ANN,
  json,
  newTestRecorder,
  openRouter,
  record,
  type TestBody,
  type TestRecorder,
} from './router-rig';

interface Media {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
type Content = { 'application/json': Media };
interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; example?: unknown; schema: object }[];
  requestBody?: { content: Content };
  responses: Record<string, { content: Content }>;
}
interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const document = openApiDocument('/storage') as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
addFormats(ajv);
ajv.addVocabulary(['openapi', 'info', 'servers', 'paths', 'components']);
ajv.addSchema(document, 'document');

function problems(schema: object, value: unknown): unknown {
  const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
  const validate = ajv.compile(JSON.parse(text) as object);
  validate(value);
  return validate.errors ?? [];
}

function responseSchema(operation: Operation, status: number): object {
  const response = operation.responses[status];
  if (response === undefined) throw new Error(`${operation.operationId} does not document ${status}`);
  return response.content['application/json'].schema;
}

const ENTRY_ID = '0199f0c2-7a10-7000-8000-000000000001';

async function newRecorderWithExamples(): Promise<TestRecorder> {
  const recorder = await newTestRecorder();
  recorder.clock.advance(Date.UTC(2026, 10, 20, 12, 30) - recorder.clock.now());
  const createdAt = Date.UTC(2026, 10, 20, 12);
  const shared = { endpoint: '/api/v1/ai/generate', path: '/api/v1/ai/generate', method: 'POST', createdAt };
  const metadata = { model: 'gpt-4', usage: { tokens: 120 } };
  const expiresAt = createdAt + 30 * 86_400_000;
  const proposedId = '0199f0c2-7a10-7000-8000-0000000000aa';
  const session = { key: 'owner:ann', group: undefined, timeoutMs: 1_800_000, proposedId };
  await record(recorder, [
    { ...shared, id: ENTRY_ID, metadata, expiresAt, session, responseBody: json({ text: 'Hello, Ann.' }) },
    { ...shared, status: 503, outcome: 'failed', errorName: 'Error', session, responseState: 'truncated' },
    { ...shared, endpoint: null, path: null, status: null, outcome: 'aborted', owner: 'bob' },
  ]);
  const gap = { startedAt: createdAt, endedAt: createdAt, exchanges: 2, reasons: { lag: 2 }, expiresAt };
  await recorder.store.saveGaps([{ ...gap, id: 'gap', missing: 'bodies' }]);
  return recorder;
}

describe('the OpenAPI document', () => {
  it('is served to all, with the place where the router is mounted', async () => {
    const recorder = await newTestRecorder();
    const { status, body } = await openRouter(recorder).get(undefined, '/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
    expect(document.openapi).toBe('3.1.0');
    expect(document.servers).toEqual([{ url: '/storage' }]);
  });

  it('describes every route, and no other', () => {
    const described = operations.map(
      ({ path, method }) => `${method.toUpperCase()} ${path.replace('{id}', '*')}`,
    );
    const served = [...routes].map(([path, { method }]) => `${method} ${path}`);
    expect(described.sort()).toEqual(served.sort());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  });

  it.each(Object.keys(document.components.schemas))(
    'holds a valid schema %s without ties to the outside',
    (name) => {
      const schema = document.components.schemas[name] ?? {};
      expect(() => ajv.compile(schema)).not.toThrow();
      expect(JSON.stringify(schema)).not.toMatch(/"\$(schema|id|ref|defs)"/);
    },
  );

  it('says of every request schema that unknown fields are an error', () => {
    for (const name of ['EntryQuery', 'SessionQuery', 'Delete']) {
      expect(document.components.schemas[name]).toMatchObject({ additionalProperties: false });
    }
  });

  it.each(operations.map((each) => [each.operation.operationId, each] as const))(
    'has examples of %s that keep its own schemas',
    (_, { operation }) => {
      const request = operation.requestBody?.content['application/json'];
      for (const { value } of Object.values(request?.examples ?? {})) {
        expect(problems(request?.schema ?? {}, value)).toEqual([]);
      }
      if (request !== undefined) expect(Object.keys(request.examples ?? {})).not.toHaveLength(0);
      for (const parameter of operation.parameters ?? []) {
        if (parameter.example !== undefined)
          expect(problems(parameter.schema, parameter.example)).toEqual([]);
      }
      const { schema, example } = operation.responses['200']?.content['application/json'] ?? { schema: {} };
      if (operation.operationId !== 'getOpenApi') expect(problems(schema, example)).toEqual([]);
    },
  );

  it.each(operations.map((each) => [each.operation.operationId, each] as const))(
    'has examples of %s that a running router answers as described',
    async (_, { path, method, operation }) => {
      const parameters = (operation.parameters ?? []).filter(({ example }) => example !== undefined);
      const id = parameters.find(({ in: place }) => place === 'path')?.example;
      const query = parameters
        .filter(({ in: place }) => place === 'query')
        .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`)
        .join('&');
      const url = `${path.replace('{id}', String(id))}${query === '' ? '' : `?${query}`}`;
      const examples = operation.requestBody?.content['application/json'].examples;
      const bodies = examples === undefined ? [undefined] : Object.values(examples).map(({ value }) => value);
      for (const body of bodies) {
        const { send } = openRouter(await newRecorderWithExamples());
        const answer = await send(ADMIN, method.toUpperCase(), url, body);
        expect(answer.status).toBe(200);
        expect(problems(responseSchema(operation, 200), answer.body)).toEqual([]);
        const { items } = (answer.body as Partial<TestBody>).data ?? {};
        if (items !== undefined) expect(items).not.toHaveLength(0);
      }
    },
  );

  it.each([
    ['queryEntries', 'POST', '/query', { nope: 1 }, 400],
    ['queryEntries', 'POST', '/query', { owner_id: 'bob' }, 403],
    ['getEntry', 'GET', '/entries/nope', undefined, 404],
    ['deleteEntries', 'POST', '/delete', {}, 403],
    ['getStats', 'GET', '/stats', undefined, 403],
    ['getHealth', 'GET', '/health?x=1', undefined, 400],
    ['getOpenApi', 'GET', '/openapi.json?x=1', undefined, 400],
  ] as const)(
    'describes what %s answers to %s %s with %j',
    async (operationId, method, url, body, status) => {
      const { send } = openRouter(await newRecorderWithExamples());
      const answer = await send(ANN, method, url, body);
      expect(answer.status).toBe(status);
      const found = operations.find(({ operation }) => operation.operationId === operationId);
      if (found === undefined) throw new Error(operationId);
      expect(problems(responseSchema(found.operation, status), answer.body)).toEqual([]);
    },
  );

  it('describes failures of the store and of the router', async () => {
    const recorder = await newRecorderWithExamples();
    const { send } = openRouter(recorder, { rateLimitPerMinute: 2 });
    recorder.store.find = () => Promise.reject(new Error('broken'));
    const query = operations.find(({ path }) => path === '/query')?.operation as Operation;
    const health = operations.find(({ path }) => path === '/health')?.operation as Operation;
    const check = async (expected: number, operation: Operation, ...request: [string, string, unknown?]) => {
      const answer = await send(expected === 401 ? undefined : ANN, ...request);
      expect(answer.status).toBe(expected);
      expect(problems(responseSchema(operation, expected), answer.body)).toEqual([]);
    };
    await check(401, query, 'POST', '/query', {});
    await check(500, query, 'POST', '/query', {});
    recorder.isOpen = false;
    await check(503, query, 'POST', '/query', {});
    await check(429, query, 'POST', '/query', {});
    await check(503, health, 'GET', '/health');
  });
});
