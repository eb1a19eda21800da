import type { RecorderStats } from '../recorder/recorder';

/** One figure of a recorder as monitoring systems want it. */
export interface RecorderMetric {
  /** As words: joined with `_` or `.` by whoever shows it. */
  readonly words: readonly string[];
  /** `counter`: only grows. `gauge`: goes up and down. */
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  /** Of what there is one figure for each, such as `reason`. */
  readonly label?: string;
  /** UCUM, as OpenTelemetry writes units; counts of things are in braces. */
  readonly unit: string;
  /** The present figures by the value of the label, which is '' without one. Seconds and bytes, no multiples. */
  readonly read: (stats: RecorderStats) => Readonly<Record<string, number>>;
}

const one = (figure: number | null): Readonly<Record<string, number>> =>
  figure === null ? {} : { '': figure };

export const RECORDER_METRICS: readonly RecorderMetric[] = [
  {
    words: ['exchanges', 'captured'],
    kind: 'counter',
    help: 'Exchanges that were to be stored',
    unit: '{exchange}',
    read: ({ captured }) => one(captured),
  },
  {
    words: ['exchanges', 'stored'],
    kind: 'counter',
    help: 'Exchanges that are in the database',
    unit: '{exchange}',
    read: ({ stored }) => one(stored),
  },
  {
    words: ['exchanges', 'shed'],
    kind: 'counter',
    help: 'Exchanges that were not stored, by reason',
    label: 'reason',
    unit: '{exchange}',
    read: ({ shed }) => shed,
  },
  {
    words: ['exchanges', 'without', 'bodies'],
    kind: 'counter',
    help: 'Exchanges kept without bodies, by reason',
    label: 'reason',
    unit: '{exchange}',
    read: ({ reduced }) => reduced.bodies,
  },
  {
    words: ['exchanges', 'without', 'headers'],
    kind: 'counter',
    help: 'Exchanges kept without headers, by reason',
    label: 'reason',
    unit: '{exchange}',
    read: ({ reduced }) => reduced.headers,
  },
  {
    words: ['strict', 'failures'],
    kind: 'counter',
    help: 'Answers whose exchange was not committed in time, with durability strict, by reason',
    label: 'reason',
    unit: '{answer}',
    read: ({ strictFailures }) => strictFailures,
  },
  {
    words: ['exchanges', 'left', 'out'],
    kind: 'counter',
    help: 'Exchanges left out on purpose, by sample or skip',
    unit: '{exchange}',
    read: ({ leftOut }) => one(leftOut),
  },
  {
    words: ['exchanges', 'waiting'],
    kind: 'gauge',
    help: 'Exchanges that wait to be stored, in the queue in memory or in the spool on the disk',
    label: 'place',
    unit: '{exchange}',
    read: ({ queued, spooled }) => ({ queue: queued, spool: spooled }),
  },
  {
    words: ['exchanges', 'open'],
    kind: 'gauge',
    help: 'Exchanges in progress',
    unit: '{exchange}',
    read: ({ open }) => one(open),
  },
  {
    words: ['body', 'original'],
    kind: 'counter',
    help: 'Bytes of bodies as they travelled, of exchanges stored',
    unit: 'By',
    read: ({ bytesBefore }) => one(bytesBefore),
  },
  {
    words: ['body', 'stored'],
    kind: 'counter',
    help: 'Bytes that are stored of bodies',
    unit: 'By',
    read: ({ bytesAfter }) => one(bytesAfter),
  },
  {
    words: ['entries', 'evicted'],
    kind: 'counter',
    help: 'Entries deleted before they expired, to keep within maxDatabaseBytes',
    unit: '{entry}',
    read: ({ evicted }) => one(evicted),
  },
  {
    words: ['internal', 'errors'],
    kind: 'counter',
    help: 'Failures inside Recap',
    unit: '{error}',
    read: ({ internalErrors }) => one(internalErrors),
  },
  {
    words: ['paused'],
    kind: 'gauge',
    help: 'One while recording is paused, by reason',
    label: 'reason',
    unit: '1',
    read: ({ pausedFor }) => (pausedFor === null ? {} : { [pausedFor]: 1 }),
  },
  {
    words: ['leaving', 'out'],
    kind: 'gauge',
    help: 'One while something is left out of every exchange, by what it is',
    label: 'part',
    unit: '1',
    read: ({ leavingOut }) => (leavingOut === null ? {} : { [leavingOut]: 1 }),
  },
  {
    words: ['host', 'time', 'per', 'exchange'],
    kind: 'gauge',
    help: 'Seconds that the recorder spends on the thread of the program for an exchange, as a rule',
    unit: 's',
    read: ({ microsPerExchange }) => one(microsPerExchange === null ? null : microsPerExchange / 1e6),
  },
];

export const FLUSH_DURATION = {
  words: ['flush', 'duration'],
  help: 'Seconds from the start of a batch until it was stored',
  unit: 's',
  /** Bounds in seconds: a batch takes a few ms in SQLite, and up to the database’s time limit of 5 s. */
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
} as const;
