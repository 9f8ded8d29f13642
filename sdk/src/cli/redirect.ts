import { DRAINING_SHARE, every, wait } from '../core/runtime/clock.js';
import { defined } from '../core/text.js';
import { isHopbackError } from '../errors.js';
import { AuthenticationService, FileCertificateSource, VerificationService } from '../stir/index.js';
import type { SignatureRecord, VerificationPolicy } from '../stir/index.js';
import { RedirectServer } from '../switch/index.js';
import { DEFAULT_REDIRECT_BUDGET_MS, MAX_REDIRECT_BUDGET_MS } from '../switch/redirect/redirect-server.js';
import type { RedirectOutcome } from '../switch/redirect/profile.js';
import { secretFile } from './inputs/key-files.js';
import { EXIT, optionSpecs, refuseOperands } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { countText } from './kit/output.js';
import { createTeller, whenAborted } from './kit/status-line.js';
import { drachtioAddress, keepConnected, loadSrf, redirectSettings, RULE_OPTIONS } from './inputs/redirect-rules.js';
import type { DrachtioLink, LinkOptions, RedirectSettings } from './inputs/redirect-rules.js';
import { openAttestationFile } from './sign.js';
import type { AttestationFile } from './sign.js';
import { attestationPolicyOf, CREDENTIAL_OPTIONS, loadCredentials } from './inputs/signing-options.js';
import {
  allowListOf,
  loadTrust,
  openRepository,
  REPOSITORY_OPTIONS,
  requireTrust,
  TRUST_OPTIONS,
} from './inputs/trust-options.js';

/** With what calls are verified and signed; `policy` is among the facts. */
const SERVICE_OPTIONS = optionSpecs({
  ...TRUST_OPTIONS,
  ...REPOSITORY_OPTIONS,
  'revocation-unknown <CHOICE>': {
    choices: ['indeterminate', 'accept'],
    text: 'if the revocation status of a certificate is unknown: indeterminate (default), or accept with a note',
  },
  ...CREDENTIAL_OPTIONS,
});

