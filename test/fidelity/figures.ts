import { appendFileSync } from 'node:fs';

/** Leaves figures for the summary that is printed when all test files are done. */
export function reportFigures(figures: Readonly<Record<string, number>>): void {
  const file = process.env['FIDELITY_REPORT'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figures)}\n`);
}
