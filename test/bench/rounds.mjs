import { measure, measureInTurns } from './measure.mjs';

/**
 * Measures a scenario's variants in turn, round after round, so that a busy moment of the machine hits all of them;
 * every other round goes backwards, so that none always comes after the same one.
 *
 * @param {{ rounds: number, seconds: number, databases: object, tell: (text: string) => void }} options
 * @returns {Promise<{ results: Record<string, object[]>, leftOut: Record<string, string> }>}
 */
export async function runScenario(scenario, { rounds, seconds, databases, tell }) {
  const leftOut = {};
  const results = {};
  let names = scenario.variants;
  const note = (name, result) => (results[name] ??= []).push(result);

  for (let round = 0; round < rounds; round += 1) {
    tell(`${scenario.name}: round ${round + 1} of ${rounds}`);
    if (scenario.load.kind === 'in turns') {
      const measured = await measureInTurns(names, scenario, databases);
      for (const [name, result] of Object.entries(measured)) note(name, result);
      continue;
    }
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      try {
        note(name, await measure(name, scenario, seconds, databases));
      } catch (error) {
        if (error.code !== 'UNAVAILABLE') throw error;
        leftOut[name] = error.message;
        tell(`${scenario.name}: without ${name}: ${error.message}`);
      }
    }
    names = names.filter((name) => !(name in leftOut));
  }
  return { results, leftOut };
}
