import { resolve } from 'node:path';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { defined } from '../core/text.js';
import { startAdmin } from '../sidecar/admin/start-admin.js';
import type { SidecarConfiguration } from '../sidecar/config/configuration.schema.js';
import type { VerifiedCall } from '../sidecar/http/call-context.js';
import type { AnsweredRequest } from '../sidecar/http/serve-calls.js';
import type { SidecarNotice } from '../sidecar/services/files.js';
import { Sidecar } from '../sidecar/sidecar.js';
import type { ProcessOptions, SidecarOptions } from '../sidecar/sidecar.js';
import { maskTelephoneNumber } from '../stir/index.js';
import { CONFIGURATION_OPTIONS, configurationOf, problemLines, settingsOf } from './inputs/key-files.js';
import { EXIT, optionSpecs, refuseOperands } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import type { CliIo, CliLog } from './kit/node-io.js';
import { printLines } from './kit/output.js';
import { whenAborted } from './kit/status-line.js';
import { isWorker, leaveWorkers, startWorkers, workerLink } from './serve-workers.js';
import { openAttestationFile } from './sign.js';
import type { AttestationFile } from './sign.js';

/** The log of a sidecar: a JSON object a line, telephone numbers masked. */
type ServeLog = ReturnType<typeof createServeLog>;

/**
 * @param log - where lines go
 * @param configuration - in force: its level and which calls get a line; asked each time, so that a reload is heard
 */
function createServeLog(log: CliLog, configuration: () => SidecarConfiguration['log']) {
  const logger: Logger = pino(
    {
      level: 'debug',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => log.write(line) },
  );
  const isLogged = (level: keyof typeof LEVELS): boolean => LEVELS[level] >= LEVELS[configuration().level];
  return {
    notice: ({ level, part, text }: SidecarNotice) => {
      if (isLogged(level)) logger[level]({ part }, text);
    },
    verified: ({ verdict, requestId, trunk, callId }: VerifiedCall) => {
      const { calls } = configuration();
      if (calls === 'none' || (calls === 'poor' && verdict.status === 'passed') || !isLogged('info')) return;
      const { orig, dest } = verdict.evidence.request;
      logger.info(
        {
          requestId,
          callId,
          trunk,
          verstat: verdict.verstat,
          attestation: verdict.attestation,
          reasons: verdict.reasons,
          from: orig && maskTelephoneNumber(orig),
          to: dest && maskTelephoneNumber(dest),
        },
        'call verified',
      );
    },
    answered: (answered: AnsweredRequest) => {
      if (answered.status >= 400 && isLogged('debug')) logger.debug({ ...answered }, 'request refused');
    },
    ready: (fields: Readonly<Record<string, unknown>>) => logger.info(fields, 'ready'),
  };
}

const LEVELS = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: 100,
} as const;

const OPTIONS = optionSpecs({
  ...CONFIGURATION_OPTIONS,
  'workers <N>': 'number of processes, instead of the one in the configuration',
});

const SERVE: CommandBody = {
  usage: ['[--config FILE] [--set PATH=VALUE]... [--workers N]'],
  options: OPTIONS,
  notes: [
    'Answers POST /stir/v1/signing and /stir/v1/verification (ATIS-1000082, 3GPP TS 24.229), /v1/check and ' +
      '/v1/sign-csv (as secsipidx does), /v1/invite/verify and /v1/invite/sign (a SIP INVITE as text), GET /livez, ' +
      '/readyz, /metrics and /openapi.json. The server reloads changed files within reloadSeconds, or at once on ' +
      'SIGHUP. If any changed file cannot be used, it keeps all old ones. After SIGTERM or Ctrl-C, the ' +
      'server finishes the requests in progress within drainSeconds. A second signal ends it at once. The log goes to standard output, one JSON ' +
      'object per line.',
    'Exit codes: 0 stopped; 2 the configuration is wrong; 4 a file or address that it names cannot be used.',
  ],
  run,
};

async function run(options: OptionsOf<typeof OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --config.']);
  // From here on, also while it starts, a SIGHUP does not end the process.
  const hangUp = { reload: (): void => undefined };
  io.onHangUp(() => hangUp.reload());
  try {
    const workers = options.text('workers');
    const own = workers === undefined ? [] : [{ path: ['workers'], value: Number(workers), from: '--workers' }];
    const settings = [...settingsOf(options), ...own];
    const { path, directory, read } = await configurationOf(options, io, settings);
    if (read.status === 'read') {
      const { configuration } = read;
      return await serve({ configurationPath: path, environment: io.env, settings }, directory, {
        io,
        configuration,
        hangUp,
      });
    }
    printLines(io, problemLines(path, read.problems), io.stderr);
    return EXIT.usage;
  } finally {
    leaveWorkers();
  }
}

