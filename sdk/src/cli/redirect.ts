import { DRAINING_SHARE, every, wait } from '../core/runtime/clock.js';
import { createRedirectServer, DEFAULT_REDIRECT_BUDGET_MS, MAX_REDIRECT_BUDGET_MS } from '../switch/index.js';
import type { RedirectServer } from '../switch/index.js';
import { openAttestationFile } from './attestation-file.js';
import type { AttestationFile } from './attestation-file.js';
import type { Command } from './command.js';
import { drachtioAddress, keepConnected, whenAborted } from './drachtio-link.js';
import type { DrachtioLink, LinkOptions } from './drachtio-link.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { numberOption, refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { RULE_OPTIONS, redirectSettings } from './redirect-rules.js';
import type { RedirectSettings, RuleOption } from './redirect-rules.js';
import { openSigning, openVerification, SERVICE_OPTIONS } from './redirect-services.js';
import type { Reloadable, ServiceOption } from './redirect-services.js';
import { createRedirectTeller, NO_ANSWERS, troubleText } from './redirect-status.js';
import type { RedirectState, RedirectTeller } from './redirect-status.js';
import { secretFile } from './secret-file.js';
import { loadSrf } from './srf-module.js';
import { UsageError } from './usage-error.js';

type RedirectOption =
  RuleOption | ServiceOption | 'drachtio' | 'secret-file' | 'attestations' | 'time-budget' | 'drain-seconds';
type RedirectOptions = Options<RedirectOption | 'json'>;

/** An SBC that pings every half a minute notices within that time that it should go elsewhere. */
const DRAIN_SECONDS = 30;
const MAX_DRAIN_SECONDS = 3_600;
/** How often trust list, CRLs and the certificate are read again: CRLs and lists are renewed daily at most. */
const RELOAD_MS = 3_600_000;
/** How often the status is looked at. */
const TICK_MS = 250;
/** How often a trouble is told; all are counted. */
const TROUBLE_EVERY_MS = 1_000;
/** What verification may use of the time of a call: a certificate that does not come leaves time for the answer that says so. */
const SHARE_OF_VERIFICATION = 0.5;

const OPTIONS: OptionSpecs<RedirectOption> = {
  drachtio: { value: 'HOST:PORT', env: 'HOPBACK_DRACHTIO', text: 'drachtio server that SBCs send their INVITEs to' },
  'secret-file': { value: 'FILE', env: 'HOPBACK_DRACHTIO_SECRET_FILE', text: 'file with its secret' },
  ...RULE_OPTIONS,
  attestations: { value: 'FILE', text: 'where attestation records are appended, a line of JSON for each signature' },
  'time-budget': {
    value: 'MS',
    text: `how long an INVITE waits for its answer, milliseconds; default ${String(DEFAULT_REDIRECT_BUDGET_MS)}`,
  },
  'drain-seconds': {
    value: 'N',
    text: `how long OPTIONS get 503 before the end, while calls are answered; default ${String(DRAIN_SECONDS)}`,
  },
  ...SERVICE_OPTIONS,
};

/** `hopback redirect` */
export const redirectCommand: Command = {
  name: 'redirect',
  summary: 'answer SBCs that ask by SIP redirect, for signatures and for verdicts',
  usage: [
    '--drachtio HOST:PORT --secret-file FILE --mode verify --trust PATH [--trunk-policy FILE] [OPTION...]',
    '--drachtio HOST:PORT --secret-file FILE --mode sign --source ADDRESS... --role ROLE --key FILE --certificate FILE --x5u URL --attestations FILE [OPTION...]',
    '--drachtio HOST:PORT --secret-file FILE --mode by-request --rules FILE [OPTION...]',
  ],
  options: OPTIONS,
  notes: [
    'An INVITE that is signed gets 302 with Contact and Identity, one that is verified P-Asserted-Identity with verstat. 404 says that there is nothing to ' +
      'add and the call goes on; 503 that the next server may be asked; 603 that it ends. OPTIONS get 200 while calls can be served.',
    'Needs a drachtio server and the package drachtio-srf: npm install drachtio-srf. Runs until Ctrl-C or SIGTERM; the connection is made again ' +
      'whenever it is lost. Then OPTIONS get 503 for --drain-seconds, and calls that are open get their answers; a second signal ends it at once. ' +
      'Trust, CRLs and the certificate are read again every hour, and at SIGHUP. On a terminal one line says how things stand; --json writes one JSON object a line.',
    'Exit codes: 0 ended as asked; 1 attestation records were lost; 2 not understood; 4 drachtio-srf is missing, the server refuses the secret, or a key, certificate, trust list or file is ' +
      'not usable.',
    '  hopback redirect --drachtio 127.0.0.1:9022 --secret-file drachtio.secret --mode verify --trust sti-ca-roots/ \\\n' +
      '    --crl sti-pa.crl --crl-signer crl-signer.pem --sti-pa-root sti-pa.pem',
  ],
  run,
};

