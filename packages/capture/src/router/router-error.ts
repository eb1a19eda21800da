export type RouterErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'STORE_UNAVAILABLE';

/** An answer other than success that the router itself gives. */
export class RouterError extends Error {
  readonly code: RouterErrorCode;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RouterErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.headers = headers;
  }
}
