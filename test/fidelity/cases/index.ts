import type { FidelityCase } from '../fidelity-case';
import { abortCases } from './aborts';
import { appCases } from './apps';
import { bodyCases } from './bodies';
import { connectionCases } from './connections';
import { endingCases } from './endings';
import { errorCases } from './errors';
import { frameworkCases } from './frameworks';
import { headCases } from './heads';
import { inputCases } from './input';
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
  ...errorCases,
  ...connectionCases,
  ...frameworkCases,
  ...appCases,
  ...inputCases,
];
