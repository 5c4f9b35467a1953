/** Tests run on the sources: the `@skep/source` condition resolves sibling packages to `src/`. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/packages', '<rootDir>/examples', '<rootDir>/scripts'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/packages/.*/dist/'],
  testEnvironmentOptions: { customExportConditions: ['@skep/source', 'node', 'node-addons'] },
  setupFilesAfterEnv: ['<rootDir>/scripts/jest-setup.ts'],
  injectGlobals: false,
  // All cores: by default one stays idle, and of two that is half of the machine.
  maxWorkers: '100%',
  // Generous: a loaded machine is slow, and a test that hangs is found all the same.
  testTimeout: 30_000,
  coverageProvider: 'v8',
};
