import { connect } from 'node:http2';
import { describeError, describeValue } from './describe-value';
import type { RequestSpec } from './request-spec';
import type { Run } from './run';

/** What an HTTP/2 client got for one request. */
export interface Http2Answer {
  readonly status: number | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  readonly isComplete: boolean;
}

/** Fields that HTTP/2 has no place for. */
const CONNECTION_FIELDS = new Set(['connection', 'host', 'transfer-encoding', 'expect', 'upgrade']);

/** Sends one request over a connection of its own, and notes all that comes back. */
export async function requestOverHttp2(port: number, spec: RequestSpec, run: Run): Promise<Http2Answer> {
  const { method = 'GET', path = '/', headers = [], body } = spec;
  const session = connect(`http://127.0.0.1:${String(port)}`);
  session.on('error', (error) => run.clientLog.push(`session error ${describeError(error)}`));
  // Told also of one that ended with an error, where `close` does not call back.
  const ended = new Promise<void>((resolve) => session.once('close', resolve));
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = fields[key];
    if (!CONNECTION_FIELDS.has(key))
      fields[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  const stream = session.request(
    { ':method': method, ':path': path, ':authority': 'recap.test', ...fields },
    { endStream: body === undefined },
  );
  const chunks: Buffer[] = [];
  let received: readonly (readonly [string, string])[] = [];
  let status: number | undefined;
  const seen = { end: false };
  stream.on('headers', (informational) => run.clientLog.push(`headers ${describeValue(informational)}`));
  stream.on('response', (given) => {
    const list = Object.entries(given).flatMap(([name, value]) =>
      [value].flat().map((each): readonly [string, string] => [name, String(each)]),
    );
    status = Number(given[':status']);
    received = list.filter(([name]) => !name.startsWith(':'));
    run.clientLog.push(
      `response ${JSON.stringify(list.map(([name, value]) => [name, withoutDate(name, value)]))}`,
    );
  });
  stream.on('trailers', (trailers) => run.clientLog.push(`trailers ${describeValue(trailers)}`));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    seen.end = true;
  });
  stream.on('error', (error) => run.clientLog.push(`stream error ${describeError(error)}`));
  const closed = new Promise((resolve) => stream.on('close', resolve));
  if (body !== undefined) stream.end(body);
  await closed;
  run.clientLog.push(`body ${describeValue(Buffer.concat(chunks))}, reset ${String(stream.rstCode)}`);
  session.close();
  await ended;
  const isComplete = seen.end && stream.rstCode === 0;
  return { status, headers: received, body: Buffer.concat(chunks), isComplete };
}

function withoutDate(name: string, value: string): string {
  return name === 'date' ? '*' : value;
}