/** What the processes of a service share with their command. */
interface Service {
  readonly io: CliIo;
  /** As it was read at the start. */
  readonly configuration: SidecarConfiguration;
  /** What is done at a SIGHUP. */
  readonly hangUp: { reload: () => void };
}

/** The same, once there is a log. */
interface Running extends Service {
  readonly log: ServeLog;
  /** The configuration in force, by which the log goes. */
  readonly inForce: { configuration: () => SidecarConfiguration };
  readonly drainSeconds: () => number;
}

async function serve(options: SidecarOptions, directory: string, service: Service): Promise<ExitCode> {
  const { io, configuration } = service;
  const output = await io.openLog();
  const inForce = { configuration: () => configuration };
  const log = createServeLog(output, () => inForce.configuration().log);
  const drainSeconds = (): number => inForce.configuration().drainSeconds;
  const running: Running = { ...service, log, inForce, drainSeconds };
  const { notice: onNotice, verified: onVerified, answered: onAnswered } = log;
  const told: SidecarOptions = { ...options, onNotice, onVerified, onAnswered };
  let attestations: AttestationFile | undefined;
  try {
    if (!isWorker() && configuration.workers > 1) return await watchWorkers(told, running);
    const path = configuration.signing?.attestations;
    // Each process that signs appends to the one file.
    if (path !== undefined)
      attestations = await openAttestationFile(resolve(directory, path), ({ message: text }) =>
        onNotice({ level: 'error', part: 'attestations', text }),
      );
    const signing: SidecarOptions = { ...told, ...defined({ onSignature: attestations?.keep }) };
    return await (isWorker() ? serveAsWorker(signing, running) : serveAlone(signing, running));
  } finally {
    await attestations?.close();
    await output.close();
  }
}

async function serveAlone(
  options: SidecarOptions,
  { io, log, inForce, hangUp, drainSeconds }: Running,
): Promise<ExitCode> {
  const stopped = io.stopSignal(drainSeconds);
  const sidecar = await Sidecar.start(startedInto(inForce, options));
  hangUp.reload = () => void sidecar.reload();
  log.ready({ calls: urlOf(sidecar.calls), ...adminUrl(sidecar.admin), ...sidecar.readiness() });
  await whenAborted(stopped);
  log.notice(ENDING);
  await sidecar.close();
  return EXIT.ok;
}

function startedInto(inForce: Running['inForce'], options: ProcessOptions): ProcessOptions {
  return { ...options, onStarted: (configuration) => (inForce.configuration = configuration) };
}

const ENDING: SidecarNotice = { level: 'info', part: 'serve', text: 'ends: requests under way are let end' };

async function serveAsWorker(options: SidecarOptions, { log, inForce }: Running): Promise<ExitCode> {
  const link = workerLink();
  const sidecar = await Sidecar.start(
    startedInto(inForce, { ...options, metricsText: link.metricsText, role: 'calls' }),
  );
  await link.serve(sidecar);
  log.notice(ENDING);
  await sidecar.close();
  return EXIT.ok;
}

async function watchWorkers(
  options: SidecarOptions,
  { io, log, inForce, hangUp, configuration, drainSeconds }: Running,
): Promise<ExitCode> {
  const stopped = io.stopSignal(drainSeconds);
  const workers = await startWorkers({ count: configuration.workers, onNotice: log.notice });
  const metricsText = async (own: () => Promise<string>): Promise<string> =>
    `${await workers.metricsText()}${await own()}`;
  try {
    const admin = await startAdmin({ ...options, metricsText }, () => workers.pids().length > 0);
    inForce.configuration = admin.configuration;
    hangUp.reload = () => {
      workers.reload();
      void admin.reload();
    };
    log.ready({ port: workers.port, workers: workers.pids(), ...adminUrl(admin.listener) });
    await whenAborted(stopped);
    await Promise.all([admin.close(), workers.close(drainSeconds() * 1_000)]);
  } finally {
    await workers.close(drainSeconds() * 1_000);
  }
  return EXIT.ok;
}

const adminUrl = (listener: Sidecar['admin']): { readonly admin?: string } =>
  listener === undefined ? {} : { admin: urlOf(listener) };

function urlOf({ isTls, host, port }: Sidecar['calls']): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${isTls ? 'https' : 'http'}://${shown}:${String(port)}`;
}

export const COMMANDS = { serve: SERVE };
