import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { faultPoint } from '../fault-point';
import type { Exchange, RecordedWarning, SessionClaim } from '../exchange';
import { toPlain } from '../redaction';
import type { TappedExchange } from '../tap/http-tap';
import { anonymousScope } from './capture-settings';
import type { OpenExchange } from './open-exchange';
import { sentUrl, splitUrl } from './sent-url';

export const ANONYMOUS = 'anonymous';
export const SESSION_HEADER = 'x-recap-session';

/** Longer ones do not fit into an index of every database. */
const MAX_OWNER_LENGTH = 512;
const MAX_RAW_KEY_LENGTH = 128;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

type NoteFailure = (error: unknown, where: string) => void;

/** Puts together what was seen and what the program's functions say, once the exchange is over. */
export function buildExchange(
  open: OpenExchange,
  tapped: TappedExchange,
  request: IncomingMessage,
  noteFailure: NoteFailure,
): Exchange {
  faultPoint('build');
  const { entry } = open;
  const owner = ownerOf(open, noteFailure);
  const { metadata, warnings } = metadataOf(open, noteFailure);
  const { path, query } = splitUrl(sentUrl(open.context, request));
  const traceId = traceIdOf(open.tap.headers);
  return {
    status: tapped.status,
    outcome: tapped.outcome,
    error: tapped.error,
    startedAt: tapped.startedAt,
    durationMs: tapped.durationMs,
    request: tapped.request,
    response: tapped.response,
    delivery: tapped.delivery,
    id: open.id,
    parentId: undefined,
    storageType: entry.storageType,
    method: request.method?.toUpperCase(),
    endpoint: open.endpoint,
    path,
    query,
    pathParameters: open.pathParameters,
    owner: owner ?? ANONYMOUS,
    clientAddress: open.clientAddress,
    traceId,
    metadata,
    session: sessionClaim(open, owner, noteFailure),
    expiresAt: entry.lifetimeMs === undefined ? undefined : tapped.startedAt + entry.lifetimeMs,
    compress: entry.compress,
    warnings,
  };
}

/** The owner, or `undefined` for an anonymous client. */
export function ownerOf(open: OpenExchange, noteFailure: NoteFailure): string | undefined {
  const { owner } = open.settings;
  const said = attempt(
    () => (owner === undefined ? open.seen.defaultOwner() : owner(open.context)),
    'owner',
    noteFailure,
  );
  if (typeof said !== 'string' && typeof said !== 'number' && typeof said !== 'bigint') return undefined;
  const name = String(said);
  if (name === '') return undefined;
  if (name.length <= MAX_OWNER_LENGTH) return name;
  noteFailure(new RangeError(`An owner of ${name.length} characters; at most ${MAX_OWNER_LENGTH}.`), 'owner');
  return undefined;
}

export function sessionClaim(
  open: OpenExchange,
  owner: string | undefined,
  noteFailure: NoteFailure,
): SessionClaim {
  const { settings } = open;
  const { headers } = open.tap;
  const said = attempt(() => settings.sessionGroup?.(open.context), 'sessionGroup', noteFailure);
  const group = typeof said === 'string' ? said : undefined;
  const scope = owner === undefined ? anonymousScope(open.clientAddress, headers['user-agent']) : null;
  const requested = settings.sessionHeader ? headers[SESSION_HEADER] : undefined;
  // Anonymous clients own nothing that they could continue: whoever knows the id could.
  const requestedId =
    owner !== undefined && typeof requested === 'string' ? requested.toLowerCase() : undefined;
  return {
    key: sessionKey(owner ?? ANONYMOUS, group, scope),
    group,
    timeoutMs: open.entry.sessionTimeoutMs,
    ...(requestedId !== undefined && { requestedId: UUID.test(requestedId) ? requestedId : 'malformed' }),
    ...(open.announcedSessionId !== undefined && { proposedId: open.announcedSessionId }),
  };
}

/** JSON keeps the parts apart whatever characters they hold. */
function sessionKey(owner: string, group: string | undefined, scope: string | null): string {
  const key = `[${quoted(owner)},${group === undefined ? 'null' : quoted(group)},${scope === null ? 'null' : quoted(scope)}]`;
  return key.length <= MAX_RAW_KEY_LENGTH ? key : `#${createHash('sha256').update(key).digest('base64url')}`;
}

/** As JSON has it, for most texts without the call. */
function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** A quote, a backslash, what is below the space, and halves of characters. */
const NEEDS_ESCAPE = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

type Values = Readonly<Record<string, unknown>>;

interface Metadata {
  readonly metadata: Values;
  readonly warnings: readonly RecordedWarning[];
}

const NO_METADATA: Metadata = { metadata: Object.freeze({}), warnings: Object.freeze([]) };

/** What all sources say, of which later ones win. */
function metadataOf(open: OpenExchange, noteFailure: NoteFailure): Metadata {
  const { metadata } = open.settings;
  if (metadata === undefined && open.metadata.length === 0) return NO_METADATA;
  const sources = [...(metadata === undefined ? [] : [metadata]), ...open.metadata];
  const said = sources
    .map((source): unknown =>
      typeof source === 'function' ? attempt(() => source(open.context), 'metadata', noteFailure) : source,
    )
    .filter((values): values is Values => typeof values === 'object' && values !== null);
  return attempt(() => mergeMetadata(said), 'metadata', noteFailure) ?? NO_METADATA;
}

function mergeMetadata(sources: readonly Values[]): Metadata {
  const merged = new Map<string, unknown>();
  const conflicts = new Set<string>();
  for (const values of sources) {
    for (const [key, value] of Object.entries(values)) {
      if (merged.has(key) && !Object.is(merged.get(key), value)) conflicts.add(key);
      merged.set(key, value);
    }
  }
  // A copy: the program may go on to change what it gave.
  const metadata = (toPlain(Object.fromEntries(merged)) ?? {}) as Record<string, unknown>;
  if (conflicts.size === 0) return { metadata, warnings: [] };
  const warning: RecordedWarning = {
    code: 'DUPLICATE_METADATA',
    message: 'Metadata was given twice with different values; the last one is kept.',
    severity: 'LOW',
    details: { keys: [...conflicts] },
  };
  return { metadata, warnings: [warning] };
}

function traceIdOf({ traceparent: header }: IncomingHttpHeaders): string | undefined {
  return typeof header === 'string' ? TRACEPARENT.exec(header)?.[1] : undefined;
}

export function attempt<T>(work: () => T, where: string, noteFailure: NoteFailure): T | undefined {
  try {
    faultPoint(where);
    const value = work();
    if (!(value instanceof Promise)) return value;
    // Its rejection would be the host's unhandled one.
    value.catch((error: unknown) => {
      noteFailure(error, where);
    });
    throw new TypeError(`The function "${where}" returned a promise; it has to be synchronous.`);
  } catch (error) {
    noteFailure(error, where);
    return undefined;
  }
}
