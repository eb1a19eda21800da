import type { CapturedBody, Exchange, Outcome } from '../exchange';
import { toPlain } from '../redaction';
import { ANONYMOUS } from './build-exchange';
import type { EntrySettings } from './capture-settings';
import type { OpenExchange } from './open-exchange';
import type { RecorderCore } from './recorder-core';

/** A call of a decorated method that is no HTTP handler, once it is over. */
export interface MethodCall {
  /** `Class.method`. */
  readonly endpoint: string;
  /** As they were before the call. */
  readonly args: CapturedBody | undefined;
  readonly result: CapturedBody | undefined;
  readonly outcome: Outcome;
  readonly error: { readonly name: string; readonly message: string } | undefined;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly settings: EntrySettings;
  readonly metadata: Readonly<Record<string, unknown>>;
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

function callExchange(id: string, call: MethodCall, parent: Exchange | undefined): Exchange {
  const { settings, startedAt } = call;
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
    outcome: call.outcome,
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
    request: { headers: [], body: call.args },
    response: { headers: [], body: call.result },
    delivery: undefined,
    warnings: [],
  };
}
