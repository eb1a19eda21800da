import type { SqlQuery, SqlRow, SqlSteps } from './sql-contract';

/** Takes steps with an engine that answers at once. */
export function driveNow<T>(steps: SqlSteps<T>, ask: (query: SqlQuery) => readonly SqlRow[]): T {
  let step = steps.next();
  while (step.done !== true) {
    let rows: readonly SqlRow[];
    try {
      rows = ask(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(rows);
  }
  return step.value;
}

/** Takes steps with an engine that answers later. */
export async function driveLater<T>(
  steps: SqlSteps<T>,
  ask: (query: SqlQuery) => Promise<readonly SqlRow[]>,
): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    let rows: readonly SqlRow[];
    try {
      rows = await ask(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(rows);
  }
  return step.value;
}
