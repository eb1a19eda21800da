import { appendFileSync } from 'node:fs';

/** What the suite prints at its end: one line for each test, and the sums. */
export function report(title: string, figures: Readonly<Record<string, number>>): void {
  const file = process.env['FAULTS_REPORT'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ title, figures })}\n`);
}

/** Kills of one kind: few with every change, many in the long form. */
export const KILLS = process.env['RECAP_LONG'] === '1' ? 50 : 8;
export const isLong = process.env['RECAP_LONG'] === '1';
