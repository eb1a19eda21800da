/**
 * What a program is measured with. `recorder` names the module that starts it, `settings` are handed to it, and
 * `keeps` says what of an exchange is there in the end. With `keepsAll`, an exchange that was answered and is
 * neither stored nor counted as shed fails the run; the others are free to drop, and the table says how many.
 */
const recap = (label, settings = {}, database = 'sqlite') => ({
  label,
  recorder: './recorders/recap.mjs',
  settings,
  database,
  keeps: 'both bodies, redacted and compressed',
  keepsAll: true,
});
const peer = (name, keeps, more = {}) => ({
  label: name,
  recorder: `./peers/${name}.mjs`,
  settings: {},
  keeps,
  keepsAll: false,
  ...more,
});
const logger = (name) => ({
  label: name,
  recorder: `./recorders/${name}.mjs`,
  settings: {},
  keeps: 'one line',
  keepsAll: false,
});

export const VARIANTS = {
  bare: {
    label: 'bare',
    recorder: './recorders/none.mjs',
    settings: {},
    keepsAll: false,
  },
  recap: recap('Recap'),
  'recap-inline': recap('Recap, worker: false', { worker: false }),
  'recap-spooled': recap('Recap, spooled', { durability: 'spooled' }),
  'recap-spooled-inline': recap('Recap, spooled, worker: false', { durability: 'spooled', worker: false }),
  'recap-strict': recap('Recap, strict', { durability: 'strict' }),
  'recap-strict-inline': recap('Recap, strict, worker: false', { durability: 'strict', worker: false }),
  'recap-postgres': recap('Recap, PostgreSQL', {}, 'postgres'),
  'recap-postgres-inline': recap('Recap, PostgreSQL, worker: false', { worker: false }, 'postgres'),
  'recap-postgres-spooled': recap('Recap, PostgreSQL, spooled', { durability: 'spooled' }, 'postgres'),
  'recap-postgres-strict': recap('Recap, PostgreSQL, strict', { durability: 'strict' }, 'postgres'),
  morgan: logger('morgan'),
  'pino-http': logger('pino-http'),
  'express-winston': peer('express-winston', 'both bodies, a line of JSON'),
  'morgan-body': peer('morgan-body', 'both bodies, lines of text'),
  apitally: peer('apitally', 'both bodies, sent to a service', { needsSink: true }),
  moesif: peer('moesif', 'both bodies, sent to a service', { needsSink: true }),
  nestlens: peer('nestlens', 'both bodies'),
  'nestjs-telescope': peer('nestjs-telescope', 'the request body'),
  naive: {
    label: 'two awaited repository.save()',
    recorder: './recorders/naive.mjs',
    settings: {},
    database: 'sqlite',
    keeps: 'both bodies, as they are',
    keepsAll: true,
  },
};
