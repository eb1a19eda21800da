import { isTooDeep } from './json-depth';

/** One message of an event stream, or one line of JSON lines. */
export interface BodyMessage {
  /** Type of an event, `message` where it names none; null for a line of JSON. */
  readonly event: string | null;
  /** Id that an event carries; null when it carries none. */
  readonly id: string | null;
  /** The value of a line of JSON; of an event its object or array where it is JSON, else its text. */
  readonly data: unknown;
  /**
   * Null for a whole message. `truncated`: its end is missing, and `data` is what there is of it.
   * `unparsable`: a line that is no JSON, as text.
   */
  readonly data_state: 'truncated' | 'unparsable' | null;
}

/** A body that is made of messages. */
export interface MessageBody {
  /** In their order, at most 10,000. */
  readonly messages: readonly BodyMessage[];
  /** True when there are more than are listed. */
  readonly has_more_messages: boolean;
  readonly encoding: 'utf8' | 'base64';
  /** The whole body as it is kept; in base64 when it is not clean UTF-8. */
  readonly content: string;
}

const MAX_MESSAGES = 10_000;
const RECORD_SEPARATOR = '\x1e';

interface Listed {
  readonly messages: BodyMessage[];
  readonly has_more_messages: boolean;
}

/**
 * The events that a client is given, and one at the end that was not finished.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function listEvents(text: string): Listed {
  const messages: BodyMessage[] = [];
  let event = '';
  let id: string | null = null;
  let data: string | undefined;
  const dispatch = (data_state: BodyMessage['data_state']): void => {
    if (data !== undefined) {
      messages.push({ event: event || 'message', id, data: eventData(data, data_state), data_state });
    }
    event = '';
    id = null;
    data = undefined;
  };
  const lineEnds = /\r\n|\n|\r/g;
  for (let from = text.startsWith('\uFEFF') ? 1 : 0; from < text.length;) {
    const end = lineEnd(lineEnds, text, from);
    if (messages.length === MAX_MESSAGES) return { messages, has_more_messages: true };
    if (end.at === from) dispatch(null);
    else {
      const { name, value } = field(text, from, end.at);
      if (name === 'data') data = data === undefined ? value : `${data}\n${value}`;
      else if (name === 'event') event = value;
      else if (name === 'id' && !value.includes('\0')) id = value;
    }
    from = end.next;
  }
  const has_more_messages = messages.length === MAX_MESSAGES && data !== undefined;
  if (!has_more_messages) dispatch('truncated');
  return { messages, has_more_messages };
}

/** The values of JSON lines, or of a JSON text sequence (RFC 7464). Empty lines are passed over. */
export function listLines(text: string, isTruncated: boolean): Listed {
  const messages: BodyMessage[] = [];
  const separator = text.startsWith(RECORD_SEPARATOR) ? RECORD_SEPARATOR : '\n';
  for (let from = text.startsWith('\uFEFF') ? 1 : 0; from < text.length;) {
    const found = text.indexOf(separator, from);
    const isUnfinished = found === -1 && isTruncated;
    const line = text.slice(from, found === -1 ? text.length : found).trim();
    from = found === -1 ? text.length : found + 1;
    if (line === '') continue;
    if (messages.length === MAX_MESSAGES) return { messages, has_more_messages: true };
    messages.push({ event: null, id: null, ...lineData(line, isUnfinished) });
  }
  return { messages, has_more_messages: false };
}

function lineData(line: string, isUnfinished: boolean): Pick<BodyMessage, 'data' | 'data_state'> {
  const value = parsed(line);
  // Of a number or a word that was cut nothing tells that it was.
  const isWhole = !isUnfinished || /["\]}]$/.test(line);
  if (value !== undefined && isWhole) return { data: value.json, data_state: null };
  return { data: line, data_state: isUnfinished ? 'truncated' : 'unparsable' };
}

function eventData(text: string, state: BodyMessage['data_state']): unknown {
  if (state !== null || !/^\s*[[{]/.test(text)) return text;
  const value = parsed(text);
  return value === undefined ? text : value.json;
}

function parsed(text: string): { readonly json: unknown } | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    // Shown as text, since as a value it could not be written.
    return isTooDeep(json) ? undefined : { json };
  } catch {
    return undefined;
  }
}

function lineEnd(
  pattern: RegExp,
  text: string,
  from: number,
): { readonly at: number; readonly next: number } {
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  if (match === null) return { at: text.length, next: text.length };
  return { at: match.index, next: pattern.lastIndex };
}

/** A comment has an empty name. */
function field(text: string, from: number, to: number): { readonly name: string; readonly value: string } {
  const line = text.slice(from, to);
  const colon = line.indexOf(':');
  if (colon === -1) return { name: line, value: '' };
  const start = line[colon + 1] === ' ' ? colon + 2 : colon + 1;
  return { name: line.slice(0, colon), value: line.slice(start) };
}