/** A service, and what it rests on, which is read again now and then. */
interface Reloadable<Service> {
  readonly service: Service;
  /** Reads files again: what is good takes effect, what is not leaves things as they are. @returns what was wrong */
  readonly reload: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

/** @throws {@link UsageError} when no trust is named; {@link HopbackError} of the files */
async function openVerification(
  options: RedirectOptions,
  io: CliIo,
  timeBudgetMs: number,
): Promise<Reloadable<VerificationService>> {
  requireTrust(options);
  const trustStore = await loadTrust(options, io, io.clock);
  const certificates = await openRepository(options, io);
  const revocationUnknown = options.text('revocation-unknown') as VerificationPolicy['revocationUnknown'] | undefined;
  const service = new VerificationService({
    certificates,
    trustStore,
    timeBudgetMs,
    clock: io.clock,
    policy: defined({ revocationUnknown }),
  });
  return {
    service,
    reload: async () => {
      try {
        service.useTrustStore(await loadTrust(options, io, io.clock));
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    close: () => certificates.close(),
  };
}

/** @throws {@link UsageError} when key, certificate or x5u is not named; {@link HopbackError} of the files */
async function openSigning(
  options: RedirectOptions,
  io: CliIo,
  hearsRequests: boolean,
  onRecord: (record: SignatureRecord) => void,
): Promise<Reloadable<AuthenticationService>> {
  const { signer, spc } = await loadCredentials(options, io);
  const allow = allowListOf(options);
  const source = await FileCertificateSource.open({
    path: options.needed('certificate'),
    x5u: options.needed('x5u'),
    ...defined({ x5uPolicy: allow && { allow } }),
    owner: { spc, publicKey: signer.publicKey, clock: io.clock },
  });
  const service = new AuthenticationService({
    spc,
    signer,
    certificateSource: source,
    clock: io.clock,
    randomUuid: io.randomUuid,
    onRecord,
    policy: await attestationPolicyOf(options, io, hearsRequests),
  });
  return {
    service,
    reload: async () => {
      const reloaded = await source.reload();
      return reloaded.status === 'kept' ? `${reloaded.reason}: ${reloaded.detail}` : undefined;
    },
    close: () => Promise.resolve(),
  };
}

/** How things stand. */
interface RedirectState {
  readonly isConnected: boolean;
  readonly isDraining: boolean;
  /** INVITEs that wait for their answers. */
  readonly open: number;
  readonly answers: Readonly<Record<RedirectOutcome, number>>;
  /** Things that went wrong; the calls were answered. */
  readonly troubles: number;
  /** Attestation records that are lost. */
  readonly recordsLost: number;
}

/** What happened. */
interface RedirectNotice {
  readonly kind: 'connected' | 'unreachable' | 'lost' | 'draining' | 'trouble' | 'not-reloaded';
  readonly detail: string;
}

/** No answers yet. */
const NO_ANSWERS: Readonly<Record<RedirectOutcome, number>> = {
  signed: 0,
  verified: 0,
  'nothing-to-say': 0,
  blocked: 0,
  unavailable: 0,
  forbidden: 0,
};

/** What is told of an error: of errors of others only what they are called, since there may be a telephone number in the rest. */
const troubleText = (error: unknown): string =>
  isHopbackError(error) ? error.message : error instanceof Error ? error.name : typeof error;

function statusText(state: RedirectState): string {
  const { isConnected, isDraining, open } = state;
  const doing = !isConnected ? 'NOT CONNECTED' : isDraining ? 'draining' : 'serving';
  return `${doing}, ${String(open)} open; ${countsText(state)}`;
}

function countsText({ answers, troubles, recordsLost }: RedirectState): string {
  const { signed, verified, blocked, unavailable, forbidden } = answers;
  return [
    `${String(signed)} signed, ${String(verified)} verified, ${String(answers['nothing-to-say'])} left as they were, ` +
      `${String(blocked)} blocked`,
    ...(unavailable > 0 ? [`${String(unavailable)} not served`] : []),
    ...(forbidden > 0 ? [`${String(forbidden)} from unknown sources`] : []),
    ...(troubles > 0 ? [countText(troubles, 'trouble')] : []),
    ...(recordsLost > 0 ? [`${countText(recordsLost, 'attestation record')} LOST`] : []),
  ].join('; ');
}

const MARKS: Readonly<Record<RedirectNotice['kind'], string>> = {
  connected: '✓ connected to',
  unreachable: '!',
  lost: '!',
  draining: '·',
  trouble: '!',
  'not-reloaded': '! not reloaded, the previous files stay in force:',
};

const WORDS = {
  format: 'hopback.redirect',
  document: (state: RedirectState): object => state,
  status: statusText,
  notice: ({ kind, detail }: RedirectNotice): readonly string[] => [`${MARKS[kind]} ${detail}`],
  ended: (state: RedirectState, exitCode: ExitCode): readonly string[] => [
    `${exitCode === EXIT.ok ? '✓' : '!'} ended: ${countsText(state)}`,
  ],
};

type RedirectTeller = ReturnType<typeof createTeller<RedirectState, RedirectNotice>>;

/** An SBC that pings every half a minute notices within that time that it should go elsewhere. */
const DRAIN_SECONDS = 30;
const MAX_DRAIN_SECONDS = 3_600;
/** For files and the connection, after the last answer. */
const TO_CLOSE_SECONDS = 1;
/** How often trust list, CRLs and the certificate are read again: CRLs and lists are renewed daily at most. */
const RELOAD_MS = 3_600_000;
/** How often the status is looked at. */
const TICK_MS = 250;
/** How often a trouble is told; all are counted. */
const TROUBLE_EVERY_MS = 1_000;
/** What verification may use of the time of a call: a certificate that does not come leaves time for the answer that says so. */
const SHARE_OF_VERIFICATION = 0.5;

const OPTIONS = optionSpecs({
  'drachtio <HOST:PORT> [HOPBACK_DRACHTIO]': 'drachtio server that SBCs send their INVITEs to',
  'secret-file <FILE> [HOPBACK_DRACHTIO_SECRET_FILE]': 'file with the secret of the drachtio server',
  ...RULE_OPTIONS,
  'attestations <FILE>': 'file to append attestation records to, one line of JSON for each signature',
  'time-budget <MS>': `how long an INVITE waits for its answer, milliseconds; default ${String(DEFAULT_REDIRECT_BUDGET_MS)}`,
  'drain-seconds <N>': `how long OPTIONS get 503 before the end, while calls are answered; default ${String(DRAIN_SECONDS)}`,
  ...SERVICE_OPTIONS,
});

type RedirectOptions = OptionsOf<typeof OPTIONS>;

const REDIRECT: CommandBody = {
  usage: [
    '--drachtio HOST:PORT --secret-file FILE --mode verify --trust PATH [--trunk-policy FILE] [OPTION...]',
    '--drachtio HOST:PORT --secret-file FILE --mode sign --source ADDRESS... --role ROLE --key FILE --certificate FILE --x5u URL --attestations FILE [OPTION...]',
    '--drachtio HOST:PORT --secret-file FILE --mode by-request --rules FILE [OPTION...]',
  ],
  options: OPTIONS,
  notes: [
    'A signed INVITE gets 302 with Contact and Identity, a verified one 302 with Contact, P-Asserted-Identity and ' +
      'verstat. 404: nothing to add, continue the call; 503: try the next server; 603: end the call. OPTIONS get ' +
      '200 while calls can be served.',
    'Needs a drachtio server and the package drachtio-srf: npm install drachtio-srf. Runs until Ctrl-C or SIGTERM, ' +
      'and reconnects whenever the connection is lost. After the signal, OPTIONS get 503 for --drain-seconds, and ' +
      'open calls get their answers; a second signal ends it at once. Trust, CRLs and the certificate are read ' +
      'again every hour, and at SIGHUP. On a terminal one line shows the status; --json writes one JSON object per ' +
      'line.',
    'Exit codes: 0 stopped; 1 attestation records were lost; 2 command line or input not valid; 4 drachtio-srf is missing, the server refuses the secret, or a key, certificate, trust list or file is ' +
      'not usable.',
    '  hopback redirect --drachtio 127.0.0.1:9022 --secret-file drachtio.secret --mode verify --trust sti-ca-roots/ \\\n' +
      '    --crl sti-pa.crl --crl-signer crl-signer.pem --sti-pa-root sti-pa.pem',
  ],
  run,
};

async function run(options: RedirectOptions, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const order = await orderOf(options, io);
  const answeredWithin = order.timeBudgetMs / 1_000 + TO_CLOSE_SECONDS;
  const stopped = io.stopSignal(() => Math.max(order.drainSeconds, answeredWithin));
  const teller = createTeller(io, options.isOn('json'), WORDS);
  const serving = await openServing(options, io, order, teller);
  io.onHangUp(() => void serving.reload());
  const link = keepConnected({
    ...order,
    onNotice: teller.notice,
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
    const { drainSeconds } = order;
    await drain(serving, link, Math.min(drainSeconds * DRAINING_SHARE, Math.max(0, drainSeconds - answeredWithin)));
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
  /** How long an INVITE waits for its answer. */
  readonly timeBudgetMs: number;
}

/** What is asked for, before anything is opened. @throws {@link UsageError} and {@link HopbackError} for what cannot be */
async function orderOf(options: RedirectOptions, io: CliIo): Promise<Order> {
  const address = drachtioAddress(options.needed('drachtio', 'say which drachtio server: --drachtio HOST:PORT'));
  const secretPath = options.needed('secret-file', '--secret-file FILE is needed: the secret of the drachtio server');
  const Srf = await loadSrf();
  const settings = await redirectSettings(options, io);
  const drainSeconds = options.number('drain-seconds', 0, MAX_DRAIN_SECONDS) ?? DRAIN_SECONDS;
  return {
    address,
    Srf,
    settings,
    drainSeconds,
    timeBudgetMs: options.number('time-budget', 1, MAX_REDIRECT_BUDGET_MS) ?? DEFAULT_REDIRECT_BUDGET_MS,
    secret: await secretFile(secretPath, io),
  };
}

/** SBCs go elsewhere, then the drachtio server refuses what still comes, then what is open is answered. */
async function drain({ server }: Serving, link: DrachtioLink, seconds: number): Promise<void> {
  server.drain();
  // Without a connection nobody asks.
  if (link.isConnected()) await Promise.race([wait(seconds * 1_000), link.refused]);
  link.leave(['invite', 'options']);
  await server.close();
}

type Serving = Awaited<ReturnType<typeof openServing>>;

async function openServing(options: RedirectOptions, io: CliIo, order: Order, teller: RedirectTeller) {
  const { settings, timeBudgetMs } = order;
  const { rules, profile } = settings;
  const answers = { ...NO_ANSWERS };
  const troubles = createTroubles(io, teller);
  const isNeeded = (mode: string): boolean => rules.some((rule) => rule.mode === mode);
  // No signature without the record of its decision.
  const recordsPath = isNeeded('sign')
    ? options.needed('attestations', 'say where attestation records are kept: --attestations FILE', [
        'A provider must be able to show how each attestation was decided.',
      ])
    : undefined;
  const kept: { records?: AttestationFile } = {};
  const signing =
    recordsPath === undefined
      ? undefined
      : await openSigning(options, io, settings.hearsRequests, (record) => kept.records?.keep(record));
  const verification = isNeeded('verify')
    ? await openVerification(options, io, timeBudgetMs * SHARE_OF_VERIFICATION)
    : undefined;
  // Last: what is not understood leaves no file behind.
  if (recordsPath !== undefined) kept.records = await openAttestationFile(recordsPath, troubles.note);
  const server = new RedirectServer({
    rules,
    profile,
    timeBudgetMs,
    onTrouble: troubles.note,
    ...defined({ signing: signing?.service, verification: verification?.service }),
    onAnswered: ({ outcome }) => void (answers[outcome] += 1),
  });
  const parts: readonly (Reloadable<unknown> | undefined)[] = [signing, verification];
  return {
    server,
    state: (link: DrachtioLink): RedirectState => ({
      isConnected: link.isConnected(),
      isDraining: server.isDraining(),
      open: server.open(),
      answers: { ...answers },
      troubles: troubles.count(),
      recordsLost: kept.records?.lost() ?? 0,
    }),
    reload: async () => {
      for (const part of parts) {
        const detail = await part?.reload();
        if (detail !== undefined) teller.notice({ kind: 'not-reloaded', detail });
      }
    },
    close: async () => {
      for (const part of [...parts, kept.records]) await part?.close();
    },
  };
}

function createTroubles(io: CliIo, teller: RedirectTeller) {
  let count = 0;
  let toldAtMs = -Infinity;
  return {
    count: () => count,
    note: (error: unknown) => {
      count += 1;
      const nowMs = io.elapsedMs();
      if (nowMs - toldAtMs < TROUBLE_EVERY_MS) return;
      toldAtMs = nowMs;
      teller.notice({ kind: 'trouble', detail: troubleText(error) });
    },
  };
}

export const COMMANDS = { redirect: REDIRECT };
