import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { anySequence, hostOf, programOf, type CallSequence } from './call-sequence';
import { checkCase } from './check-case';
import { reportFigures } from './figures';

/** Sequences that once showed a difference; a new one is added as the failing test prints it. */
const kept = JSON.parse(
  readFileSync(join(__dirname, 'found-sequences.json'), 'utf8'),
) as readonly CallSequence[];

const isLong = process.env['RECAP_LONG'] === '1';
const numRuns = Number(process.env['FIDELITY_SEQUENCES'] ?? (isLong ? 50_000 : 2_000));
/** The same in every run, so that a run says something of a change; the long form looks further. */
const seed = process.env['FIDELITY_SEED'] ?? (isLong ? undefined : '1');

/** Shrinking may try many sequences that wait: what has been found by then is told. */
const LIMIT = isLong ? {} : { interruptAfterTimeLimit: 150_000, markInterruptAsFailure: true };

/** Some sequences leave the client of the bare program waiting; those say nothing of Recap. */
const PATIENCE_MS = 1_000;

jest.setTimeout(60 * 60_000);

let sequences = 0;
let sequencesThatDiffer = 0;
afterAll(() => reportFigures({ sequences, sequencesThatDiffer }));

describe('any sequence of calls on a response', () => {
  it('does the same with Recap, and is recorded as it was sent', async () => {
    await fc.assert(
      fc.asyncProperty(anySequence, async (sequence) => {
        sequences += 1;
        const wrong = await checkCase(programOf(sequence), hostOf(sequence), PATIENCE_MS);
        if (wrong.length === 0) return;
        sequencesThatDiffer += 1;
        throw new Error(`${JSON.stringify(sequence)}\n${wrong.join('\n')}`);
      }),
      { numRuns, ...LIMIT, ...(seed !== undefined && { seed: Number(seed) }) },
    );
  });

  it('does the same where a difference was found before', async () => {
    for (const sequence of kept) {
      sequences += 1;
      expect([sequence, ...(await checkCase(programOf(sequence), hostOf(sequence)))]).toEqual([sequence]);
    }
  });
});
