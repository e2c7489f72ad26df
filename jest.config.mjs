const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }],
  },
  extensionsToTreatAsEsm: ['.ts'],
  // '#platform/…' means the sources here, the build at run time.
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.spacerent/'],
};

export default {
  maxWorkers: 1,
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      displayName: 'parts',
      testMatch: [
        '<rootDir>/{platform,router,supervisor,subgraphs/*}/test/**/*.test.ts',
        '<rootDir>/tests/faults/*/*.test.ts',
      ],
      globalSetup: './tests/support/start-servers.mjs',
      globalTeardown: './tests/support/stop-all.mjs',
    },
    {
      ...shared,
      displayName: 'whole',
      testMatch: ['<rootDir>/tests/{,faults/,security/}*.test.ts'],
      globalSetup: './tests/support/start-systems.mjs',
      globalTeardown: './tests/support/stop-all.mjs',
    },
  ],
};
