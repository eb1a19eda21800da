import { VARIANTS } from './variants.mjs';

/** What of a measurement is compared with what another variant had in the same round, and how. */
export const FIGURES = {
  throughput: {
    text: 'requests/s',
    compare: (own, other) => own.perSecond / other.perSecond,
    unit: '',
    isBetterBelow: false,
  },
  p99: { text: 'p99', compare: (own, other) => own.p99 / other.p99, unit: '', isBetterBelow: true },
  addedP50: {
    text: 'added p50',
    compare: (own, other) => own.p50 - other.p50,
    unit: ' ms',
    isBetterBelow: true,
  },
  addedP99: {
    text: 'added p99',
    compare: (own, other) => own.p99 - other.p99,
    unit: ' ms',
    isBetterBelow: true,
  },
  addedMainMicros: {
    text: 'added work of the main thread per exchange',
    compare: (own, other) => own.mainMicros - other.mainMicros,
    unit: ' µs',
    isBetterBelow: true,
  },
};

/** The value below which so large a part of them lies. */
export function quantile(values, part) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, least and most of what one variant has against another, round by round. */
export function against(figure, own, other) {
  const values = own.map((each, round) => FIGURES[figure].compare(each, other[round]));
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/**
 * Holds a scenario's gates against what was measured.
 *
 * @returns {{ text: string, state: 'held' | 'missed' | 'not measured', … }[]}
 */
export function judge(gates, results) {
  return gates.map((gate) => {
    const { text, isBetterBelow, unit } = FIGURES[gate.figure];
    const [own, other] = [results[gate.of], results[gate.against]];
    const verdict = {
      what: `${VARIANTS[gate.of].label} against ${VARIANTS[gate.against].label}: ${text}`,
      unit,
      ...gate,
    };
    if (own === undefined || other === undefined) return { ...verdict, state: 'not measured' };
    const seen = against(gate.figure, own, other);
    const notWhole = total(own, ['withoutBodies', 'shed', 'lost']);
    // A recorder that leaves out what costs time holds nothing by it.
    const reaches = (limit) =>
      notWhole === 0 && (isBetterBelow ? seen.median <= limit : seen.median >= limit);
    return {
      ...verdict,
      ...seen,
      answered: total(own, ['answered']),
      notWhole,
      state: gate.gate === undefined || reaches(gate.gate) ? 'held' : 'missed',
      isAimReached: gate.aim !== undefined && reaches(gate.aim),
    };
  });
}

function total(own, keys) {
  return own.reduce((sum, each) => sum + keys.reduce((part, key) => part + (each[key] ?? 0), 0), 0);
}
