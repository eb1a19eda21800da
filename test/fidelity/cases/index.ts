import type { FidelityCase } from '../fidelity-case';
import { abortCases } from './aborts';
import { bodyCases } from './bodies';
import { endingCases } from './endings';
import { headCases } from './heads';
import { methodCases } from './methods';
import { requestCases } from './requests';
import { streamCases } from './streams';

/** Every program of the rig. */
export const CASES: readonly FidelityCase[] = [
  ...methodCases,
  ...headCases,
  ...bodyCases,
  ...streamCases,
  ...requestCases,
  ...endingCases,
  ...abortCases,
];
