import { StorageError } from '../errors';
import { isWord } from './shown-name';

/** One thing that is wrong with a configuration. The message never holds a value that may be a secret. */
export interface ConfigProblem {
  /** Where it stands, from the root of the configuration. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** `database.pool.max`; the root is `config`. What is no word is not shown. */
export function pathText(path: readonly PropertyKey[]): string {
  const parts = path.map(String);
  return (
    parts.map((part) => (isWord(part) ? part : `(a name of ${part.length} characters)`)).join('.') || 'config'
  );
}

/** Without what is told of a place where something else is wrong before: one leads to the other. */
export function toldOnce(
  before: readonly ConfigProblem[],
  found: readonly ConfigProblem[],
): readonly ConfigProblem[] {
  const placeOf = ({ path }: ConfigProblem): string => path.map(String).join('.');
  const places = new Set(before.map(placeOf));
  return [...before, ...found.filter((problem) => !places.has(placeOf(problem)))];
}

/** `CONFIG_INVALID` with every problem on a line of its own. */
export function configInvalid(
  caller: string,
  problems: readonly ConfigProblem[],
  placeOf: (problem: ConfigProblem) => string = ({ path }) => pathText(path),
): StorageError {
  const lines = problems.map((problem) => `  ${placeOf(problem)}: ${problem.message}`);
  return new StorageError('CONFIG_INVALID', `${caller}: the configuration cannot work.\n${lines.join('\n')}`);
}
