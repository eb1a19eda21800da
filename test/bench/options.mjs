import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenarios.mjs';
import { VARIANTS } from './variants.mjs';

export const USAGE = `npm run bench                               the default scenarios, into docs/benchmarks
npm run bench -- --list                     what there is
npm run bench -- --scenario=NAME[,NAME]     some scenarios ("all" for every one)
npm run bench -- --variants=bare,recap      some variants of them
npm run bench -- --sizes=1024,102400        bodies of other sizes, in bytes
npm run bench -- --rounds=5 --seconds=3     more or longer rounds
npm run bench -- --quick                    one round of one second: whether it works, not how fast it is
npm run bench -- --profile=FOLDER           where the time goes, by thread and function; the profiles stay in the folder
npm run bench -- --write                    into docs/benchmarks also what was chosen by these options
npm run bench -- --stretches [--rows=300000]
npm run bench -- --memory [--connections=10000 --readers=500 --mib=1024]
npm run bench -- --storage [--quick] [--backends=memory,postgres] [--write]`;

/** @throws {Error} that says which option is wrong, and what there is. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string' },
      variants: { type: 'string' },
      sizes: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      profile: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const variants = values.variants?.split(',');
  refuseUnknown('variant', variants ?? [], Object.keys(VARIANTS));
  const sizes = values.sizes?.split(',').map((size) => wholeNumber('sizes', size));
  const isNarrowed = Object.keys(values).some((key) => !['write', 'list'].includes(key) && values[key]);
  return {
    list: values.list,
    writes: (values.write && values.profile === undefined) || !isNarrowed,
    rounds: values.rounds === undefined ? undefined : wholeNumber('rounds', values.rounds),
    seconds: values.seconds === undefined ? undefined : wholeNumber('seconds', values.seconds),
    profileFolder: values.profile,
    // Figures of a short run, or of a profiled one, are none.
    isJudged: !values.quick && values.profile === undefined,
    isQuick: values.quick,
    scenarios: chooseScenarios(values.scenario).flatMap((scenario) => narrow(scenario, variants, sizes)),
  };
}

function chooseScenarios(given) {
  if (given === undefined) return SCENARIOS.filter(({ isDefault }) => isDefault);
  if (given === 'all') return SCENARIOS;
  const names = given.split(',');
  const known = SCENARIOS.map(({ name }) => name);
  refuseUnknown('scenario', names, known);
  return SCENARIOS.filter(({ name }) => names.includes(name));
}

/** A scenario with other variants or sizes, and those of its gates that have to do with them. */
function narrow(scenario, variants = scenario.variants, sizes = [scenario.bytes]) {
  return sizes.map((bytes) => {
    const isOwnSize = bytes === scenario.bytes;
    const name = isOwnSize ? scenario.name : `${scenario.name}@${bytes}`;
    const isComparable = (gate) => [gate.of, gate.against].every((each) => variants.includes(each));
    const gates = isOwnSize ? scenario.gates.filter(isComparable) : [];
    return { ...scenario, name, bytes, variants, gates };
  });
}

function refuseUnknown(what, names, known) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no ${what} "${unknown[0]}". There are: ${known.join(', ')}.`);
}

function wholeNumber(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} takes whole numbers from 1 on, not "${text}".`);
  return value;
}

/** Folders of packages that only the benchmark installs, as far as what these arguments choose needs them; wrong arguments choose nothing. */
export function peerFolders(args) {
  const { list, scenarios } = readableOptions(args);
  if (list) return [];
  const variants = scenarios.flatMap((scenario) => scenario.variants);
  const uses = (folder) => variants.some((name) => VARIANTS[name].recorder.startsWith(`./${folder}/`));
  const needsPeers = uses('peers') || scenarios.some(({ framework }) => framework === 'nest');
  return [...(needsPeers ? ['peers'] : []), ...(uses('peers/nestlens') ? ['peers/nestlens'] : [])];
}

function readableOptions(args) {
  try {
    return readOptions(args);
  } catch {
    // Whoever measures says what is wrong with them.
    return { list: true, scenarios: [] };
  }
}
