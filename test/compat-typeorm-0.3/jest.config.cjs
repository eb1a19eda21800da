const { join } = require('node:path');

module.exports = {
  displayName: 'typeorm-0.3',
  rootDir: __dirname,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/*.test.cjs'],
  transform: {},
  // Resolution goes on upwards from here, where the repository has better-sqlite3: a user of sqlite3 has not.
  moduleNameMapper: { '^better-sqlite3$': join(__dirname, 'absent.cjs') },
};
