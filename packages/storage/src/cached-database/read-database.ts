import type { DatabaseBackend } from '../database/database-backend';
import { errorCode } from '../errors';
import { toContent } from './content';
import type { ReadAnswer } from './shared-reads';

/** An answer for each key; that there is a list under one concerns only whoever asked for this one. */
export async function readDatabase(
  database: DatabaseBackend,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ReadAnswer>> {
  if (keys.length > 1)
    try {
      const values = await database.mget(keys);
      return new Map(keys.map((key, index) => [key, toContent(values[index])]));
    } catch (error) {
      // Which of them it is shows one by one.
      if (errorCode(error) !== 'WRONG_TYPE') throw error;
    }
  const answers = keys.map(async (key): Promise<readonly [string, ReadAnswer]> => {
    try {
      return [key, toContent(await database.get(key))];
    } catch (error) {
      if (errorCode(error) !== 'WRONG_TYPE') throw error;
      return [key, { failure: error as Error }];
    }
  });
  return new Map(await Promise.all(answers));
}
