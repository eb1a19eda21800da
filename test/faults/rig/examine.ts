import { checkLedger, type Answer, type Ledger } from './check-ledger';
import { leakingFiles, type TestDatabase } from './databases';

/**
 * Everything that must hold after any fault, of what clients know, what is stored and what is in files; each entry of
 * the answer is a breach of it. Whether something may be lost is for the test to say.
 */
export async function examine(
  database: TestDatabase,
  ledger: Ledger,
  mayFail = false,
): Promise<{ readonly breaches: string[]; readonly lost: readonly Answer[]; readonly stored: number }> {
  const stored = await database.read();
  const { lost, duplicates, damaged, invented, leaking } = checkLedger(ledger, stored);
  const breaches = [
    ...of('wrong answer', ledger.wrong),
    ...(mayFail ? [] : of('not answered', ledger.failed)),
    ...of('stored twice', duplicates),
    ...of('stored with other bodies', damaged),
    ...of('stored and never sent', invented),
    ...of('stored with a secret', leaking),
    ...of('file with a secret', await leakingFiles(database.folders)),
  ];
  return { breaches, lost, stored: stored.length };
}

function of(what: string, found: readonly string[]): string[] {
  return found.length === 0 ? [] : [`${what}: ${found.length}, such as ${found.slice(0, 3).join(', ')}`];
}

/** What several clients, or one several times, know. */
export function together(ledgers: readonly Ledger[]): Ledger {
  return {
    sent: ledgers.flatMap(({ sent }) => sent),
    answered: ledgers.flatMap(({ answered }) => answered),
    failed: ledgers.flatMap(({ failed }) => failed),
    wrong: ledgers.flatMap(({ wrong }) => wrong),
  };
}
