import { appendFileSync, cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/** What is wrong with a build: code that is put at the end of one of its files. */
interface Break {
  readonly file: string;
  readonly code: string;
}

const processes = (code: string): Break => ({
  file: 'recorder/batch-processor.js',
  code: `const { process: whole } = exports.BatchProcessor.prototype;
let batches = 0;
exports.BatchProcessor.prototype.process = async function (name, read, tellsPlaces) {
  batches += 1;
  ${code}
};`,
});

/** Recorders that do wrong. Each of them has to be found. */
export const BREAKS = {
  'forgets a batch': processes(`
  if (batches % 2 === 1) return whole.call(this, name, read, tellsPlaces);
  return { ...exports.emptyOutcome(), stored: read().length };`),
  'forgets one exchange of a batch, and says so to nobody': processes(`
  const outcome = await whole.call(this, name, () => read().slice(1), tellsPlaces);
  return { ...outcome, stored: outcome.stored + 1 };`),
  'stores an exchange twice': {
    file: 'typeorm/append-entries.js',
    code: `const append = exports.appendEntries;
exports.appendEntries = (database, entries, options) => {
  const [first] = entries;
  return append(database, [...entries, { ...first, id: first.id.slice(0, -4) + '0000' }], options);
};`,
  },
  'takes the answer of one exchange for that of another': {
    file: 'recorder/spooled-entry.js',
    code: `const decode = exports.decodeSpooledEntry;
let before;
exports.decodeSpooledEntry = (bytes) => {
  const spooled = decode(bytes);
  const { responseBody } = spooled.entry;
  if (before !== undefined) spooled.entry.responseBody = before;
  before = responseBody;
  return spooled;
};`,
  },
  'redacts nothing': {
    file: 'recorder/entry-tools.js',
    code: `const make = exports.createEntryTools;
exports.createEntryTools = (spec) => make({ ...spec, redaction: false });`,
  },
  'leaves alone what a killed process spooled': {
    file: 'spool/journal.js',
    code: 'exports.Journal.prototype.load = async () => undefined;',
  },
} satisfies Record<string, Break>;

/** A program with a build that is broken so. */
export function breakBuild(how: Break, folder: string): string {
  const whole = process.env['RECAP_FAULTS_CONSUMER'];
  if (whole === undefined) throw new Error('The packed build is not there.');
  const consumer = join(folder, 'consumer');
  cpSync(whole, consumer, { recursive: true, verbatimSymlinks: true });
  const file = join(consumer, 'node_modules/@recap/capture/dist', how.file);
  if (!existsSync(file)) throw new Error(`The build has no ${how.file} to be broken.`);
  // The last line of a compiled file is a comment, and has no end.
  appendFileSync(file, `\n${how.code}`);
  return consumer;
}
