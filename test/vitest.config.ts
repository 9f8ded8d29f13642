import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Where sources with planted defects lie, while `npm run source-mutants` runs. */
const planted = process.env['HOPBACK_SOURCES'];
const source = (path: string): string => `${planted ?? root}sdk/src/${path}`;
const harness = (path: string): string => `${planted ?? root}harness/src/${path}`;

// Tests run against the sources, so that a stack trace and a coverage line point at what a person edits;
// test/package runs against the packed tarball instead.
const sources = [
  { find: /^@hopback\/sdk$/, replacement: source('index.ts') },
  { find: /^@hopback\/sdk\/errors$/, replacement: source('errors.ts') },
  { find: /^@hopback\/sdk\/(\w+)$/, replacement: source('$1/index.ts') },
  { find: /^@hopback\/sdk\/internal\/(cli|runtime)$/, replacement: source('internal/$1.ts') },
  { find: /^@hopback\/harness$/, replacement: harness('index.ts') },
  { find: /^@hopback\/harness\/(\w+)$/, replacement: harness('$1/index.ts') },
  ...(planted === undefined
    ? []
    : [{ find: /^(?:\.\.\/)+(sdk|harness)\/src\/(.+\.js)$/, replacement: `${planted}$1/src/$2` }]),
];

// What has just built the packages may say so: Node then loads what is compiled, which it does without us, where each process has to have
// each source transformed and handed over before. Who names a package gets it through node_modules, as a carrier does.
const compiled = [{ find: /^(?:\.\.\/)+(sdk|harness)\/src\/(.+\.js)$/, replacement: `${root}$1/dist/$2` }];
const isBuilt = process.env['HOPBACK_BUILT'] === '1';

/** Tests that drive other SIP programs, whose timers are real: they run when all others are through. */
const SIP_PEERS = [
  ...['conformance-matrix', 'drachtio-kamailio', 'drachtio-srf', 'drachtio-tshark', 'kamailio', 'own-switch'],
  ...['records-kamailio', 'sidecar-kamailio', 'switch-redirect-sipp'],
].map((name) => `test/peers/${name}.test.ts`);

const SCENARIOS = 'test/e2e/scenarios.test.ts';
const FAULTS_ALONE = 'test/faults/alone/*.test.ts';

/** The slowest files begin first, so that none of them is left for one worker at the end. */
const SLOWEST = [
  ...['e2e/scenarios', 'package/packages', 'e2e/taken-ports', 'e2e/cli-stop', 'e2e/harness-stop'],
  ...['peers/own-switch', 'peers/drachtio-srf', 'peers/conformance-matrix'],
];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = SLOWEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return place === -1 ? SLOWEST.length : place;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

/** For a test that hangs, not for one that is slow: seconds of work are a minute where ten others share the processor. */
const PATIENCE_MS = 60_000;

/**
 * PGlite is a machine of WebAssembly, and hardly any test has one for more than seconds: to have V8 optimize it takes a quarter of the processor time of such
 * files, and it is done when most of their statements are.
 */
const NODE_FLAGS = ['--liftoff-only'];

interface ProjectOptions {
  readonly testTimeout?: number;
  /**
   * Whether the files of the project run in the processes of the workers one after the other, with the modules that are loaded already:
   * to load the sources anew takes longer than most of the files. They mock no modules then, which `npm run check -- suites` sees to.
   */
  readonly sharesProcesses?: boolean;
  /** Whether its files run when those of all other projects are through, or then also one after the other. */
  readonly runs?: 'last' | 'alone';
  /** Its files. Default those of the folder below `test/` that has its name. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Default as many as there are processors. */
  readonly workers?: number;
}

const project = (
  name: string,
  {
    testTimeout = PATIENCE_MS,
    sharesProcesses,
    runs,
    include = [`test/${name}/**/*.test.ts`],
    exclude = [],
    workers,
  }: ProjectOptions = {},
) => ({
  resolve: { alias: isBuilt ? compiled : sources },
  test: {
    name,
    root,
    include: [...include],
    exclude: [...exclude],
    setupFiles: [
      ...(name === 'unit' ? [`${root}test/support/unit-setup.ts`] : []),
      ...(process.env['HOPBACK_REACHED'] === undefined ? [] : [`${root}test/mutants/reached-defects.ts`]),
    ],
    testTimeout,
    hookTimeout: PATIENCE_MS,
    execArgv: NODE_FLAGS,
    isolate: sharesProcesses !== true,
    ...(workers !== undefined && { maxWorkers: workers }),
    fileParallelism: runs !== 'alone',
    sequence: { groupOrder: runs === 'alone' ? 2 : runs === 'last' ? 1 : 0 },
    server: { deps: { external: [/\/(?:sdk|harness)\/dist\//] } },
  },
});

export default defineConfig({
  test: {
    root,
    // On two processors vitest would keep one for itself, although it is idle once the sources are transformed.
    maxWorkers: '100%',
    sequence: { sequencer: SlowestFirst },
    reporters: ['default', `${root}test/house/summary-reporter.ts`],
    projects: [
      project('unit', { sharesProcesses: true }),
      project('integration', { sharesProcesses: true }),
      project('property', { testTimeout: 120_000, sharesProcesses: true }),
      project('peers', { sharesProcesses: true, exclude: SIP_PEERS }),
      // Most of their time is waiting for timers of SIP.
      project('sip-peers', { sharesProcesses: true, runs: 'last', include: SIP_PEERS, workers: 4 }),
      // The two that `npm run faults` runs, and `npm test` does not.
      project('faults', { exclude: [FAULTS_ALONE] }),
      project('faults-alone', { runs: 'alone', include: [FAULTS_ALONE] }),
      // Its number of tests at once would be that of all files that share its process.
      project('scenarios', { include: [SCENARIOS] }),
      project('e2e', { sharesProcesses: true, exclude: [SCENARIOS] }),
      project('package', { testTimeout: 240_000 }),
    ],
  },
});
