import { untruths } from './check-records';
import { differences } from './compare';
import type { FidelityCase } from './fidelity-case';
import type { Host } from './hosts';
import { openRecap } from './recap';
import { runCase } from './run-case';

/**
 * Runs a case bare and recorded, and says what differs, and what is untrue in the record.
 *
 * @param patience of a program that may leave its client waiting: the bare one may do so, too
 */
export async function checkCase(
  fidelityCase: FidelityCase,
  host: Host,
  patience?: number,
): Promise<string[]> {
  const bare = await runCase(fidelityCase, host, undefined, patience);
  if (bare.failure !== undefined && patience !== undefined) return [];
  const recap = openRecap();
  const recorded = await runCase(fidelityCase, host, recap, patience);
  const wrong = untruths(fidelityCase, recorded, await recap.entries());
  const failures = recap.failures.map(({ where, error }) => `Recap fails in ${where}: ${String(error)}`);
  await recap.close();
  const broken = [bare, recorded].flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  return [...broken, ...differences(bare, recorded), ...wrong, ...failures];
}
