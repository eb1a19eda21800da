/*
 * The floors of the packages, from the bottom: an import goes down or stays on its floor, never up and never in
 * a circle. A new room of capture gets its place here.
 */
const floors = {
  storage: {
    path: '^packages/storage/src/',
    rooms: [
      [
        '(clock|errors|load-driver|load-better-sqlite|new-id|well-formed|copy-bytes|json-value|json-filter|owner-token|expiry-heap|in-parallel|writes-in-order|check-client|tls-problem|tell-program)\\.ts$',
      ],
      ['(address-name|backend|byte-range|driver|plain-set|sorted-keys)\\.ts$'],
      [
        '(ask-health|call-deadlines|decode-in-turns|driver-opening|calls-under-way|check-arguments|check-health|stored-value|lifecycle|sweep-timer|to-answer|to-driver-scan|to-driver-write|create-backend|copy-value|check-options|backend-methods)\\.ts$',
      ],
      ['options/'],
      ['backends/', 'resilience/'],
      ['fallback/', 'key-space/'],
      ['cache/', 'database/'],
      ['cached-database/', 'manager/', 'copy/'],
      ['archive/'],
      ['cli/'],
    ],
  },
  capture: {
    path: '^packages/capture/src/',
    rooms: [
      ['(exchange|body-kind|flow-kind|json-depth|fault-point)\\.ts$'],
      ['entries/', 'redaction/', '(codec|compressors|reused-deflate|body-messages)\\.ts$'],
      ['query/', 'tap/', 'flow/', 'sessions/'],
      ['recorder/', 'typeorm/', 'retention/', 'router/'],
      ['worker/', 'spool/', 'metrics/'],
    ],
  },
};

/** One rule per floor: what lies on it imports nothing of its package that lies on no lower or equal floor. */
const upwardRules = Object.entries(floors).flatMap(([name, { path, rooms }]) =>
  rooms.map((floor, height) => {
    const reachable = rooms.slice(0, height + 1).flat();
    return {
      name: `${name}-floor-${height + 1}-imports-down`,
      comment: 'An import goes down, never up.',
      severity: 'error',
      from: { path: floor.map((room) => path + room) },
      to: { path, pathNot: reachable.map((room) => path + room) },
    };
  }),
);

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Files that import each other are one file, or miss a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...upwardRules,
    {
      name: 'adapters-do-not-know-each-other',
      comment: 'What Express and Koa share lies below both.',
      severity: 'error',
      from: { path: '^packages/capture/src/(express|koa)/' },
      to: { path: '^packages/capture/src/(express|koa)/', pathNot: '^packages/capture/src/$1/' },
    },
    {
      name: 'backends-do-not-know-each-other',
      comment: 'A backend shares by a narrower inner contract, and never reaches a store.',
      severity: 'error',
      from: { path: '^packages/storage/src/backends/([^/.]+)' },
      to: {
        path: ['^packages/storage/src/backends/', '^packages/storage/src/(conversation|state|manager)'],
        pathNot: '^packages/storage/src/backends/($1|sql)/',
      },
    },
    {
      name: 'stores-do-not-know-backends',
      severity: 'error',
      from: { path: '^packages/storage/src/(conversation|state)/' },
      to: { path: '^packages/storage/src/backends/' },
    },
    {
      name: 'storage-stands-alone',
      comment: 'examples, test → capture → storage',
      severity: 'error',
      from: { path: '^packages/storage/' },
      to: { path: '^(packages/capture|test|examples)/' },
    },
    {
      name: 'packages-do-not-reach-out',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(test|examples|scripts)/' },
    },
    {
      name: 'packages-meet-at-entry-points',
      severity: 'error',
      from: { path: '^packages/capture/' },
      to: { path: '^packages/storage/', pathNot: '^packages/storage/src/(testing/)?index\\.ts$' },
    },
    {
      name: 'examples-use-entry-points',
      severity: 'error',
      from: { path: '^examples/' },
      to: {
        path: '^packages/',
        pathNot: ['^packages/[^/]+/src/index\\.ts$', '^packages/[^/]+/src/[^/]+/index\\.ts$'],
      },
    },
    {
      name: 'production-does-not-import-testing',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: '^packages/[^/]+/src/testing/' },
      to: { path: '^packages/[^/]+/(test|src/testing)/' },
    },
    {
      name: 'production-imports-what-it-declares',
      comment: 'A user has what package.json of the package names, and nothing else.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-bundled'],
        // An optional peer counts as a peer and, through its entry in peerDependenciesMeta, as unknown.
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'],
      },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      // An optional peer that only test/compat-typeorm-0.3 has installed, and what npm leaves out on Node 20.
      to: { couldNotResolve: true, pathNot: '^(sqlite3|better-sqlite3-napi)$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: {
      path: '^(packages/[^/]+/dist|coverage|test/frameworks|test/bench/peers|test/bench/storage-peers|test/compat-[^/]+/node_modules)/',
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['recap-source', 'import', 'require', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
