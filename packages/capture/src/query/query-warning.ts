import type { RecordedWarning } from '../exchange';

/** Something a caller should know about an answer. Collected per call, never shared between calls. */
export type QueryWarning = RecordedWarning;

export function precedenceWarning(winner: string, loser: string): QueryWarning {
  return {
    code: 'PARAMETER_PRECEDENCE',
    message: `Both ${winner} and ${loser} were given; ${winner} was used.`,
    severity: 'LOW',
    details: { used: winner, ignored: loser },
  };
}

export function endpointNormalizedWarning(original: string, normalized: string): QueryWarning {
  return {
    code: 'ENDPOINT_NORMALIZED',
    message: 'The endpoint was brought into its normal form before it was compared.',
    severity: 'LOW',
    details: { original, normalized },
  };
}

export function indexMissingWarning(): QueryWarning {
  return {
    code: 'INDEX_MISSING',
    message:
      'No index serves one of the filters, so rows were read one by one. ' +
      'Narrow the question by dates, endpoint or session.',
    severity: 'MEDIUM',
    details: {},
  };
}

export function ownerNotConfiguredWarning(): QueryWarning {
  return {
    code: 'OWNER_NOT_CONFIGURED',
    message:
      'The recorder has no `owner` option, so entries may belong to nobody in particular and stay ' +
      'invisible to users. Set `owner` on the recorder or the middleware.',
    severity: 'MEDIUM',
    details: {},
  };
}

/** @param entries those within the last tenth of their lifetime. */
export function ttlApproachingWarning(
  entries: readonly { readonly id: string; readonly ttl: string | null }[],
): QueryWarning {
  return {
    code: 'TTL_APPROACHING',
    message:
      entries.length === 1
        ? 'An entry is within the last tenth of its lifetime.'
        : `${entries.length} entries are within the last tenth of their lifetime.`,
    severity: 'LOW',
    details: { entries: entries.map(({ id, ttl }) => ({ id, ttl })) },
  };
}
