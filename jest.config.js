/** Packages resolve to their sources (the `recap-source` export condition), so tests need no build. */
const shared = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['recap-source', 'node', 'require', 'default'] },
};

const swc = (decorators) => [
  '@swc/jest',
  {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: decorators === 'legacy' ? { legacyDecorator: true } : { decoratorVersion: '2022-03' },
    },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

/** Our sources are always compiled as they are built, with legacy decorators; the tests of users' code differ. */
const transform = { '\\.standard\\.test\\.ts$': swc('standard'), '^.+\\.tsx?$': swc('legacy') };

const project = (displayName, testMatch, more = {}) => ({
  ...shared,
  displayName,
  testMatch,
  transform,
  ...more,
});

module.exports = {
  // No test waits for time to pass; a slow or busy machine only takes longer, and a server of one's own may be far away.
  testTimeout: ['MONGODB_URL', 'DYNAMODB_ENDPOINT', 'REDIS_URL', 'DATABASE_URL'].some(
    (name) => process.env[name],
  )
    ? 600_000
    : 60_000,
  projects: [
    project('unit', ['<rootDir>/packages/*/test/**/*.test.ts'], {
      testPathIgnorePatterns: ['/node_modules/', '\\.standard\\.test\\.ts$'],
    }),
    project('standard-decorators', ['<rootDir>/packages/*/test/**/*.standard.test.ts']),
    // What spans packages. The folders left out are suites of their own (scripts/test.mjs).
    project('integration', ['<rootDir>/test/**/*.test.ts'], {
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/(package|examples|frameworks|node-versions|fidelity|faults|storage)/',
        '<rootDir>/test/compat-',
      ],
    }),
    // Every suite of @recap/storage on every backend.
    project('storage', ['<rootDir>/test/storage/**/*.test.ts']),
    project('package', ['<rootDir>/test/package/**/*.test.ts']),
    project('fidelity', ['<rootDir>/test/fidelity/**/*.test.ts']),
    // On the packed build, once for the whole suite.
    project('faults', ['<rootDir>/test/faults/**/*.test.ts'], {
      globalSetup: '<rootDir>/test/faults/rig/packed-host.ts',
      globalTeardown: '<rootDir>/test/faults/rig/remove-packed-host.ts',
    }),
    project('examples', ['<rootDir>/test/examples/**/*.test.ts']),
  ],
};
