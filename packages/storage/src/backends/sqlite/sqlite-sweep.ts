import type { SqlSteps } from '../sql/sql-contract';
import { SQLITE_STATEMENTS } from './sqlite-statements';

export interface Swept {
  readonly count: number;
  readonly isDone: boolean;
}

/** Of a transaction that others wait for. */
const MAX_SWEEP_MS = 4;

/** Deletes one thing at a time for a few milliseconds: what one of them takes is known only afterwards. */
export function* sweepSteps(limit: number, now: number): SqlSteps<Swept> {
  const { sweepItem, droppedList, sweepElement, forgetList } = SQLITE_STATEMENTS;
  const startedAt = performance.now();
  let count = 0;
  let list: string | undefined;
  let hasItems = true;
  while (count < limit) {
    if (performance.now() - startedAt > MAX_SWEEP_MS) return { count, isDone: false };
    if (hasItems) {
      const rows = yield { statement: sweepItem, values: [now] };
      hasItems = rows.length > 0;
      count += rows.length;
      continue;
    }
    list ??= (yield { statement: droppedList, values: [] })[0]?.['list'] as string | undefined;
    if (list === undefined) return { count, isDone: true };
    const rows = yield { statement: sweepElement, values: [list] };
    count += rows.length;
    if (rows.length > 0) continue;
    yield { statement: forgetList, values: [list] };
    list = undefined;
  }
  return { count, isDone: true };
}
