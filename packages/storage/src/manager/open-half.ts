import { createHash } from 'node:crypto';
import type { Backend } from '../backend';
import { ownFile } from '../backends/sqlite/own-file';
import { wholeClock } from '../clock';
import { identify } from '../copy/storage-identity';
import { errorCode, isStorageError } from '../errors';
import { FallbackBackend } from '../fallback/fallback-backend';
import type { FallbackEvent, FallbackState } from '../fallback/fallback-event';
import { Overlay } from '../fallback/overlay';
import { newId as makeId } from '../new-id';
import { tellProgram } from '../tell-program';
import { identityOfConfig, placeInWords } from './identity-of';
import { lend } from './lend';
import { observeBackend } from './observe-backend';
import { openingError } from './opening-error';
import { makeBackend, type BackendContext } from './open-backend';
import type { ResolvedBackend, ResolvedHalf } from './resolved-config';
import { StorageLog, type FailureContext } from './storage-log';
import type { StorageOptions } from './storage-options';

/** Longer than a driver takes to connect again, and shorter than whoever waits for an answer gives up. */
const GRACE_MS = 500;

/** A backend with all that stands around it. */
export interface Half {
  readonly type: string;
  /** What the role puts before the names of its partitions. */
  readonly keyPrefix: string;
  readonly backend: Backend;
  /** The same, for the program. */
  readonly lent: Backend;
  /** Which backend serves; without a fallback, always the one. */
  state(): FallbackState;
}

/** Opens what a half of the configuration says. What it could not open, it closes. */
export async function openHalf(
  { role, backend: config, fallback }: ResolvedHalf,
  options: StorageOptions,
  slowOperationMs: number | undefined,
): Promise<Half> {
  const log = new StorageLog(options.logger, options.onError);
  const context: BackendContext = { role, log, options };
  const primary = makeBackend(config, context);
  const who = { role, backend: config.type };
  let served: Backend = primary;
  let state = (): FallbackState => ({ servedBy: primary.name, isDegraded: false, pendingWrites: 0 });
  if (fallback !== undefined) {
    const newId = options.newId ?? makeId;
    // Other programs, and the other half, may have the same file.
    const name = createHash('sha256').update(`${role}:${config.keyPrefix}`).digest('hex').slice(0, 16);
    const keptFor = fallback.adoptWrites ? undefined : placeInWords(config);
    const overlays = fallback.to.map(
      (each) =>
        new Overlay(makeBackend(each, context), {
          ...(each.type === 'sqlite' && each.client === undefined && each.path !== ':memory:'
            ? { own: owning(each.path, name, who, log) }
            : {}),
          ...{ name, reads: fallback.reads, newId, maxValueBytes: primary.capabilities.maxValueBytes },
          ...(keptFor === undefined ? {} : { keptFor }),
          ...(each.type === 'sqlite' && each.path === ':memory:' ? { endsWithProcess: true } : {}),
        }),
    );
    const backend = new FallbackBackend({
      ...{ primary, overlays, newId, clock: wholeClock(options.clock) },
      ...{ probeIntervalMs: fallback.probeIntervalMs, stableMs: fallback.stableMs, graceMs: GRACE_MS },
      onEvent: (event) => tell(event, who, log, options),
      onError: (error, operation) => log.failed(error, { ...who, operation }),
    });
    served = backend;
    state = () => backend.state;
  }
  try {
    await served.open();
  } catch (reason) {
    const error = openingError(reason, role, config);
    await closeAfter(error, served, who, log);
    throw error;
  }
  const isObserved = slowOperationMs !== undefined || options.onError !== undefined;
  const observed = isObserved
    ? observeBackend(served, { log, slowOperationMs, context: who, newId: options.newId })
    : served;
  // Where others may take over, what is read is not always of that storage.
  if (fallback === undefined) identify(observed, identityOfConfig(config));
  const keyPrefix = partitionPrefix(config);
  return { type: config.type, keyPrefix, backend: observed, lent: lend(observed, options.newId), state };
}

/** What its partitions begin with. */
export function partitionPrefix({ type, keyPrefix }: ResolvedBackend): string {
  // There everything begins with it already.
  return type === 'redis' || type === 'dynamodb' ? '' : keyPrefix;
}

/** As `ownFile`; that another has it is told once, since a program that goes on without its fallback looks well. */
function owning(
  path: string,
  name: string,
  who: Omit<FailureContext, 'operation'>,
  log: StorageLog,
): () => () => void {
  let isTold = false;
  return () => {
    try {
      return ownFile(path, name);
    } catch (error) {
      if (!isTold) log.alert({ ...who, path }, `No fallback of the ${who.role}: ${(error as Error).message}`);
      isTold = true;
      throw error;
    }
  };
}

/** The first failure is the one to be told; what fails afterwards goes to `onError`. */
async function closeAfter(
  error: unknown,
  backend: Backend,
  who: Omit<FailureContext, 'operation'>,
  log: StorageLog,
): Promise<void> {
  log.failed(error, { ...who, operation: 'open' });
  try {
    await backend.close();
  } catch (reason) {
    log.failed(reason, { ...who, operation: 'close' });
  }
}

/** What a message of somebody else says may be a secret. */
function reasonOf(error: unknown): string {
  const code = errorCode(error) ?? 'unknown';
  return isStorageError(error) ? `${code}, ${error.message}` : `${code}.`;
}

function tell(
  event: FallbackEvent,
  who: Omit<FailureContext, 'operation'>,
  log: StorageLog,
  { onFallback }: StorageOptions,
): void {
  switch (event.type) {
    case 'degraded':
      log.failed(event.error, { ...who, operation: 'fallback' });
      log.alert(
        { ...who, from: event.from, to: event.to, err: event.error },
        `The ${event.from} backend of the ${who.role} cannot be reached. ${event.to} has taken over; what is written is replayed later. Reason: ${reasonOf(event.error)}`,
      );
      break;
    case 'recovered':
      log.info({ ...who, ...event }, `The ${event.to} backend of the ${who.role} is back.`);
      break;
    case 'conflict':
      log.error(
        { ...who, err: event.error },
        `A write to the ${who.role} that was made while its backend was away was not applied. onFallback has it.`,
      );
      break;
    case 'unreplayed':
      log.error({ ...who, ...event }, `${event.writes} writes to the ${who.role} were not replayed.`);
      break;
  }
  tellProgram(() => onFallback?.(event, who));
}
