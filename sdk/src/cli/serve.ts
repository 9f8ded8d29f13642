import { resolve } from 'node:path';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { defined } from '../core/defined.js';
import { startAdmin } from '../sidecar/admin/start-admin.js';
import type { SidecarConfiguration } from '../sidecar/config/configuration.schema.js';
import type { Setting } from '../sidecar/config/read-configuration.js';
import type { VerifiedCall } from '../sidecar/http/call-context.js';
import type { AnsweredRequest } from '../sidecar/http/serve-calls.js';
import type { SidecarNotice } from '../sidecar/services/files.js';
import { openSidecar } from '../sidecar/sidecar.js';
import type { Sidecar, SidecarOptions } from '../sidecar/sidecar.js';
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

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50, silent: 100 } as const;

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
  const onHangUp = hangUps(io);
  try {
    const settings = allSettings(options);
    const { path, directory, read } = await configurationOf(options, io, settings);
    if (read.status === 'read') return await serve({ path, directory, ...read }, { io, settings, onHangUp });
    printLines(io, problemLines(path, read.problems), io.stderr);
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

interface Read {
  readonly path: string;
  readonly directory: string;
  readonly configuration: SidecarConfiguration;
}

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
    environment: io.env,
    settings,
    onNotice: log.notice,
    onVerified: log.verified,
    onAnswered: log.answered,
    ...defined({ onSignature: attestations?.keep }),
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

function allSettings(options: OptionsOf<typeof OPTIONS>): readonly Setting[] {
  const workers = options.text('workers');
  const own = workers === undefined ? [] : [{ path: ['workers'], value: Number(workers), from: '--workers' }];
  return [...settingsOf(options), ...own];
}

async function serveAlone(
  options: SidecarOptions,
  { io, log, follow, onHangUp, drainSeconds }: Parts,
): Promise<ExitCode> {
  const stopped = io.stopSignal(drainSeconds);
  const sidecar = await openSidecar(options);
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
  const sidecar = await openSidecar({ ...options, metricsText: link.metricsText, role: 'calls' });
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
    const admin = await startAdmin({ ...options, metricsText }, () => workers.pids().length > 0);
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

const adminUrl = (listener: Sidecar['admin']): { readonly admin?: string } =>
  listener === undefined ? {} : { admin: urlOf(listener) };

function urlOf({ isTls, host, port }: Sidecar['calls']): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${isTls ? 'https' : 'http'}://${shown}:${String(port)}`;
}

export const COMMANDS = { serve: SERVE };
