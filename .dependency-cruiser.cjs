// Who may import whom. Each folder of the sdk and of the harness names what it may reach; everything else is refused, Node's own
// modules and npm packages included. `npm run check` runs this over sdk, harness, examples and test.

const own = (folder) => `^sdk/src/${folder}/`;
const index = (folder) => `^sdk/src/${folder}/index\\.ts$`;
const errors = '^sdk/src/errors\\.ts$';
const anyIndex = '^sdk/src/(index|errors)\\.ts$|^sdk/src/[^/]+/index\\.ts$';
const npm = (...names) => `node_modules/(${names.join('|')})/`;

/** Every folder of the sdk that has a rule below. */
const FOLDERS = [
  'core',
  'stir',
  'log',
  'contract',
  'platform',
  'records',
  'traceback',
  'switch',
  'sidecar',
  'cli',
  'testing',
  'itg-core',
  'internal',
];

/** Beside its own files a folder may reach what is listed, and Node's modules. */
const folder = (name, allowed) => ({
  name: `sdk-${name}`,
  severity: 'error',
  comment: `sdk/src/${name} reaches further than its place in the picture allows.`,
  from: { path: own(name) },
  to: { pathNot: [own(name), ...allowed], dependencyTypesNot: ['core'] },
});

const inHarness = (folder) => `^harness/src/${folder}/`;
/** Entries of the sdk, as the harness finds them: compiled. */
const sdkEntry = (...entries) => `^sdk/dist/(internal/(index|runtime)|${entries.join('|')})\\.(d\\.ts|js)$`;

/** Every folder of the harness that has a rule below. */
const HARNESS_FOLDERS = [
  ...['drachtio', 'faults', 'phones', 'platform', 'laboratory', 'conformance', 'cli'],
  ...['scenario', 'network', 'oracle', 'simulation', 'report', 'runner', 'vitest'],
];

const harnessFolder = (name, allowed) => ({
  name: `harness-${name}`,
  severity: 'error',
  comment: `harness/src/${name} reaches further than its place in the test network allows.`,
  from: { path: inHarness(name) },
  to: { pathNot: [inHarness(name), ...allowed], dependencyTypesNot: ['core'] },
});

const harnessIndex = (folder) => `^harness/src/${folder}/index\\.ts$`;

const inPlatform = (folder) => `^harness/src/platform/${folder}/`;
/** Parts of the platform with tables of their own: they know each other by the ports in its core. */
const PLATFORM_AREAS = [
  'alerts',
  'audit',
  'campaigns',
  'demands',
  'events',
  'providers',
  'records',
  'tracebacks',
  'trust',
];
const platformArea = (name) => ({
  name: `platform-${name}`,
  severity: 'error',
  comment: `harness/src/platform/${name} knows other areas by the ports in core alone.`,
  from: { path: inPlatform(name) },
  to: {
    path: '^harness/src/platform/',
    pathNot: [inPlatform(name), inPlatform('core'), inPlatform('domain'), '^harness/src/platform/database/index\\.ts$'],
  },
});

const inDrachtio = (folder) => `^harness/src/drachtio/${folder}/`;
const drachtioFile = (...names) => `^harness/src/drachtio/(${names.join('|')})\\.ts$`;
/** What every part of the drachtio server may speak of. */
const drachtioWords = drachtioFile(
  'clock',
  'flat-text',
  'identifiers',
  'passing-map',
  'received',
  'timers',
  'transport/flow',
);

/** The layers of the drachtio server, as RFC 3261 section 5 has them: each knows those below it. */
const drachtioLayer = (name, allowed) => ({
  name: `drachtio-${name}`,
  severity: 'error',
  comment: `harness/src/drachtio/${name} looks up, or past the layer below it.`,
  from: { path: inDrachtio(name) },
  to: { path: '^harness/src/drachtio/', pathNot: [inDrachtio(name), ...allowed] },
});

const onlyFrom = (name, package_, places, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: '^(sdk|harness)/src/', pathNot: places },
  to: { path: npm(package_) },
});

