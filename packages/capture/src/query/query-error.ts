export type QueryErrorCode = 'VALIDATION_FAILED' | 'CURSOR_INVALID' | 'FORBIDDEN' | 'NOT_FOUND';

/** A question that is wrong or not allowed. The message and `details` are meant for the one who asked. */
export class QueryError extends Error {
  readonly code: QueryErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: QueryErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

export interface FieldError {
  /** Name as the caller wrote it; dots lead into objects and lists. */
  readonly field: string;
  readonly message: string;
}

/** A `VALIDATION_FAILED` that names every wrong field. */
export function invalidFields(fields: readonly FieldError[]): QueryError {
  const names = fields.slice(0, 5).map(({ field, message }) => `${field}: ${message}`);
  const more = fields.length > names.length ? `; and ${fields.length - names.length} more` : '';
  return new QueryError('VALIDATION_FAILED', `The request is wrong. ${names.join('; ')}${more}`, { fields });
}
