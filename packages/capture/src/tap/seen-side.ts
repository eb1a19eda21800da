import type { CapturedBody, ExchangeSide, HeaderList } from '../exchange';

/** Header fields as Node holds them: the head of an HTTP/1 answer as it was rendered, or names and values in turn. */
export type RawHeaders = string | readonly string[];

/**
 * One side of an exchange as the tap saw it. Its header fields are listed when somebody asks for them: with a
 * worker that happens in the worker's thread.
 */
export class SeenSide implements ExchangeSide {
  readonly rawHeaders: RawHeaders;
  readonly body: CapturedBody | undefined;
  #headers: HeaderList | undefined;

  constructor(rawHeaders: RawHeaders, body: CapturedBody | undefined) {
    this.rawHeaders = rawHeaders;
    this.body = body;
  }

  get headers(): HeaderList {
    return (this.#headers ??= listHeaders(this.rawHeaders));
  }
}

export function listHeaders(raw: RawHeaders): HeaderList {
  return typeof raw === 'string' ? listRendered(raw) : listFlat(raw);
}

function listRendered(head: string): HeaderList {
  const fields: [string, string][] = [];
  // The first line is the status line; an empty one ends the head.
  let start = head.indexOf('\n') + 1;
  while (start > 0 && start < head.length) {
    const end = head.indexOf('\r\n', start);
    const stop = end === -1 ? head.length : end;
    const colon = head.indexOf(':', start);
    if (colon > start && colon < stop)
      fields.push([head.slice(start, colon), head.slice(colon + 1, stop).trim()]);
    start = end === -1 ? 0 : end + 2;
  }
  return fields;
}

function listFlat(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    // HTTP/2 sends method and path among the fields; they are kept, and redacted, in their own places.
    if (!name.startsWith(':') || name === ':authority') list.push([name, raw[index + 1] ?? '']);
  }
  return list;
}