module.exports = {
  forbidden: [
    {
      name: 'sdk-unknown-folder',
      severity: 'error',
      comment: 'A file or folder that nobody has given a place in the picture: write a rule for it first.',
      from: { path: '^sdk/src/', pathNot: [...FOLDERS.map(own), '^sdk/src/(index|errors)\\.ts$'] },
      to: {},
    },
    {
      name: 'sdk-unknown-folder-imported',
      severity: 'error',
      comment: 'As above, seen from whoever imports it: a file without imports has none that could be refused.',
      from: {},
      to: { path: '^sdk/src/', pathNot: [...FOLDERS.map(own), '^sdk/src/(index|errors)\\.ts$'] },
    },
    {
      name: 'sdk-core',
      severity: 'error',
      comment:
        'core is vocabulary: it imports nothing at all, not even from Node. Only core/runtime knows the machine.',
      from: { path: own('core'), pathNot: '^sdk/src/core/runtime/' },
      to: { pathNot: own('core') },
    },
    folder('core/runtime', [errors]),
    folder('internal', [
      '^sdk/src/cli/kit/',
      own('core'),
      own('contract'),
      own('stir'),
      own('log'),
      own('traceback'),
      own('itg-core'),
      own('platform'),
    ]),
    folder('itg-core', [own('core'), own('contract'), own('traceback')]),
    {
      name: 'sdk-errors',
      severity: 'error',
      comment: 'errors.ts stands alone.',
      from: { path: errors },
      to: {},
    },
    folder('stir', [
      own('core'),
      errors,
      npm('jose', 'lru-cache', 'http-cache-semantics', '@types/http-cache-semantics'),
    ]),
    folder('log', [own('core'), errors]),
    folder('contract', [own('core'), errors, npm('zod')]),
    folder('platform', [own('core'), own('contract'), errors, npm('jose', 'zod')]),
    folder('records', [
      own('core'),
      errors,
      own('log'),
      own('contract'),
      own('platform'),
      npm('zod', '@duckdb/[a-z0-9-]+', '@clickhouse/client', 'pg', '@types/pg', '@nats-io/[a-z0-9-]+'),
    ]),
    {
      name: 'sdk-records-platform-types-only',
      severity: 'error',
      comment: 'records knows the platform by its types: no code of it may be loaded.',
      from: { path: own('records') },
      to: { path: own('platform'), dependencyTypesNot: ['type-only'] },
    },
    folder('traceback', [
      own('core'),
      own('contract'),
      errors,
      own('records'),
      own('platform'),
      own('log'),
      npm('jose', 'zod', 'postal-mime', 'pdfkit', '@types/pdfkit'),
    ]),
    folder('switch', [own('core'), own('contract'), errors, own('stir'), own('records'), npm('drachtio-srf')]),
    {
      name: 'sdk-switch-drachtio-types-only',
      severity: 'error',
      comment: "the switch folder knows drachtio-srf by its shape; loading it is the application's business.",
      from: { path: own('switch') },
      to: { path: npm('drachtio-srf'), dependencyTypesNot: ['type-only'] },
    },
    folder('sidecar', [
      own('core'),
      own('contract'),
      own('stir'),
      own('switch'),
      anyIndex,
      own('records'),
      own('traceback'),
      npm('zod', 'hono', '@hono/[a-z0-9-]+', 'yaml', 'prom-client'),
    ]),
    folder('cli', [
      npm('commander'),
      own('core'),
      own('contract'),
      own('stir'),
      own('switch'),
      own('testing'),
      anyIndex,
      own('records'),
      own('sidecar'),
      own('traceback'),
      npm('drachtio-srf', 'jose', 'zod', 'yaml', 'pino', 'prom-client'),
    ]),
    folder('testing', [
      own('core'),
      own('contract'),
      own('stir'),
      anyIndex,
      own('traceback'),
      own('itg-core'),
      npm('jose', 'msw'),
    ]),
    {
      name: 'sdk-index',
      severity: 'error',
      comment: 'The root of the package re-exports; it holds no code of its own.',
      from: { path: '^sdk/src/index\\.ts$' },
      to: { pathNot: [index('[^/]+'), errors] },
    },
    {
      name: 'nobody-imports-testing',
      severity: 'error',
      comment: 'The test kit is for tests; of all others only commands may reach for it.',
      from: { path: '^sdk/src/', pathNot: [own('testing'), own('cli')] },
      to: { path: own('testing') },
    },
    {
      name: 'nobody-imports-cli',
      severity: 'error',
      comment: 'Commands are leaves; their kit is shared with the harness through internal.',
      from: { path: '^(sdk|harness)/src/', pathNot: '/src/cli/|^sdk/src/internal/' },
      to: { path: '/src/cli/' },
    },
    {
      name: 'harness-by-package-name',
      severity: 'error',
      comment: 'The harness uses @hopback/sdk as a stranger would: by its exports, never by a path into it.',
      from: { path: '^harness/src/' },
      to: { path: '^sdk/', dependencyTypes: ['local'] },
    },
    {
      name: 'harness-by-exports',
      severity: 'error',
      comment: 'What @hopback/sdk does not export is not for the harness.',
      from: { path: '^harness/src/' },
      to: { path: '^sdk/', pathNot: '^sdk/dist/(index|errors|internal/(cli|runtime)|[a-z]+/index)[.](d[.]ts|js)$' },
    },
    {
      name: 'harness-unknown-folder',
      severity: 'error',
      comment: 'A file or folder that nobody has given a place in the test network: write a rule for it first.',
      from: {},
      to: { path: '^harness/src/', pathNot: [...HARNESS_FOLDERS.map(inHarness), '^harness/src/(index|version)\\.ts$'] },
    },
    {
      name: 'harness-index',
      severity: 'error',
      comment: 'The root of the package re-exports; it holds no code of its own.',
      from: { path: '^harness/src/(index|version)\\.ts$' },
      to: { pathNot: ['^harness/src/(network/)?[^/]+/index\\.ts$', '^harness/src/version\\.ts$'] },
    },
    harnessFolder('faults', [sdkEntry('errors'), npm('zod')]),
    harnessFolder('drachtio', [sdkEntry('errors'), npm('ws', '@types/ws')]),
    harnessFolder('phones', [
      sdkEntry('errors', 'stir/index'),
      drachtioFile('clock'),
      npm('sip\\.js', 'ws', '@types/ws'),
    ]),
    harnessFolder('laboratory', [sdkEntry('testing/index'), npm('zod')]),
    harnessFolder('conformance', [
      ...[sdkEntry('errors', 'stir/index', 'testing/index'), harnessIndex('laboratory')],
      '^harness/src/version\\.ts$',
      npm('zod'),
    ]),
    harnessFolder('platform', [
      sdkEntry('errors', 'platform/index', 'traceback/index', 'records/index', 'log/index'),
      '^harness/src/version\\.ts$',
      npm(
        'hono',
        '@hono/[a-z-]+',
        'kysely',
        '@electric-sql/[a-z-]+',
        'pg',
        '@types/pg',
        'zod',
        'jose',
        'csv-parse',
        'pdfkit',
      ),
    ]),
    ...PLATFORM_AREAS.map(platformArea),
    {
      name: 'platform-domain',
      severity: 'error',
      comment: 'What the platform thinks is pure: no database, no HTTP, no file.',
      from: { path: inPlatform('domain') },
      to: {
        pathNot: [
          inPlatform('domain'),
          inPlatform('core'),
          sdkEntry('errors', 'platform/index', 'traceback/index', 'records/index'),
          npm('zod', 'csv-parse'),
          '^buffer$',
        ],
      },
    },
    {
      name: 'platform-core',
      severity: 'error',
      comment: 'The core of the platform is types.',
      from: { path: inPlatform('core') },
      to: { pathNot: inPlatform('core'), dependencyTypesNot: ['type-only'] },
    },
    // Which entries of the sdk there are, harness-by-exports knows.
    harnessFolder('scenario', [sdkEntry('errors'), npm('zod', 'yaml', 'csv-parse')]),
    // Plan and truth know the scenario alone; whoever carries a plan out knows the world.
    harnessFolder('network', [
      ...['^sdk/dist/', harnessIndex('scenario'), harnessIndex('oracle'), harnessIndex('drachtio')],
      ...[harnessIndex('phones'), harnessIndex('faults'), harnessIndex('platform'), drachtioFile('clock')],
      harnessIndex('laboratory'),
      npm('drachtio-srf', 'jose'),
    ]),
    {
      name: 'network-plan-and-truth',
      severity: 'error',
      comment: 'What is true must not be learnt from what is under test.',
      from: { path: '^harness/src/network/(plan|truth)/' },
      to: {
        pathNot: [
          ...['^harness/src/network/(plan|truth)/', harnessIndex('scenario'), harnessIndex('faults')],
          sdkEntry('errors'),
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    harnessFolder('oracle', [
      // What is suspicious is what carriers share by: it has no truth of its own.
      ...[sdkEntry('errors', 'stir/index', 'records/index'), harnessIndex('scenario')],
      ...['^harness/src/network/(plan|truth)/index\\.ts$', '^harness/src/platform/domain/alerts/area-codes\\.ts$'],
    ]),
    harnessFolder('simulation', [
      ...[sdkEntry('errors', 'stir/index', 'traceback/index', 'records/index', 'platform/index')],
      ...[harnessIndex('scenario'), harnessIndex('oracle'), harnessIndex('faults')],
      '^harness/src/network/(plan|truth)/index\\.ts$',
    ]),
    harnessFolder('report', [
      ...[sdkEntry('errors'), harnessIndex('scenario'), harnessIndex('oracle'), harnessIndex('network')],
      ...[
        '^harness/src/network/(plan|truth|world)/index\\.ts$',
        ...[harnessIndex('drachtio'), harnessIndex('laboratory')],
        '^harness/src/version\\.ts$',
      ],
      npm('@dagrejs/dagre', 'zod'),
    ]),
    harnessFolder('runner', [
      ...['^sdk/dist/', '^harness/src/[^/]+/index\\.ts$', '^harness/src/network/(plan|truth|world)/index\\.ts$'],
      '^harness/src/version\\.ts$',
      npm('hono', '@hono/node-server', 'zod'),
    ]),
    harnessFolder('vitest', [harnessIndex('oracle'), harnessIndex('runner'), npm('vitest')]),
    harnessFolder('cli', [
      ...['^sdk/dist/', '^harness/src/(index|version)\\.ts$', '^harness/src/[^/]+/index\\.ts$'],
      // The command of the platform is part of it; the tables of its routes are loaded without it.
      ...['^harness/src/platform/(reference/|database/index\\.ts$)', '^harness/src/platform/operator-routes\\.ts$'],
      // Words and texts of their folders, without what else is loaded with those.
      ...['^harness/src/conformance/conformance-run\\.ts$', '^harness/src/report/sip-text\\.ts$'],
      npm('zod', 'pdfkit', '@types/pdfkit'),
    ]),
    {
      name: 'drachtio-message-alone',
      severity: 'error',
      comment: 'Messages are text: what reads and writes them needs nothing of Node or npm.',
      from: { path: inDrachtio('message') },
      to: { pathNot: '^harness/src/drachtio/' },
    },
    {
      name: 'drachtio-words',
      severity: 'error',
      comment: 'What all layers speak of knows none of them but messages.',
      from: { path: drachtioWords },
      to: { path: '^harness/src/drachtio/', pathNot: [drachtioWords, inDrachtio('message')] },
    },
    drachtioLayer('message', [drachtioFile('transport/flow')]),
    drachtioLayer('observe', [drachtioWords]),
    drachtioLayer('transport', [drachtioWords, inDrachtio('message')]),
    drachtioLayer('transaction', [drachtioWords, inDrachtio('message')]),
    drachtioLayer('control', [drachtioWords]),
    drachtioLayer('dialog', [drachtioWords, inDrachtio('message'), drachtioFile('control/app-connection')]),
    {
      name: 'drachtio-dialog-application-type-only',
      severity: 'error',
      comment: 'A dialog belongs to an application; it does not speak to it.',
      from: { path: inDrachtio('dialog') },
      to: { path: inDrachtio('control'), dependencyTypesNot: ['type-only'] },
    },
    drachtioLayer('agent', [
      drachtioWords,
      ...['message', 'transaction', 'dialog', 'control'].map(inDrachtio),
      drachtioFile('transport/transports'),
    ]),
    drachtioLayer('proxy', [
      drachtioWords,
      ...['message', 'transaction', 'dialog', 'control', 'agent'].map(inDrachtio),
      drachtioFile('transport/transports'),
    ]),
    {
      name: 'sdk-without-harness',
      severity: 'error',
      comment: 'The sdk knows nothing of the harness.',
      from: { path: '^sdk/src/' },
      to: { path: '^harness/|node_modules/@hopback/' },
    },
    {
      name: 'examples-as-strangers',
      severity: 'error',
      comment: 'Examples show what a user writes: package names, no paths into the sources.',
      from: { path: '^examples/' },
      to: { path: '^(sdk|harness|test)/', dependencyTypesNot: ['aliased-workspace'] },
    },
    onlyFrom(
      'drachtio-srf-places',
      'drachtio-srf',
      ['^harness/src/network/', own('switch'), '^sdk/src/cli/'],
      'drachtio-srf belongs to harness/network; the sdk knows it by type, and the redirect command loads it.',
    ),
    onlyFrom('sip-js-places', 'sip\\.js', ['^harness/src/phones/'], 'sip.js belongs to harness/phones.'),
    {
      name: 'zod-off-the-call-path',
      severity: 'error',
      comment: 'What a switch runs for each call reads what it is given by hand.',
      from: { path: '^sdk/src/(core|stir|log|switch)/|^harness/src/drachtio/' },
      to: { path: 'node_modules/zod/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Code that loads itself means that two files are one. Types may look at each other within a folder.',
      from: { path: '^(sdk|harness)/src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'An import that leads nowhere.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      comment: 'A package that package.json does not declare for those who install us.',
      from: { path: '^(sdk|harness)/src/' },
      to: {
        pathNot: '^sdk/dist/',
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
        // An optional peer dependency is declared, and counted as undeclared for standing in peerDependenciesMeta too.
        dependencyTypesNot: ['type-only', 'npm-peer'],
      },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: ['^\\.cache/'] },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.d.ts', '.json'],
    },
  },
};
