import { parseArgs } from 'node:util';
import { OPERATIONS } from './operations.mjs';
import { BACKENDS, CALLERS, SUBJECTS } from './plan.mjs';

export const USAGE = `npm run bench -- --storage                     the storage backends beside their bare drivers and keyv
npm run bench -- --storage --backends=memory,postgres
npm run bench -- --storage --subjects=raw,contract --operations=get,set --callers=64
npm run bench -- --storage --rounds=5 --ms=1000   more or longer rounds
npm run bench -- --storage --quick             one short round: whether it works, not how fast it is
npm run bench -- --storage --profile=FOLDER    where the time goes, by function; the profiles stay in the folder
npm run bench -- --storage --write             into docs/benchmarks/storage.md`;

/** @throws {Error} that says which option is wrong, and what there is. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      storage: { type: 'boolean' },
      backends: { type: 'string' },
      subjects: { type: 'string' },
      operations: { type: 'string' },
      callers: { type: 'string' },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      profile: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const { quick, profile } = values;
  const ms = wholeNumber('ms', values.ms ?? (quick ? '50' : profile ? '2000' : '600'));
  const forUse = Object.keys(SUBJECTS).filter((name) => !SUBJECTS[name].isForTests);
  return {
    backends: choose('backend', values.backends, Object.keys(BACKENDS)),
    subjects: choose('subject', values.subjects, Object.keys(SUBJECTS), forUse),
    operations: choose('operation', values.operations, Object.keys(OPERATIONS)),
    callers: values.callers?.split(',').map((count) => wholeNumber('callers', count)) ?? CALLERS,
    rounds: wholeNumber('rounds', values.rounds ?? (quick || profile ? '1' : '5')),
    ms,
    // A program that has just begun is compiled while it runs, one with more code for longer.
    warmMs: quick ? ms : Math.max(ms, 3_000),
    profileFolder: profile,
    writes: values.write && profile === undefined,
    // Figures of a short run, or of a profiled one, are none.
    isJudged: !quick && profile === undefined,
  };
}

function choose(what, given, known, usual = known) {
  if (given === undefined) return usual;
  const names = given.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`There is no ${what} "${unknown}". There are: ${usual.join(', ')}.`);
  return names;
}

function wholeNumber(name, text) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name} takes whole numbers from 1 on, not "${text}".`);
}
