const { join } = require('node:path');
const { projects, testTimeout } = require('../../jest.config.js');

const isLong = process.env.RECAP_LONG === '1';
const isNewest = process.versions.node.startsWith('24.');
const ofRoot = (name) => projects.find(({ displayName }) => displayName === name);

/** Tests of the sources. Their workers load the build, so what has one is tested on the packed packages. */
const sources = (project, more) => ({
  ...project,
  rootDir: join(__dirname, '../..'),
  // The other line is compiled for the Node at hand, and npm leaves this one out on Node 20.
  moduleNameMapper: { '^better-sqlite3(-napi)?$': join(__dirname, 'node_modules/better-sqlite3-napi') },
  // Of which of the two is loaded.
  testPathIgnorePatterns: [
    ...(project.testPathIgnorePatterns ?? []),
    '/(sqlite-driver|load-better-sqlite)\\.test\\.ts$',
  ],
  ...more,
});

const packed = {
  displayName: 'packed',
  rootDir: __dirname,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/*.test.cjs'],
  transform: {},
};

module.exports = {
  testTimeout,
  projects: [
    packed,
    ...(isLong || isNewest
      ? [
          sources(ofRoot('fidelity'), {
            testMatch: [`<rootDir>/test/${isLong ? 'fidelity' : 'node-versions'}/*.test.ts`],
          }),
          sources(ofRoot('storage'), {
            testMatch: [`<rootDir>/test/storage/${isLong ? '{memory,file,sqlite}' : 'sqlite'}.test.ts`],
          }),
          sources(ofRoot('unit'), {
            testMatch: [
              `<rootDir>/packages/${isLong ? '*/test' : 'capture/test/{tap,express,koa,flow}'}/**/*.test.ts`,
            ],
          }),
        ]
      : []),
  ],
};
