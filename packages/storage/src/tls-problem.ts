import { errorCode } from './errors';

/**
 * Of certificates that are not accepted, which no other attempt changes.
 *
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
const CERTIFICATE_CODES = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

export const NO_TLS = 'speaks no TLS there. Turn it off, or correct the address.';

/** Why TLS with a server does not fit, to be said after its name; `undefined` for other errors. */
export function tlsProblem(error: unknown): string | undefined {
  const code = errorCode(error) ?? '';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return NO_TLS;
  if (!CERTIFICATE_CODES.has(code)) return undefined;
  return `has a certificate that is not accepted (${code}). Give the "ca" that signed it, correct the host, or renew it.`;
}
