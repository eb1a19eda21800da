import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const standardTests = 'packages/*/test/**/*.standard.test.ts';
const tests = ['packages/*/test/**/*.ts', 'test/**/*.ts'];

export default defineConfig(
  globalIgnores(['**/dist/', '**/coverage/', '**/node_modules/', '**/.recap/']),
  // Its types are those of packages that only its own runner installs; that runner checks them.
  globalIgnores(['test/frameworks/**/*.ts']),
  // An exception to a rule stands here with its reason, not in the file that wants it.
  { linterOptions: { noInlineConfig: true } },

  // Scripts and settings in plain JavaScript.
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: { ecmaVersion: 'latest' },
    rules: {
      eqeqeq: 'error',
      'no-dupe-keys': 'error',
      'no-empty': 'error',
      'no-unreachable': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      // A method of a contract is async so that what it throws is a rejection, awaiting or not.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      // An index that is known to be within bounds, under noUncheckedIndexedAccess.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What another copy of the package made is used by its shape.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers and booleans read well in messages.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-param-reassign': 'error',
      'prefer-const': 'error',
    },
  },

  // Optional drivers, and what few programs need, are required: `import()` stays one in the build, and fails where users test with Jest.
  {
    files: ['packages/*/src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-require-imports': [
        'error',
        {
          allow: [
            '^(better-sqlite3|better-sqlite3-napi|sqlite3|pg|ioredis|mongodb|@aws-sdk/client-dynamodb|yaml|fast-check)$',
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportExpression',
          message: "Use require('…'): under Jest, import() of the built package fails.",
        },
      ],
    },
  },

  // TypeORM asks for classes, and the newer of its two lines deprecates what the older one needs.
  {
    files: ['packages/capture/src/typeorm/**/*.ts'],
    rules: { '@typescript-eslint/no-extraneous-class': 'off', '@typescript-eslint/no-deprecated': 'off' },
  },
  // The one place that prints when the host gave no logger.
  { files: ['packages/capture/src/recorder/failure-log.ts'], rules: { 'no-console': 'off' } },

  // Standard decorators are compiled with settings of their own.
  {
    files: [standardTests],
    languageOptions: { parserOptions: { project: './tsconfig.standard.json' } },
  },

  // A test says what it knows about its data, hands over wrong shapes on purpose and stubs what it does not need.
  {
    files: tests,
    rules: {
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'no-console': 'off',
    },
  },
  // `const { it, expect } = …`: a test framework's functions need no `this`.
  { files: ['packages/*/src/testing/**/*.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  // Runs a program as a page of the documentation prints it.
  { files: ['test/storage/guide.test.ts'], rules: { '@typescript-eslint/no-implied-eval': 'off' } },
  { files: ['examples/**/*.ts'], rules: { 'no-console': 'off' } },
);
