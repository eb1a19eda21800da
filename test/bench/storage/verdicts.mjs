import { median } from '../figures.mjs';
import { gatesOf, labelOf, textOf } from './plan.mjs';

const find = (results, wanted) =>
  results.find((result) => ['subject', 'operation', 'callers'].every((key) => result[key] === wanted[key]));

/** Median, least and most of what one subject has for each operation of another in the same round. */
export function ratioOf(own, other) {
  return spreadOf(own.rounds.map(({ perSecond }, round) => perSecond / other.rounds[round].perSecond));
}

export function spreadOf(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** The bare driver's results for the same operation and callers, if it can do it. */
export function sameOf(subject, { operation, callers }, results) {
  return find(results, { subject, operation, callers });
}

/** Holds a backend's gates against what was measured. A gate without `against` is of operations per second. */
export function judge(backend, results) {
  return gatesOf(backend).map((gate) => {
    const { of, against, operation, callers } = gate;
    const own = find(results, { subject: of, operation, callers });
    const other = against && find(results, { subject: against, operation, callers });
    const opponent = against === undefined ? 'operations/s' : `against ${labelOf(against, backend)}`;
    const verdict = {
      ...gate,
      backend,
      what: `${labelOf(of, backend)} ${opponent}: ${textOf(operation)}, ${callers} callers`,
    };
    if (own === undefined || (against !== undefined && other === undefined))
      return { ...verdict, state: 'not measured' };
    const seen = other ? ratioOf(own, other) : spreadOf(own.rounds.map(({ perSecond }) => perSecond));
    return { ...verdict, ...seen, state: seen.median >= gate.gate ? 'held' : 'missed' };
  });
}
