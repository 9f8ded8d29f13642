import { resolve } from 'node:path';
import { startAdmin, startSidecar } from '../sidecar/index.js';
import type { Listener, Setting, SidecarConfiguration, SidecarNotice, SidecarOptions } from '../sidecar/index.js';
import { openAttestationFile } from './attestation-file.js';
import type { AttestationFile } from './attestation-file.js';
import type { Command } from './command.js';
import { CONFIGURATION_OPTIONS, configurationOf, problemLines, settingsOf } from './configuration-options.js';
import type { ConfigurationOption, ReadConfiguration } from './configuration-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options } from './options.js';
import { printLines } from './output.js';
import { createServeLog } from './serve-log.js';
import type { ServeLog } from './serve-log.js';
import { isWorker, leaveWorkers, startWorkers, workerLink } from './serve-workers.js';

type ServeOption = ConfigurationOption | 'workers';

/** `hopback serve` */
export const serveCommand: Command = {
  name: 'serve',
  summary: 'answer switches over HTTP: verify and sign their calls',
  usage: ['[--config FILE] [--set PATH=VALUE]... [--workers N]'],
  options: {
    ...CONFIGURATION_OPTIONS,
    workers: { value: 'N', text: 'processes that answer, in place of what the configuration says' },
  },
  notes: [
    'Answers POST /stir/v1/signing and /stir/v1/verification (ATIS-1000082, 3GPP TS 24.229), /v1/check and /v1/sign-csv (as secsipidx does), /v1/invite/verify and ' +
      '/v1/invite/sign (a SIP INVITE as text), GET /livez, /readyz, /metrics and /openapi.json. Changed files are noticed, and at SIGHUP at once: what cannot be ' +
      'used leaves everything as it was. SIGTERM and Ctrl-C let requests under way end, within drainSeconds; a second one ends it at once. The log goes to the output, a JSON object a line.',
    'Exit codes: 0 ended as asked; 2 the configuration is wrong; 4 a file or address that it names cannot be used.',
  ],
  run,
};

async function run(options: Options<ServeOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --config.']);
  const onHangUp = hangUps(io);
  try {
    const settings = allSettings(options);
    const read = await configurationOf(options, io, settings);
    if (read.status === 'read') return await serve(read, { io, settings, onHangUp });
    printLines(io, problemLines(read.path, read.problems), io.stderr);
    return EXIT.usage;
  } finally {
    leaveWorkers();
  }
}

/** Hears of each SIGHUP. */
type OnHangUp = (listener: () => void) => void;

/** From here on, also while it starts, a SIGHUP does not end the process. */
function hangUps(io: CliIo): OnHangUp {
  let current: (() => void) | undefined;
  io.onHangUp(() => current?.());
  return (listener) => void (current = listener);
}

type Read = Extract<ReadConfiguration, { readonly status: 'read' }>;

interface Means {
  readonly io: CliIo;
  readonly settings: readonly Setting[];
  readonly onHangUp: OnHangUp;
}

async function serve(read: Read, { io, settings, onHangUp }: Means): Promise<ExitCode> {
  const output = await io.openLog();
  let inForce: () => SidecarConfiguration = () => read.configuration;
  const log = createServeLog(output, () => inForce().log);
  const isWatching = !isWorker() && read.configuration.workers > 1;
  const attestations = isWatching ? undefined : await attestationsOf(read, log);
  const options: SidecarOptions = {
    configurationPath: read.path,
    ...{ environment: io.env, settings, onNotice: log.notice, onVerified: log.verified, onAnswered: log.answered },
    ...(attestations !== undefined && { onSignature: attestations.keep }),
  };
  const follow = (configuration: () => SidecarConfiguration): void => void (inForce = configuration);
  const drainSeconds = (): number => inForce().drainSeconds;
  const parts: Parts = { io, log, follow, onHangUp, drainSeconds, configuration: read.configuration };
  try {
    if (isWorker()) return await serveAsWorker(options, parts);
    return await (isWatching ? watchWorkers(options, parts) : serveAlone(options, parts));
  } finally {
    await attestations?.close();
    await output.close();
  }
}

interface Parts {
  readonly io: CliIo;
  readonly log: ServeLog;
  /** Says by whose configuration the log goes from now on. */
  readonly follow: (configuration: () => SidecarConfiguration) => void;
  readonly onHangUp: OnHangUp;
  /** As of the configuration in force. */
  readonly drainSeconds: () => number;
  /** As it was read at the start. */
  readonly configuration: SidecarConfiguration;
}

/** Each process that signs appends to the one file. */
async function attestationsOf(
  { configuration: { signing }, directory }: Read,
  log: ServeLog,
): Promise<AttestationFile | undefined> {
  if (signing?.attestations === undefined) return undefined;
  return openAttestationFile(resolve(directory, signing.attestations), ({ message: text }) =>
    log.notice({ level: 'error', part: 'attestations', text }),
  );
}

const allSettings = (options: Options<ServeOption>): readonly Setting[] => [
  ...settingsOf(options),
  ...(options.text('workers') === undefined
    ? []
    : [{ path: ['workers'], value: Number(options.text('workers')), from: '--workers' }]),
];

async function serveAlone(
  options: SidecarOptions,
  { io, log, follow, onHangUp, drainSeconds }: Parts,
): Promise<ExitCode> {
  const stopped = io.stopSignal(drainSeconds);
  const sidecar = await startSidecar(options);
  follow(sidecar.configuration);
  onHangUp(() => void sidecar.reload());
  log.ready({ calls: urlOf(sidecar.calls), ...adminUrl(sidecar.admin), ...sidecar.readiness() });
  await whenAborted(stopped);
  log.notice(ENDING);
  await sidecar.close();
  return EXIT.ok;
}

const ENDING: SidecarNotice = { level: 'info', part: 'serve', text: 'ends: requests under way are let end' };

async function serveAsWorker(options: SidecarOptions, { log, follow }: Parts): Promise<ExitCode> {
  const link = workerLink();
  const sidecar = await startSidecar({ ...options, metricsText: link.metricsText, role: 'calls' });
  follow(sidecar.configuration);
  await link.serve(sidecar);
  log.notice(ENDING);
  await sidecar.close();
  return EXIT.ok;
}

async function watchWorkers(
  options: SidecarOptions,
  { io, log, follow, onHangUp, configuration, drainSeconds }: Parts,
): Promise<ExitCode> {
  const stopped = io.stopSignal(drainSeconds);
  const workers = await startWorkers({ count: configuration.workers, onNotice: log.notice });
  const metricsText = async (own: () => Promise<string>): Promise<string> =>
    `${await workers.metricsText()}${await own()}`;
  try {
    const admin = await startAdmin({ ...options, metricsText, isServing: () => workers.pids().length > 0 });
    follow(admin.configuration);
    onHangUp(() => {
      workers.reload();
      void admin.reload();
    });
    log.ready({ ...{ port: workers.port, workers: workers.pids() }, ...adminUrl(admin.listener) });
    await whenAborted(stopped);
    await Promise.all([admin.close(), workers.close(drainSeconds() * 1_000)]);
  } finally {
    await workers.close(drainSeconds() * 1_000);
  }
  return EXIT.ok;
}

const adminUrl = (listener: Listener | undefined): { readonly admin?: string } =>
  listener === undefined ? {} : { admin: urlOf(listener) };

function urlOf({ isTls, host, port }: Listener): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${isTls ? 'https' : 'http'}://${shown}:${String(port)}`;
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
}
