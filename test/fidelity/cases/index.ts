import type { FidelityCase } from '../fidelity-case';
import { bodyCases } from './bodies';
import { headCases } from './heads';
import { methodCases } from './methods';

/** Every program of the rig. */
export const CASES: readonly FidelityCase[] = [...methodCases, ...headCases, ...bodyCases];
