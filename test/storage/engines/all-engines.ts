import type { Engine } from '../describe-on';
import { dynamodb } from './dynamodb';
import { file } from './file';
import { memory } from './memory';
import { mongodb } from './mongodb';
import { postgres } from './postgres';
import { redis } from './redis';
import { sqlite } from './sqlite';

/** One of each type of backend; what goes through all of them does so in this order. */
export const allEngines: readonly Engine[] = [memory, file, sqlite, postgres, redis, mongodb, dynamodb];
