import { invalidFields, type FieldError } from '../query/query-error';

const INTEGER = /^-?\d{1,15}$/;
const MAX_QUERY_LENGTH = 16_384;

/**
 * A query string as an object without a prototype. What looks like the type that a parameter has is
 * turned into it; the schema then says what is wrong with the rest.
 *
 * @throws {QueryError} `VALIDATION_FAILED` for a parameter given twice, and for a query string beyond 16 KiB.
 */
export function parseQueryString(
  query: string,
  types: Readonly<Record<string, 'integer' | 'boolean'>> = {},
): Record<string, unknown> {
  if (query.length > MAX_QUERY_LENGTH) {
    throw invalidFields([
      { field: 'query string', message: `is longer than ${MAX_QUERY_LENGTH} characters` },
    ]);
  }
  const parameters = Object.create(null) as Record<string, unknown>;
  const repeated = new Map<string, FieldError>();
  for (const [name, text] of new URLSearchParams(query)) {
    if (Object.hasOwn(parameters, name))
      repeated.set(name, { field: name, message: 'is given more than once' });
    parameters[name] = toType(text, Object.hasOwn(types, name) ? types[name] : undefined);
  }
  if (repeated.size > 0) throw invalidFields([...repeated.values()]);
  return parameters;
}

function toType(text: string, type: 'integer' | 'boolean' | undefined): unknown {
  if (type === 'integer' && INTEGER.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
