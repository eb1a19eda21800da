/**
 * What a program is measured with. `recorder` names the module that starts it, `settings` are handed to it;
 * `configuration` and the version of `package` are for readers. With `keepsAll`, an exchange that was answered and is
 * neither stored nor counted as shed fails the run; the others are free to drop, and the table says how many. Those
 * that are `isForTests` break it on purpose.
 */
const recap = (label, settings, database, configuration) => ({
  label: `Recap${label}`,
  recorder: './recorders/recap.mjs',
  settings,
  database,
  keepsAll: true,
  configuration,
});
const peer = (name, folder, configuration, more = {}) => ({
  label: name,
  package: name,
  recorder: `./${folder}/${name}.mjs`,
  settings: {},
  keepsAll: false,
  configuration,
  ...more,
});

const oneLine = { chartNote: 'one line' };
const spooled = { durability: 'spooled' };
const strict = { durability: 'strict' };
const inline = { worker: false };

const broken = (kind) => ({
  label: kind,
  recorder: './recorders/broken.mjs',
  settings: { kind },
  keepsAll: true,
  isForTests: true,
});

export const VARIANTS = {
  bare: {
    label: 'bare',
    recorder: './recorders/none.mjs',
    settings: {},
    keepsAll: false,
    keepsNothing: true,
    configuration: 'the program alone.',
  },
  recap: recap(
    '',
    {},
    'sqlite',
    'as it comes: SQLite, `durability: "buffered"`, both bodies redacted and compressed in a worker.',
  ),
  'recap-inline': recap(', no worker', inline, 'sqlite', '`worker: false`.'),
  'recap-spooled': recap(', spooled', spooled, 'sqlite', '`durability: "spooled"`.'),
  'recap-spooled-inline': recap(
    ', spooled, no worker',
    { ...spooled, ...inline },
    'sqlite',
    '`durability: "spooled"`, `worker: false`.',
  ),
  'recap-strict': recap(', strict', strict, 'sqlite', '`durability: "strict"`.'),
  'recap-strict-inline': recap(
    ', strict, no worker',
    { ...strict, ...inline },
    'sqlite',
    '`durability: "strict"`, `worker: false`.',
  ),
  'recap-postgres': recap(
    ', PostgreSQL',
    {},
    'postgres',
    'a PostgreSQL on the same machine that syncs every commit.',
  ),
  'recap-postgres-inline': recap(
    ', PostgreSQL, no worker',
    inline,
    'postgres',
    'the same PostgreSQL, `worker: false`.',
  ),
  'recap-postgres-spooled': recap(
    ', PostgreSQL, spooled',
    spooled,
    'postgres',
    'the same PostgreSQL, `durability: "spooled"`.',
  ),
  'recap-postgres-strict': recap(
    ', PostgreSQL, strict',
    strict,
    'postgres',
    'the same PostgreSQL, `durability: "strict"`.',
  ),
  morgan: peer('morgan', 'recorders', 'one line without bodies, format `combined`, into a file.', oneLine),
  'pino-http': peer(
    'pino-http',
    'recorders',
    'one line without bodies, into a file, asynchronously, 4 KiB at a time.',
    oneLine,
  ),
  'express-winston': peer(
    'express-winston',
    'peers',
    'both bodies on its lists of what is logged, as JSON, into a file; nothing redacted.',
  ),
  'morgan-body': peer(
    'morgan-body',
    'peers',
    'both bodies up to 1 MiB instead of 1,000 characters, a line each, without colours, into a file; nothing redacted.',
  ),
  apitally: peer(
    'apitally',
    'peers',
    'headers and bodies of both sides, masked by its rules, sent to a sink on this machine instead of its service; by design it keeps at most the last 100 requests of a second, and bodies up to 50,000 bytes.',
    { needsSink: true },
  ),
  moesif: peer(
    'moesif',
    'peers',
    '`logBody`, bodies up to 1 MiB instead of 100,000 bytes, batches of 200, sent to a sink on this machine instead of its service.',
    { needsSink: true, package: 'moesif-nodejs' },
  ),
  nestlens: peer('nestlens', 'peers/nestlens', 'its SQLite store, bodies up to 1 MiB instead of 64 KiB.'),
  'nestjs-telescope': peer(
    'nestjs-telescope',
    'peers',
    'its SQLite store, without the protection that stops recording while the event loop is late; it has no way to keep the response body.',
    { chartNote: 'no response body', package: '@dudousxd/nestjs-telescope' },
  ),
  naive: {
    label: 'two awaited save()',
    package: 'typeorm',
    recorder: './recorders/naive.mjs',
    settings: {},
    database: 'sqlite',
    keepsAll: true,
    configuration:
      "TypeORM's `repository.save()` awaited before the handler and before the answer, a row each, in a table with Recap's columns and indexes, with WAL and `synchronous = NORMAL`; nothing redacted or compressed.",
  },
  least: {
    label: 'the least',
    recorder: './recorders/least.mjs',
    settings: {},
    keepsAll: true,
    configuration:
      'some lines by hand: both bodies in batches to a worker, compressed together, one row with two indexes in SQLite; no redaction, headers, sessions or limits. What it takes, no recorder of bodies can save.',
  },
  forgetful: broken('forgetful'),
  shedding: broken('shedding'),
  doubling: broken('doubling'),
};