async function run(options: RedirectOptions, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const order = await orderOf(options, io);
  const stopped = io.stopSignal(() => order.drainSeconds);
  const teller = createRedirectTeller(io, options.isOn('json'));
  const serving = await openServing(options, io, { settings: order.settings, teller });
  io.onHangUp(() => void serving.reload());
  const link = keepConnected({
    ...{ ...order, onNotice: teller.notice },
    setUp(srf) {
      srf.use('invite', serving.server.invite);
      srf.use('options', serving.server.options);
    },
  });
  const timers = [
    every(() => teller.status(() => serving.state(link)), TICK_MS),
    every(() => void serving.reload(), RELOAD_MS),
  ];
  try {
    await Promise.race([whenAborted(stopped), link.refused]);
    teller.notice({ kind: 'draining', detail: `OPTIONS get 503 for ${String(order.drainSeconds)} s` });
    await drain(serving, link, order.drainSeconds);
  } finally {
    for (const stop of timers) stop();
    await link.close();
    await serving.close();
    teller.end();
  }
  const state = serving.state(link);
  const exitCode = state.recordsLost > 0 ? EXIT.negative : EXIT.ok;
  teller.ended(state, exitCode);
  return exitCode;
}

interface Order extends Pick<LinkOptions, 'address' | 'secret' | 'Srf'> {
  readonly settings: RedirectSettings;
  readonly drainSeconds: number;
}

/** What is asked for, before anything is opened. @throws {@link UsageError} and {@link HopbackError} for what cannot be */
async function orderOf(options: RedirectOptions, io: CliIo): Promise<Order> {
  const at = options.text('drachtio');
  const secretPath = options.text('secret-file');
  if (at === undefined) throw new UsageError('say which drachtio server: --drachtio HOST:PORT');
  const address = drachtioAddress(at);
  if (secretPath === undefined) throw new UsageError('--secret-file FILE is needed: the secret of the drachtio server');
  const Srf = await loadSrf();
  const settings = await redirectSettings(options, io);
  const drainSeconds =
    numberOption(options.text('drain-seconds'), { name: 'drain-seconds', min: 0, max: MAX_DRAIN_SECONDS }) ??
    DRAIN_SECONDS;
  return { address, Srf, settings, drainSeconds, secret: await secretFile(secretPath, io) };
}

/** SBCs go elsewhere, then the drachtio server refuses what still comes, then what is open is answered. */
async function drain({ server }: Serving, link: DrachtioLink, seconds: number): Promise<void> {
  server.drain();
  // Without a connection nobody asks.
  if (link.isConnected()) await Promise.race([wait(seconds * DRAINING_SHARE * 1_000), link.refused]);
  link.leave(['invite', 'options']);
  await server.close();
}

interface Serving {
  readonly server: RedirectServer;
  readonly state: (link: DrachtioLink) => RedirectState;
  readonly reload: () => Promise<void>;
  readonly close: () => Promise<void>;
}

async function openServing(
  options: RedirectOptions,
  io: CliIo,
  { settings, teller }: { readonly settings: RedirectSettings; readonly teller: RedirectTeller },
): Promise<Serving> {
  const { rules, profile } = settings;
  const timeBudgetMs =
    numberOption(options.text('time-budget'), { name: 'time-budget', min: 1, max: MAX_REDIRECT_BUDGET_MS }) ??
    DEFAULT_REDIRECT_BUDGET_MS;
  const answers = { ...NO_ANSWERS };
  const troubles = createTroubles(io, teller);
  const isNeeded = (mode: string): boolean => rules.some((rule) => rule.mode === mode);
  const recordsPath = isNeeded('sign') ? recordsPathOf(options) : undefined;
  const kept: { records?: AttestationFile } = {};
  const signing =
    recordsPath === undefined
      ? undefined
      : await openSigning(options, io, { ...settings, onRecord: (record) => kept.records?.keep(record) });
  const verification = isNeeded('verify')
    ? await openVerification(options, io, timeBudgetMs * SHARE_OF_VERIFICATION)
    : undefined;
  // Last: what is not understood leaves no file behind.
  if (recordsPath !== undefined) kept.records = await openAttestationFile(recordsPath, troubles.note);
  const server = createRedirectServer({
    ...{ rules, profile, timeBudgetMs, onTrouble: troubles.note },
    ...(signing !== undefined && { signing: signing.service }),
    ...(verification !== undefined && { verification: verification.service }),
    onAnswered: ({ outcome }) => void (answers[outcome] += 1),
  });
  const parts: readonly (Reloadable<unknown> | undefined)[] = [signing, verification];
  return {
    server,
    state: (link) => ({
      ...{ isConnected: link.isConnected(), isDraining: server.isDraining(), open: server.open() },
      ...{ answers: { ...answers }, troubles: troubles.count(), recordsLost: kept.records?.lost() ?? 0 },
    }),
    async reload() {
      for (const part of parts) {
        const detail = await part?.reload();
        if (detail !== undefined) teller.notice({ kind: 'not-reloaded', detail });
      }
    },
    async close() {
      for (const part of [...parts, kept.records]) await part?.close();
    },
  };
}

/** @throws {@link UsageError} when no file is named: no signature without the record of its decision */
function recordsPathOf(options: RedirectOptions): string {
  const path = options.text('attestations');
  if (path !== undefined) return path;
  throw new UsageError('say where attestation records are kept: --attestations FILE', [
    'A provider must be able to show how each attestation was decided.',
  ]);
}

interface Troubles {
  readonly note: (error: unknown) => void;
  readonly count: () => number;
}

function createTroubles(io: CliIo, teller: RedirectTeller): Troubles {
  let count = 0;
  let toldAtMs = -Infinity;
  return {
    count: () => count,
    note(error) {
      count += 1;
      const nowMs = io.elapsedMs();
      if (nowMs - toldAtMs < TROUBLE_EVERY_MS) return;
      toldAtMs = nowMs;
      teller.notice({ kind: 'trouble', detail: troubleText(error) });
    },
  };
}
