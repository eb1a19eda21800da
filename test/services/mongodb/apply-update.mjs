import { Aggregator } from 'mingo';
import { update as applyOperators } from 'mingo/updater';
import { isDocument } from './bson-values.mjs';
import { badValue, ServerError } from './server-error.mjs';

const MAX_DEPTH = 100;

/** A changed copy of a document. */
export function applyUpdate(document, update, isInsert = false) {
  if (Array.isArray(update)) return new Aggregator(update).run([document])[0];
  const names = Object.keys(update);
  const isReplacement = names.length === 0 || !names[0].startsWith('$');
  if (isReplacement) {
    if (names.some((name) => name.startsWith('$'))) throw badValue('A replacement holds no operators.');
    return { _id: document._id, ...update };
  }
  checkOperators(update);
  checkConflicts(update);
  const { $setOnInsert, ...operators } = update;
  const copy = copyOf(document);
  if (isInsert && $setOnInsert !== undefined) operators.$set = { ...$setOnInsert, ...operators.$set };
  try {
    applyOperators(copy, operators);
  } catch (error) {
    throw new ServerError(9, 'FailedToParse', error.message);
  }
  return copy;
}

function copyOf(value) {
  const copy = { ...value };
  for (const [name, member] of Object.entries(copy)) if (Array.isArray(member)) copy[name] = [...member];
  return copy;
}

const OPERATORS = new Set([
  ...['$set', '$unset', '$inc', '$push', '$setOnInsert', '$min', '$max', '$mul', '$rename', '$pull', '$pop'],
  ...['$addToSet', '$currentDate', '$bit', '$pullAll'],
]);

/** Before 5.0 one that changes nothing is an error. */
function checkOperators(update) {
  for (const [name, fields] of Object.entries(update)) {
    if (!OPERATORS.has(name))
      throw new ServerError(
        9,
        'FailedToParse',
        `Unknown modifier: ${name}. Expected a valid update modifier.`,
      );
    if (Object.keys(fields).length === 0)
      throw new ServerError(9, 'FailedToParse', `'${name}' is empty. You must specify a field like so: {}`);
  }
}

function checkConflicts(update) {
  const paths = Object.values(update).flatMap((fields) => Object.keys(fields));
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined)
    throw new ServerError(
      40,
      'ConflictingUpdateOperators',
      `Updating the path '${twice}' would create a conflict at '${twice}'`,
    );
  for (const name of Object.keys(update.$set ?? {}))
    if (name === '' || name.split('.').some((part) => part.startsWith('$') || part === ''))
      throw new ServerError(52, 'DollarPrefixedFieldName', `The field '${name}' is not valid for storage.`);
}

/** As strict as the oldest server that is taken. */
export function checkStorable(document) {
  const open = [[document, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, depth] = next;
    if (depth > MAX_DEPTH)
      throw new ServerError(15, 'Overflow', 'Document exceeds the maximum nesting depth.');
    for (const [name, member] of Object.entries(value)) {
      if (!Array.isArray(value) && name.startsWith('$'))
        throw new ServerError(
          52,
          'DollarPrefixedFieldName',
          `The dollar ($) prefixed field '${name}' is not valid for storage.`,
        );
      if (Array.isArray(member) || isDocument(member)) open.push([member, depth + 1]);
    }
  }
}
