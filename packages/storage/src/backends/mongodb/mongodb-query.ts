import { isWellFormed } from '../../well-formed';
import type { JsonCondition, JsonFilter } from '../../json-filter';
import { isPlainName } from './bson-fit';
import type { MongoDocument } from './mongodb-client';

/**
 * Finds all that match and perhaps more: JSON that is kept as text always, and what the server finds by its own rules,
 * to which a path leads into every element of an array. Values are only ever operands, and no name that could be an
 * operator gets into a path.
 */
export function mongodbQuery(filter: JsonFilter): MongoDocument {
  const conditions = filter.map(toMongo);
  const json = conditions.includes(NEVER)
    ? []
    : [{ $and: [{ kind: 'json' }, ...conditions.filter((condition) => condition !== ALWAYS)] }];
  return { $or: [{ kind: 'text' }, ...json] };
}

const ALWAYS: MongoDocument = {};
const NEVER: MongoDocument = {};

function toMongo(condition: JsonCondition): MongoDocument {
  const { path } = condition;
  const isReachable = path.every(isPlainName);
  if ('exists' in condition) {
    // What an array's elements have, the array has to the server, and not to us.
    if (!condition.exists) return ALWAYS;
    return isReachable ? { [toPath(path)]: { $exists: true } } : NEVER;
  }
  if (!isReachable) return NEVER;
  if ('equals' in condition) {
    return isText(condition.equals) ? { [toPath(path)]: { $eq: condition.equals } } : NEVER;
  }
  if ('in' in condition) return { [toPath(path)]: { $in: condition.in.filter(isText) } };
  const { gt, gte, lt, lte } = condition;
  const bounds = Object.entries({ $gt: gt, $gte: gte, $lt: lt, $lte: lte }).filter(
    ([, bound]) => bound !== undefined && isText(bound),
  );
  return bounds.length === 0 ? ALWAYS : { [toPath(path)]: Object.fromEntries(bounds) };
}

const toPath = (path: readonly string[]): string => ['json', ...path].join('.');

/** No text that is kept as JSON is ill-formed, and the driver would change it. */
const isText = (operand: unknown): boolean => typeof operand !== 'string' || isWellFormed(operand);
