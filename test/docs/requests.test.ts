import type supertest from 'supertest';
import { shapeOf } from './answer-shape';
import { parseCurl } from './curl';
import { blocksOf, markdownFiles, type Block } from './markdown-blocks';
import { recordTraffic, TOKEN, type RecordedTraffic } from './recorded-traffic';

/*
 * ```json request POST /storage/query          the body of a request, sent by an admin
 * ```json request POST /storage/query as ann   the same, sent by a user
 * ```sh request                                curl lines, with $TOKEN
 * ```json answer                               some of what it answers; `answer 400` names the status,
 *                                              `whole answer` says that nothing is left out
 */
const EXACT = new Set(['id', 'session_id', 'created_at', 'ttl', 'cursor']);

interface Example {
  readonly place: string;
  readonly request: Block;
  readonly answer: Block | undefined;
}

function examples(): Example[] {
  return markdownFiles().flatMap((file) => {
    const blocks = blocksOf(file);
    return blocks.flatMap((request, at) => {
      if (!request.info.startsWith('request')) return [];
      const next = blocks[at + 1];
      const answer = next !== undefined && /\banswer\b/.test(next.info) ? next : undefined;
      return [{ place: `${file}:${request.line}`, request, answer }];
    });
  });
}

let traffic: RecordedTraffic;
beforeAll(async () => {
  traffic = await recordTraffic();
});
afterAll(() => traffic.close());

function sendBlock({ info, code }: Block): supertest.Test {
  const [, method = '', path = '', user] = /^request (\w+) (\S+)(?: as (\w+))?$/.exec(info) ?? [];
  const identity = user === undefined ? { authorization: `Bearer ${TOKEN}` } : { 'x-user': user };
  return send(method, path, { ...identity, 'content-type': 'application/json' }, code);
}

function sendCurl(line: string): supertest.Test {
  const { method, url, headers, body } = parseCurl(line, { TOKEN });
  return send(method, url.slice('http://localhost:3000'.length), headers, body);
}

function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): supertest.Test {
  if (method !== 'GET' && method !== 'POST') throw new Error(`Not a documented method: ${method}`);
  const request = method === 'GET' ? traffic.agent.get(path) : traffic.agent.post(path);
  return request.set(headers).send(method === 'GET' ? undefined : body);
}

describe('the requests in the documentation', () => {
  it('are there', () => {
    expect(examples().length).toBeGreaterThan(15);
  });

  it.each(examples().map((example) => [example.place, example] as const))(
    '%s answers as documented',
    async (_place, { request, answer }) => {
      const lines = request.code.replace(/\\\n\s*/g, ' ').trim();
      const sent = request.language === 'sh' ? lines.split('\n').map(sendCurl) : [sendBlock(request)];
      const status = Number(/answer (\d+)/.exec(answer?.info ?? '')?.[1] ?? 200);
      for (const one of sent) {
        const { status: got, body } = await one;
        expect({ status: got, body: got === status ? 'as expected' : body }).toEqual({
          status,
          body: 'as expected',
        });
        if (answer === undefined) continue;
        const wanted = shapeOf(JSON.parse(answer.code), (key) => EXACT.has(key));
        const seen = shapeOf(body, (key) => EXACT.has(key));
        if (answer.info.startsWith('whole')) expect(seen).toEqual(wanted);
        else expect(seen).toMatchObject(wanted as object);
      }
    },
  );
});
