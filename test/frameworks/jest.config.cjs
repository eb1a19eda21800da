/** Controllers are compiled as these frameworks ask for: legacy decorators with the types of parameters as metadata. */
const swc = {
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};

module.exports = {
  displayName: 'frameworks',
  rootDir: __dirname,
  testEnvironment: 'node',
  testTimeout: 60_000,
  testMatch: ['<rootDir>/*.test.ts'],
  setupFiles: ['<rootDir>/one-function.cjs'],
  transform: { '\\.ts$': ['@swc/jest', swc] },
};
