import type { z } from 'zod';
import { invalidFields, type FieldError } from '../query/query-error';

const SHOWN_NAME = 200;

/** @throws {QueryError} `VALIDATION_FAILED`, naming every wrong field. */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = new Map<string, FieldError>();
  for (const field of result.error.issues.flatMap(toFields)) {
    // A value of the wrong type fails several checks; the first says it best.
    if (!fields.has(field.field)) fields.set(field.field, field);
  }
  throw invalidFields([...fields.values()]);
}

function toFields(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: toField([...path, key]), message: 'is unknown here' }));
  }
  return [{ field: toField(path), message: issue.message }];
}

function toField(path: readonly string[]): string {
  const name = path.join('.');
  return name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}…` : name;
}
