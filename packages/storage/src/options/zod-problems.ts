import type { z } from 'zod';
import type { ConfigProblem } from './config-problem';

/** What a schema has found, under `at`. The texts are the schema's own; none holds a value. */
export function zodProblems(error: z.ZodError, at: readonly PropertyKey[]): ConfigProblem[] {
  return error.issues.map((issue) => problemOf(issue, at));
}

function problemOf(issue: z.core.$ZodIssue, at: readonly PropertyKey[]): ConfigProblem {
  const path = [...at, ...issue.path];
  if (issue.code !== 'invalid_union') return { path, message: issue.message };
  // Whoever wrote an object meant the alternative that is one, and wants to know what is wrong within it.
  const inner = issue.errors.find((branch) => branch[0] !== undefined && isWithin(branch[0]));
  if (inner !== undefined) {
    const [first] = inner;
    return { path: [...path, ...first!.path], message: first!.message };
  }
  return { path, message: [...new Set(issue.errors.flat().map(({ message }) => message))].join(', or ') };
}

function isWithin(issue: z.core.$ZodIssue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}
