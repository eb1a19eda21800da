import { badValue, ServerError } from './server-error.mjs';

/*
 * What a server refuses of a command before it looks at any document. It knows the members of each command, and takes
 * no other: what one version of the driver sends and a server does not know would else pass unseen.
 */

const ANY = [
  ...['$db', 'lsid', 'txnNumber', 'autocommit', 'startTransaction', '$readPreference', '$clusterTime'],
  ...['apiVersion', 'apiStrict', 'apiDeprecationErrors', 'comment', 'maxTimeMS'],
];
const READS = ['readConcern'];
const WRITES = ['writeConcern'];

const MEMBERS = {
  find: [
    ...['filter', 'sort', 'projection', 'hint', 'skip', 'limit', 'batchSize', 'singleBatch', 'max', 'min'],
    ...['returnKey', 'showRecordId', 'tailable', 'oplogReplay', 'noCursorTimeout', 'awaitData', ...READS],
    ...['allowPartialResults', 'collation', 'allowDiskUse', 'let'],
  ],
  getMore: ['collection', 'batchSize'],
  killCursors: ['cursors'],
  aggregate: [
    ...['pipeline', 'explain', 'allowDiskUse', 'cursor', 'bypassDocumentValidation', 'collation', 'hint'],
    ...['let', ...READS, ...WRITES],
  ],
  count: ['query', 'limit', 'skip', 'hint', 'collation', ...READS],
  insert: ['documents', 'ordered', 'bypassDocumentValidation', ...WRITES],
  update: ['updates', 'ordered', 'bypassDocumentValidation', 'let', ...WRITES],
  delete: ['deletes', 'ordered', 'let', ...WRITES],
  findAndModify: [
    ...['query', 'sort', 'remove', 'update', 'new', 'fields', 'upsert', 'bypassDocumentValidation'],
    ...['collation', 'arrayFilters', 'hint', 'let', ...WRITES],
  ],
  createIndexes: ['indexes', 'commitQuorum', ...WRITES],
  listIndexes: ['cursor'],
  listCollections: ['filter', 'nameOnly', 'authorizedCollections', 'cursor'],
  create: ['capped', 'size', 'max', 'validator', 'collation', ...WRITES],
  drop: WRITES,
  dropDatabase: WRITES,
  commitTransaction: [...WRITES, 'recoveryToken'],
  abortTransaction: [...WRITES, 'recoveryToken'],
};

/** Of one of several writes. */
const PARTS = {
  updates: ['q', 'u', 'c', 'upsert', 'multi', 'collation', 'arrayFilters', 'hint', 'sort'],
  deletes: ['q', 'limit', 'collation', 'hint'],
  indexes: ['key', 'name', 'unique', 'sparse', 'expireAfterSeconds', 'collation', 'hidden', 'v'],
};

const IN_TRANSACTIONS = new Set([
  ...['find', 'getMore', 'killCursors', 'aggregate', 'insert', 'update', 'delete', 'findAndModify'],
  ...['commitTransaction', 'abortTransaction'],
]);

const invalid = (message) => new ServerError(72, 'InvalidOptions', message);

/** @param {string} name of the command */
export function checkCommand(name, command, isSingle) {
  const members = MEMBERS[name];
  if (members === undefined) return;
  checkMembers(command, [name, ...members, ...ANY], name);
  for (const [list, known] of Object.entries(PARTS))
    if (Array.isArray(command[list]))
      for (const part of command[list]) checkMembers(part, known, `${name}.${list}`);
  checkNamespace(command.$db, command[name]);
  checkConcerns(name, command, isSingle);
  checkRetryable(command);
}

function checkMembers(document, known, where) {
  const unknown = Object.keys(document).find((member) => !known.includes(member));
  if (unknown !== undefined)
    throw new ServerError(40_415, 'Location40415', `BSON field '${where}.${unknown}' is an unknown field.`);
}

function checkNamespace(database, collection) {
  const isDatabase = /^[^/\\. "$\0]{1,63}$/.test(database);
  const isCollection =
    typeof collection !== 'string' || (collection !== '' && !/[$\0]|^system\.|^\./.test(collection));
  const bytes = Buffer.byteLength(`${database}.${String(collection)}`);
  if (!isDatabase || !isCollection || bytes > 255)
    throw new ServerError(73, 'InvalidNamespace', `Invalid namespace specified '${database}.${collection}'`);
}

function checkConcerns(name, { autocommit, startTransaction, readConcern, writeConcern }, isSingle) {
  const isEnd = name === 'commitTransaction' || name === 'abortTransaction';
  if (isSingle && typeof writeConcern?.w === 'number' && writeConcern.w > 1)
    throw badValue("cannot use 'w' > 1 when a host is not replicated");
  if (isSingle && readConcern?.level === 'snapshot')
    throw new ServerError(123, 'NotAReplicaSet', 'node needs to be a replica set member to use read concern');
  if (autocommit !== false) return;
  if (!IN_TRANSACTIONS.has(name))
    throw new ServerError(
      263,
      'OperationNotSupportedInTransaction',
      `Cannot run '${name}' in a multi-document transaction.`,
    );
  if (writeConcern !== undefined && !isEnd)
    throw invalid('writeConcern is not allowed within a multi-statement transaction');
  if (readConcern !== undefined && startTransaction !== true)
    throw invalid('Only the first command in a transaction may specify a readConcern');
}

function checkRetryable({ txnNumber, autocommit, lsid, updates = [], deletes = [] }) {
  if (txnNumber === undefined) return;
  if (lsid === undefined) throw invalid('Transaction number requires a session ID to also be specified');
  if (autocommit === false) return;
  if (updates.some(({ multi }) => multi) || deletes.some(({ limit }) => limit === 0))
    throw invalid('Cannot use retryable writes with multi-document writes');
}
