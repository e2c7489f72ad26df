import { testFilesByNeed } from './tests/support/test-files.mjs';

const { unit, integration, each, embedded, faults } = testFilesByNeed();
const profiles = (process.env.SPACERENT_TEST_PROFILES ?? 'embedded').split(',');

const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }],
  },
  extensionsToTreatAsEsm: ['.ts'],
  // '#platform/…' means the sources here, the build at run time.
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.spacerent/'],
  setupFilesAfterEnv: ['<rootDir>/tests/support/seeded-properties.ts'],
};

export default {
  maxWorkers: 1,
  testTimeout: 60_000,
  // All random values follow from one seed, which is printed.
  showSeed: true,
  testSequencer: './tests/support/random-order.mjs',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: unit,
      globalTeardown: './tests/support/stop-all.mjs',
    },
    ...[
      ['integration', integration],
      ['faults', faults],
    ].map(([displayName, testMatch]) => ({
      ...shared,
      displayName,
      testMatch,
      globalSetup: './tests/support/start-servers.mjs',
      globalTeardown: './tests/support/stop-all.mjs',
    })),
    {
      ...shared,
      displayName: 'e2e',
      testMatch: [...each, ...(profiles.includes('embedded') ? embedded : [])],
      globalSetup: './tests/support/start-systems.mjs',
      globalTeardown: './tests/support/stop-all.mjs',
    },
  ],
};
