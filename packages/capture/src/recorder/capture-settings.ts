import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import picomatch from 'picomatch';
import proxyaddr from 'proxy-addr';
import type { CaptureOptions, EntryOptions } from './capture-options';
import { RECORDER_DEFAULTS } from './recorder-options';

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 24 * 60 * MS_PER_MINUTE;

/** Capture options with every gap filled, in the units the pipeline uses. */
export interface CaptureSettings extends Pick<
  CaptureOptions,
  'owner' | 'sessionGroup' | 'metadata' | 'skip'
> {
  readonly entry: EntrySettings;
  readonly sample: number;
  readonly sessionHeader: boolean;
  readonly maxBodyBytes: number;
  readonly contentTypes: readonly string[];
  /** Whether exchanges on this concrete path are recorded; `undefined`: on any. */
  readonly wantsPath: ((path: string) => boolean) | undefined;
  readonly clientAddress: (request: IncomingMessage) => string | undefined;
}

export interface EntrySettings {
  readonly storageType: 'request' | 'response' | 'both';
  /** Lifetime; `undefined` for ever. */
  readonly lifetimeMs: number | undefined;
  readonly compress: boolean;
  readonly sessionTimeoutMs: number;
}

/** What `own` does not say comes from `inherited`. */
export function resolveCaptureSettings(inherited: CaptureOptions, own: CaptureOptions = {}): CaptureSettings {
  const options = { ...inherited, ...withoutUndefined(own) };
  const { owner, sessionGroup, metadata, skip } = options;
  return {
    ...(owner && { owner }),
    ...(sessionGroup && { sessionGroup }),
    ...(metadata && { metadata }),
    ...(skip && { skip }),
    entry: resolveEntrySettings(options),
    sample: options.sample ?? 1,
    sessionHeader: options.sessionHeader ?? false,
    maxBodyBytes: options.maxBodyBytes ?? RECORDER_DEFAULTS.maxBodyBytes,
    contentTypes: options.contentTypes ?? [],
    wantsPath: pathMatcher(options.include, options.exclude),
    clientAddress: addressReader(options.trustedProxies),
  };
}

/** What `own` does not say stays as it was. */
export function resolveEntrySettings(own: EntryOptions, inherited?: EntrySettings): EntrySettings {
  const { ttlDays, sessionTimeoutMinutes } = own;
  const defaultLifetimeMs =
    inherited === undefined ? RECORDER_DEFAULTS.ttlDays * MS_PER_DAY : inherited.lifetimeMs;
  return {
    storageType: own.storageType ?? inherited?.storageType ?? 'both',
    lifetimeMs:
      ttlDays === undefined ? defaultLifetimeMs : ttlDays === 'forever' ? undefined : ttlDays * MS_PER_DAY,
    compress: own.compress ?? inherited?.compress ?? true,
    sessionTimeoutMs:
      sessionTimeoutMinutes === undefined
        ? (inherited?.sessionTimeoutMs ?? RECORDER_DEFAULTS.sessionTimeoutMinutes * MS_PER_MINUTE)
        : sessionTimeoutMinutes * MS_PER_MINUTE,
  };
}

/** Tells anonymous clients apart, so that two of them do not share a session. */
export function anonymousScope(clientAddress: string | undefined, userAgent = ''): string {
  let agent = agentDigests.get(userAgent);
  if (agent === undefined) {
    agent = createHash('sha256').update(userAgent).digest('base64url').slice(0, 16);
    agentDigests.set(userAgent, agent);
  }
  return `${clientAddress ?? ''} ${agent}`;
}

/** The same few agents ask again and again, and a digest costs more than the rest of the claim. */
const agentDigests = new LRUCache<string, string>({ max: 1_000 });

function pathMatcher(
  include: CaptureOptions['include'],
  exclude: CaptureOptions['exclude'],
): ((path: string) => boolean) | undefined {
  if (include === undefined && exclude === undefined) return undefined;
  const included = include?.map(toMatcher);
  const excluded = exclude?.map(toMatcher) ?? [];
  return (path) => {
    const spellings = spellingsOf(path);
    const isIn = (matchers: readonly ((path: string) => boolean)[]): boolean =>
      matchers.some((matches) => spellings.some(matches));
    return (included === undefined || isIn(included)) && !isIn(excluded);
  };
}

/** A router takes `/login/` and `/%6Cogin` for `/login`; what leaves one out has to leave out all. */
function spellingsOf(path: string): string[] {
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // Malformed escapes stand for themselves.
    decoded = path;
  }
  return [...new Set([path, decoded, decoded.replace(/(?!^)\/+$/, '')])];
}

function toMatcher(pattern: string | RegExp): (path: string) => boolean {
  if (typeof pattern === 'string') return picomatch(pattern, { dot: true, nocase: true });
  // A global or sticky expression remembers where it stopped, and would miss every other path.
  const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  return (path) => stateless.test(path);
}

function addressReader(trusted: CaptureOptions['trustedProxies']): CaptureSettings['clientAddress'] {
  if (trusted === undefined) return (request) => request.socket.remoteAddress;
  const trust = proxyaddr.compile(typeof trusted === 'string' ? trusted : [...trusted]);
  return (request) => proxyaddr(request, trust);
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
