import { errorCode, StorageError, type StorageErrorCode } from '../../errors';
import { tlsProblem } from '../../tls-problem';

const NOT_ALLOWED = 'does not allow this user to do that. Grant it the commands, keys and channels.';

/**
 * By the first word of what the server answers.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const CODES: Readonly<Record<string, readonly [code: StorageErrorCode, text: string]>> = {
  WRONGPASS: ['ACCESS_DENIED', 'refuses the user or the password. Correct the credentials.'],
  NOAUTH: ['ACCESS_DENIED', 'wants a password. Give it.'],
  NOPERM: ['ACCESS_DENIED', NOT_ALLOWED],
  OOM: ['CAPACITY_EXCEEDED', 'has no memory left. Delete something, or raise its maxmemory.'],
  RECAPCORRUPT: ['CORRUPT', 'holds under this key what has no head that is known. Something else wrote it.'],
  READONLY: ['UNAVAILABLE', 'is a replica there, and takes no writes. Connect to the master.'],
  LOADING: ['UNAVAILABLE', 'is still loading its data. Try again.'],
  TRYAGAIN: ['UNAVAILABLE', 'is moving what is asked for to another node. Try again.'],
  BUSY: ['UNAVAILABLE', 'is busy with a script. Try again.'],
  CLUSTERDOWN: [
    'UNAVAILABLE',
    'has slots of its cluster that no node serves. Try again, or see to the nodes.',
  ],
  MASTERDOWN: ['UNAVAILABLE', 'has lost its master. Try again, or see to the nodes.'],
  MISCONF: ['UNAVAILABLE', 'takes no writes, since it cannot save them to its disk. See its log.'],
  NOREPLICAS: ['UNAVAILABLE', 'has too few replicas in reach to take writes.'],
};

/** Told apart from other errors by nothing but their text. */
const TEXTS: readonly (readonly [RegExp, StorageErrorCode, string])[] = [
  [/max number of clients/, 'POOL_EXHAUSTED', 'has no connection left. Raise its maxclients.'],
  [/DB index is out of range/, 'ACCESS_DENIED', 'has no such database. Correct "db".'],
  // NOPERM, as Redis 7.0 says it of a command in a script.
  [/^ERR The user executing the script can't /, 'ACCESS_DENIED', NOT_ALLOWED],
  [/cluster support disabled/, 'CONFIG_INVALID', 'is no cluster there. Give "host" or "url", not "cluster".'],
];

/** How the driver calls what was in flight when the connection broke. */
const MAY_BE_MADE = new Set(['MaxRetriesPerRequestError']);

/** What an error of the server begins with, such as `WRONGTYPE`. Up to Redis 6, that of a command in a script comes last. */
export function replyCode(error: unknown): string | undefined {
  if (!isError(error)) return undefined;
  const inScript = /^ERR Error running script .*: -([A-Z]+) /.exec(error.message)?.[1];
  // What the driver says before it: of a server that it asked, and of sentinels.
  const reply = error.message.replace(
    /^(Ready check failed: |All sentinels are unreachable.* Last error: )/,
    '',
  );
  return inScript ?? /^[A-Z]+(?= )/.exec(reply)?.[0];
}

/** @param reason what the connection last broke of, which the errors of single calls do not tell */
export function explainRedisError(error: unknown, reason?: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const told = [error, nodeError(error), reason, nodeError(reason)].filter(isError);
  // The reason is not that of the call, and would say that it was not made.
  const own = isError(error) && MAY_BE_MADE.has(error.name) ? error : undefined;
  for (const one of told) {
    const known = CODES[replyCode(one) ?? ''] ?? byText(one.message) ?? ofTls(one);
    if (known !== undefined)
      return new StorageError(known[0], `Redis ${known[1]}`, { cause: withoutCommand(own ?? one) });
  }
  const code = told.map(errorCode).find((one) => one !== undefined);
  const text = `Redis does not answer, or failed${code === undefined ? '' : ` (${code})`}. See the cause.`;
  const cause = own ?? told.find((one) => errorCode(one) !== undefined) ?? told[0];
  return new StorageError('UNAVAILABLE', text, { cause: cause && withoutCommand(cause) });
}

function byText(message: string): readonly [StorageErrorCode, string] | undefined {
  const found = TEXTS.find(([pattern]) => pattern.test(message));
  return found && [found[1], found[2]];
}

function ofTls(error: Error): readonly [StorageErrorCode, string] | undefined {
  const problem = tlsProblem(error);
  return problem === undefined ? undefined : ['CONFIG_INVALID', problem];
}

/** Why the last node of a cluster that was tried could not be reached. */
function nodeError(error: unknown): unknown {
  return (error as { lastNodeError?: unknown } | undefined)?.lastNodeError;
}

/** Those of another realm are none of this one's class. */
function isError(error: unknown): error is Error {
  return typeof (error as { message?: unknown } | undefined)?.message === 'string';
}

/** Errors of `ioredis` carry the command with all arguments, passwords and values, and some carry others that do. */
function withoutCommand(error: Error): Error {
  const { message, name, stack } = error;
  const code = errorCode(error);
  const node = nodeError(error);
  const bare = Object.assign(new Error(message), { name }, code !== undefined && { code });
  if (stack !== undefined) bare.stack = stack;
  // Not as its cause, by which a call would be taken for one that was not made: others may have been asked before.
  return isError(node) ? Object.assign(bare, { lastNodeError: withoutCommand(node) }) : bare;
}
