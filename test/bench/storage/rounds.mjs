import { NodeProcess } from '../node-process.mjs';
import { profilerArguments } from '../profiles.mjs';
import { CALLERS, SUBJECTS } from './plan.mjs';
import { OPERATIONS } from './operations.mjs';

const isBackward = (round) => round % 2 === 1;

/**
 * Measures the subjects on a backend in turn, round after round, each in a process of its own that stays; every other
 * round goes backwards, so that none always comes after the same one.
 *
 * @param {{ backend: string, subjects: string[], operations: string[], callers: number[], rounds: number, ms: number,
 *   warmMs: number, isQuick: boolean, places: object, profileFolder?: string, tell: (text: string) => void }} options
 * @returns {Promise<{ results: object[], leftOut: Record<string, string> }>} a result of each subject for each
 *   operation and number of callers, with its figures by round
 */
export async function measureBackend(options) {
  const { subjects, operations, callers = CALLERS, tell } = options;
  const leftOut = {};
  const programs = new Map();
  try {
    for (const subject of subjects) {
      try {
        programs.set(subject, await startProgram(subject, options));
      } catch (error) {
        if (error.code !== 'UNAVAILABLE') throw error;
        leftOut[subject] = error.message;
      }
    }
    const results = [];
    for (const operation of operations)
      for (const count of callers) {
        tell(`${options.backend}: ${OPERATIONS[operation].text}, callers: ${count}`);
        results.push(...(await measureOperation(operation, count, programs, options)));
      }
    return { results, leftOut };
  } finally {
    for (const { program } of programs.values()) await program.release();
    for (const { place } of programs.values()) await place.remove();
  }
}

async function startProgram(subject, { backend, places, profileFolder }) {
  const place = await places.create(backend);
  const { module } = SUBJECTS[subject];
  const argument = { module: module(backend), kind: subject, place: place.settings };
  const nodeArguments = profilerArguments(profileFolder, subject);
  const program = new NodeProcess(`${backend}, ${subject}`, [], './storage/subject-program.mjs', argument, {
    nodeArguments,
  });
  try {
    const { operations } = await program.answer();
    return { program, place, operations };
  } catch (error) {
    await program.stop();
    await place.remove();
    throw error;
  }
}

async function measureOperation(operation, callers, programs, { rounds, ms, warmMs, isQuick }) {
  const able = [...programs].filter(([, { operations }]) => operations.includes(operation));
  // What writes leave behind, of which a quicker subject made more, is not the next operation's to go over.
  for (const [, { place }] of able) await place.tidy?.();
  const results = able.map(([subject]) => ({ subject, operation, callers, rounds: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const result of isBackward(round) ? results.toReversed() : results) {
      const { program } = programs.get(result.subject);
      result.rounds.push(await program.ask({ operation, callers, ms, warmMs, isQuick }));
    }
  }
  return results;
}
