import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = (path: string): string => `${root}sdk/src/${path}`;
const harness = (path: string): string => `${root}harness/src/${path}`;

// Tests run against the sources, so that a stack trace and a coverage line point at what a person edits;
// test/package runs against the packed tarball instead.
const alias = [
  { find: /^@hopback\/sdk$/, replacement: source('index.ts') },
  { find: /^@hopback\/sdk\/errors$/, replacement: source('errors.ts') },
  { find: /^@hopback\/sdk\/(\w+)$/, replacement: source('$1/index.ts') },
  { find: /^@hopback\/harness$/, replacement: harness('index.ts') },
  { find: /^@hopback\/harness\/(\w+)$/, replacement: harness('$1/index.ts') },
];

const project = (name: string, options: { readonly testTimeout?: number } = {}) => ({
  resolve: { alias },
  test: { name, root, include: [`test/${name}/**/*.test.ts`], testTimeout: options.testTimeout ?? 10_000 },
});

export default defineConfig({
  test: {
    root,
    reporters: ['default', `${root}test/house/summary-reporter.ts`],
    projects: [
      project('unit'),
      project('property', { testTimeout: 120_000 }),
      project('peers', { testTimeout: 60_000 }),
      project('faults', { testTimeout: 60_000 }),
      project('e2e', { testTimeout: 60_000 }),
      project('package', { testTimeout: 240_000 }),
    ],
  },
});
