import { nearest } from '../options/nearest';

/** The types of backend that can be configured. */
export const BACKEND_TYPES = [
  'memory',
  'file',
  'sqlite',
  'postgres',
  'redis',
  'mongodb',
  'dynamodb',
  'custom',
] as const;

export type BackendType = (typeof BACKEND_TYPES)[number];

/** Other names of the same types. */
export type BackendTypeAlias = 'in-memory' | 'postgresql' | 'mongo' | 'dynamo';

const ALIASES: Readonly<Record<BackendTypeAlias, BackendType>> = {
  'in-memory': 'memory',
  postgresql: 'postgres',
  mongo: 'mongodb',
  dynamo: 'dynamodb',
};

/** The type of that name, or what is wrong with it. */
export function backendType(name: unknown): { readonly type: BackendType } | { readonly problem: string } {
  const valid = `Valid types: ${BACKEND_TYPES.join(', ')}`;
  if (typeof name !== 'string') {
    return { problem: name === undefined ? `is missing. ${valid}` : `has to be a text. ${valid}` };
  }
  const type = BACKEND_TYPES.find((each) => each === name) ?? ALIASES[name as BackendTypeAlias];
  // `name` is any text, and every object has a `constructor`.
  if (typeof type === 'string') return { type };
  // A URL, or another text that was meant for elsewhere, may hold a password.
  if (!/^[\w-]{0,40}$/.test(name)) return { problem: `is no name of a type. ${valid}` };
  const near = nearest(name, [...BACKEND_TYPES, ...Object.keys(ALIASES)]);
  const guess = near === undefined ? '' : ` (did you mean "${near}"?)`;
  return { problem: `"${name}" is unknown${guess}. ${valid}` };
}
