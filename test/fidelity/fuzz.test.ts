import fc from 'fast-check';
import { anySequence, hostOf, programOf, type CallSequence } from './call-sequence';
import { checkCase } from './check-case';
import found from './found-sequences.json';

/** Sequences that once showed a difference; a new one is added as the failing test prints it. */
const kept = found as unknown as readonly CallSequence[];

const numRuns = Number(process.env['FIDELITY_SEQUENCES'] ?? 2_000);
const seed = process.env['FIDELITY_SEED'];

jest.setTimeout(30 * 60_000);

describe('any sequence of calls on a response', () => {
  it('does the same with Recap, and is recorded as it was sent', async () => {
    await fc.assert(
      fc.asyncProperty(anySequence, async (sequence) => {
        const wrong = await checkCase(programOf(sequence), hostOf(sequence));
        if (wrong.length > 0) throw new Error(`${JSON.stringify(sequence)}\n${wrong.join('\n')}`);
      }),
      { numRuns, ...(seed !== undefined && { seed: Number(seed) }) },
    );
  });

  it('does the same where a difference was found before', async () => {
    for (const sequence of kept) {
      expect([sequence, ...(await checkCase(programOf(sequence), hostOf(sequence)))]).toEqual([sequence]);
    }
  });
});
