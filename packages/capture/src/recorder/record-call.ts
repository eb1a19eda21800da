import type { Exchange } from '../exchange';
import { toPlain } from '../redaction';
import { ANONYMOUS } from './build-exchange';
import type { EntrySettings } from './capture-settings';
import type { OpenExchange } from './open-exchange';
import { parsedBody } from './parsed-body';
import type { RecorderCore } from './recorder-core';

/** A call of a decorated method that is no HTTP handler, once it has returned or thrown. */
export interface MethodCall {
  /** `Class.method`. */
  readonly endpoint: string;
  /** A copy made before the call. */
  readonly args: unknown;
  readonly result: unknown;
  readonly error: { readonly name: string; readonly message: string } | undefined;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly settings: EntrySettings;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly maxBodyBytes: number;
}

/**
 * Records a method call: arguments as the request, result as the response. Within an exchange it waits
 * for that to end, so that it gets the owner and the session that the exchange turns out to have; an
 * exchange that is left out leaves its calls out.
 */
export function recordCall(recorder: RecorderCore, call: MethodCall, parent: OpenExchange | undefined): void {
  const id = recorder.newId();
  if (parent === undefined) recorder.record(callExchange(id, call, undefined));
  else {
    parent.whenBuilt((exchange) => {
      recorder.record(callExchange(id, call, exchange));
    });
  }
}

/** A stream's inner state says nothing of what flows through it. */
function isStream(value: unknown): boolean {
  return typeof (value as { readonly pipe?: unknown } | null | undefined)?.pipe === 'function';
}

function callExchange(id: string, call: MethodCall, parent: Exchange | undefined): Exchange {
  const { settings, startedAt, maxBodyBytes } = call;
  return {
    id,
    parentId: parent?.id,
    storageType: settings.storageType,
    method: undefined,
    endpoint: call.endpoint,
    path: undefined,
    query: undefined,
    pathParameters: {},
    status: undefined,
    outcome: call.error === undefined ? 'completed' : 'failed',
    error: call.error,
    startedAt,
    durationMs: call.durationMs,
    owner: parent?.owner ?? ANONYMOUS,
    clientAddress: parent?.clientAddress,
    traceId: parent?.traceId,
    metadata: (toPlain(call.metadata) ?? {}) as Record<string, unknown>,
    session: parent?.session ?? {
      key: JSON.stringify([ANONYMOUS, null, 'method calls']),
      group: undefined,
      timeoutMs: settings.sessionTimeoutMs,
    },
    expiresAt: settings.lifetimeMs === undefined ? undefined : startedAt + settings.lifetimeMs,
    compress: settings.compress,
    request: { headers: [], body: parsedBody(call.args, maxBodyBytes) },
    response: {
      headers: [],
      body: parsedBody(isStream(call.result) ? '[Stream]' : call.result, maxBodyBytes),
    },
    delivery: undefined,
    warnings: [],
  };
}
