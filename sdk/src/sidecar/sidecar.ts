import { dirname, resolve } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Registry } from 'prom-client';
import { defined } from '../core/text.js';
import { DRAINING_SHARE } from '../core/runtime/clock.js';
import type { Clock } from '../core/runtime/clock.js';
import type { SignatureRecord } from '../stir/index.js';
import { checkAdmin, openAdmin } from './admin/open-admin.js';
import type { Admin } from './admin/open-admin.js';
import type { ListenerConfiguration, SidecarConfiguration } from './config/configuration.schema.js';
import { problemText, readConfigurationFile, requireConfigurationFile } from './config/read-configuration.js';
import type { ConfigurationProblem } from './config/read-configuration.js';
import type { VerifiedCall } from './http/call-context.js';
import { callRoutes } from './http/call-routes.js';
import type { CallRoute } from './http/call-routes.js';
import { listen } from './http/listen.js';
import type { Listener } from './http/listen.js';
import { createClients, serveCalls, servePlainCalls } from './http/serve-calls.js';
import type { Clients, ServeCallsOptions } from './http/serve-calls.js';
import { createSidecarMetrics, probeRoutes, readinessOf, recordsReadiness } from './metrics.js';
import type { Readiness, SidecarMetrics } from './metrics.js';
import { openApiDocument } from './open-api/open-api-document.js';
import { causeText, oneAtATime, watchFiles } from './services/files.js';
import type { OnNotice, SidecarNotice } from './services/files.js';
import { createServicesLoader } from './services/sidecar-services.js';
import type { ServicesLoader, SidecarServices } from './services/sidecar-services.js';

/**
 * Loads everything that a configuration names, and lets it go: whether a sidecar could start with it. Listens nowhere.
 * @param configuration - as read
 * @param options - the directory of its file, and what opens an encrypted key
 * @returns when everything was loaded
 * @throws {@link HopbackError} for the first thing that cannot be used
 * @see ATIS-1000080, RFC 8226
 * @example
 * ```ts
 * const read = readConfiguration({ text: 'trust: { roots: [nowhere.pem] }' });
 * if (read.status === 'invalid') throw new Error('no configuration');
 * await checkFiles(read.configuration, { directory: '/' }).catch((error) => console.log(error.code)); // storage-failed
 * ```
 */
export async function checkFiles(
  configuration: SidecarConfiguration,
  options: {
    readonly directory: string;
    readonly passphrase?: string;
    readonly onNotice?: OnNotice;
  },
): Promise<void> {
  const { directory, passphrase, onNotice = () => undefined } = options;
  const loader = createServicesLoader({
    directory,
    onNotice,
    clock: { nowMs: Date.now },
    ...defined({ passphrase }),
  });
  try {
    await checkAdmin(configuration, directory);
    await loader.load({ ...configuration, certificates: { ...configuration.certificates, preload: [] } });
  } finally {
    await loader.close();
  }
}

/** What a sidecar is started with. */
export interface SidecarOptions {
  /** The YAML file; paths in it begin at its directory. */
  readonly configurationPath: string;
  /** Variables of the process: those that stand in for members, and HOPBACK_KEY_PASSPHRASE. Default none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Members that stand in for those of the file. Default none. */
  readonly settings?: readonly {
    readonly path: readonly string[];
    readonly value: unknown;
    readonly from: string;
  }[];
  /** Default the clock of the machine. */
  readonly clock?: Clock;
  readonly onNotice?: (notice: SidecarNotice) => void;
  /** Hears of each call that was verified; heartbeats are none. Returns at once. */
  readonly onVerified?: (call: VerifiedCall) => void;
  /** Gets the record of each signature. Returns at once. */
  readonly onSignature?: (record: SignatureRecord) => void;
  /** Hears of each request of the call listener. Returns at once. */
  readonly onAnswered?: (answered: {
    readonly route: string;
    readonly status: number;
    readonly requestId: string;
    readonly client: string;
  }) => void;
}

/** What one of several processes is started with: {@link Sidecar.start} takes these members too. */
export interface ProcessOptions extends SidecarOptions {
  /** Text of `/metrics`, where several processes are counted together. Default the counts of this one. */
  readonly metricsText?: (own: () => Promise<string>) => Promise<string>;
  /** `calls`: records, tracebacks and the admin listener are another process's, as for one of several workers. Default `all`. */
  readonly role?: 'all' | 'calls';
  /** Is given what tells the configuration in force, once the sidecar listens. */
  readonly onStarted?: (configuration: () => SidecarConfiguration) => void;
}

type ReloadOutcome = Awaited<ReturnType<Sidecar['reload']>>;

/**
 * A sidecar that answers.
 * @see ATIS-1000082, 3GPP TS 24.229 annex V
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const pki = new TestPki();
 * await writeFile(`${directory}/root.pem`, pki.root.certificatePem);
 * await writeFile(`${directory}/hopback.yaml`, 'trust: { roots: [root.pem] }\nlisten: { calls: { port: 0 } }\n');
 * const sidecar = await Sidecar.start({ configurationPath: `${directory}/hopback.yaml` });
 * const answer = await fetch(`http://127.0.0.1:${sidecar.calls.port}/readyz`);
 * console.log(answer.status); // 200
 * await sidecar.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export class Sidecar implements AsyncDisposable {
  readonly calls: {
    readonly host: string;
    readonly port: number;
    readonly isTls: boolean;
  };
  /** The admin listener, where there is one. */
  readonly admin: Sidecar['calls'] | undefined;
  readonly metrics: { readonly registry: Registry };
  readonly #parts: RunningParts;
  readonly #opened: Opened;
  readonly #reload = oneAtATime(() => reloadOnce(this.#parts));
  #endWatch: () => void = nothing;
  #closing: Promise<void> | undefined;

  /**
   * Starts a sidecar: reads its configuration, loads whom to trust and what to sign with, and listens.
   * @param options - the configuration file, and what stands in for parts of it
   * @returns the sidecar, once it listens; to be closed by `close()` or `await using`
   * @throws {@link HopbackError} `invalid-configuration` with every problem of the file in `details.problems`; those of what it names
   */
  static async start(options: SidecarOptions): Promise<Sidecar> {
    const given: ProcessOptions = options;
    const { onNotice = nothing, clock = { nowMs: Date.now }, environment, onSignature, role, onStarted } = given;
    const path = resolve(options.configurationPath);
    const directory = dirname(path);
    const loader = createServicesLoader({
      directory,
      onNotice,
      clock,
      ...defined({ passphrase: environment?.['HOPBACK_KEY_PASSPHRASE'], onSignature }),
    });
    await loader.load(await requireConfigurationFile(path, options)).catch(async (error: unknown) => {
      await loader.close();
      throw error;
    });
    const state = createState(loader);
    const metrics = createSidecarMetrics(() => loader.current());
    const probes = probesOf({ options, loader, state, metrics });
    const parts: Parts = {
      options: given,
      directory,
      loader,
      state,
      metrics,
      probes,
    };
    const opened: (() => Promise<void>)[] = [loader.close];
    try {
      const admin = role === 'calls' ? undefined : await adminOf(parts);
      if (admin !== undefined) opened.unshift(() => admin.close(0));
      state.intake = admin?.intake;
      const calls = await listenForCalls(parts);
      const sidecar = new Sidecar({ ...parts, path, calls, admin, onNotice }, opened);
      const files = (): readonly string[] => [path, ...loader.current().files, ...calls.files, ...(admin?.files ?? [])];
      sidecar.#endWatch = await watchFiles(files, () => loader.current().configuration.reloadSeconds, sidecar.#reload);
      onStarted?.(() => loader.current().configuration);
      return sidecar;
    } catch (error) {
      for (const closePart of opened) await closePart();
      throw error;
    }
  }

  private constructor(parts: RunningParts, opened: Opened) {
    this.calls = parts.calls;
    this.admin = parts.admin?.listener;
    this.metrics = parts.metrics;
    this.#parts = parts;
    this.#opened = opened;
  }

  readiness(): Readiness {
    return readinessNow(this.#parts.loader, this.#parts.state);
  }

  /**
   * Reads the configuration and everything that it names again; requests under way end with what they began with. Never rejects: `kept` when
   * something cannot be used, and what was in force stays in force.
   */
  reload(): Promise<
    | { readonly status: 'changed' | 'unchanged' }
    | { readonly status: 'kept'; readonly problems: readonly { readonly member: string; readonly text: string }[] }
  > {
    return this.#reload();
  }

  /** Tells that it ends, takes nothing more, lets requests under way end, and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #finish(): Promise<void> {
    const { loader, state, calls, admin } = this.#parts;
    state.isDraining = true;
    this.#endWatch();
    const drainMs = loader.current().configuration.drainSeconds * DRAINING_SHARE * 1_000;
    const beganMs = elapsedMs();
    await calls.close(drainMs);
    await admin?.close(Math.max(0, drainMs - (elapsedMs() - beganMs)));
    for (const closePart of this.#opened) await closePart();
  }
}

type Opened = readonly (() => Promise<void>)[];

/** What changes while it runs. */
interface State {
  isDraining: boolean;
  routes: ReadonlyMap<string, CallRoute>;
  clients: Clients;
  intake: Admin['intake'];
}

function readinessNow(loader: ServicesLoader, state: State): Readiness {
  return { ...readinessOf(loader.current(), state.isDraining), ...recordsReadiness(state.intake) };
}

function createState(loader: ServicesLoader): State {
  const { answers, listen: addresses } = loader.current().configuration;
  return {
    isDraining: false,
    routes: callRoutes(answers.basePaths),
    clients: createClients(addresses.calls),
    intake: undefined,
  };
}

interface Parts {
  readonly options: ProcessOptions;
  readonly directory: string;
  readonly loader: ServicesLoader;
  readonly state: State;
  readonly metrics: SidecarMetrics;
  readonly probes: Hono;
}

function probesOf({ options, loader, state, metrics }: Omit<Parts, 'directory' | 'probes'>): Hono {
  const { metricsText } = options;
  const own = (): Promise<string> => metrics.registry.metrics();
  return probeRoutes({
    readiness: () => readinessNow(loader, state),
    openApi: () => openApiDocument(loader.current().configuration),
    metricsText: metricsText === undefined ? own : () => metricsText(own),
    contentType: metrics.registry.contentType,
  });
}

function adminOf({ options, directory, loader, metrics, probes }: Parts): Promise<Admin> {
  const { clock = { nowMs: Date.now }, onNotice = nothing } = options;
  const { configuration } = loader.current();
  return openAdmin({
    configuration,
    directory,
    clock,
    onNotice,
    probes,
    registry: metrics.registry,
  });
}

function listenForCalls({ options, directory, loader, state, metrics, probes }: Parts): Promise<Listener> {
  const { onNotice = nothing } = options;
  const otherwise = getRequestListener(probes.fetch);
  const onTrouble = (error: unknown): void => onNotice({ level: 'error', part: 'calls', text: causeText(error) });
  const { onVerified = nothing } = options;
  const { maxBodyBytes } = loader.current().configuration.listen.calls;
  const serving: ServeCallsOptions = {
    routes: () => state.routes,
    clients: () => state.clients,
    context: () => ({
      services: loader.current(),
      metrics,
      elapsedMs,
      onVerified,
      onTrouble,
    }),
    maxBodyBytes,
    nowMs: Date.now,
    isDraining: () => state.isDraining,
    otherwise: (request, response) => void otherwise(request, response),
    onAnswered: options.onAnswered ?? nothing,
  };
  return listen(loader.current().configuration.listen.calls, directory, serveCalls(serving), servePlainCalls(serving));
}

const nothing = (): void => undefined;
const elapsedMs = (): number => performance.now();

/** The same, once it listens. */
interface RunningParts extends Parts {
  readonly path: string;
  readonly calls: Listener;
  readonly admin: Admin | undefined;
  readonly onNotice: OnNotice;
}

async function reloadOnce(parts: RunningParts): Promise<ReloadOutcome> {
  const { path, options, loader, metrics, onNotice } = parts;
  const kept = (problems: readonly ConfigurationProblem[]): ReloadOutcome => {
    for (const problem of problems) onNotice({ level: 'error', part: 'reload', text: problemText(path, problem) });
    metrics.reloaded('kept');
    return { status: 'kept', problems };
  };
  try {
    const before = loader.current();
    const read = await readConfigurationFile(path, options);
    if (read.status === 'invalid') return kept(read.problems);
    const trustBefore = before.trust.current()?.version;
    const after = await inForce(parts, read.configuration);
    tellOfRestart(before.configuration, after.configuration, onNotice);
    const isChanged =
      JSON.stringify(before.configuration) !== JSON.stringify(after.configuration) ||
      before.doNotOriginate !== after.doNotOriginate ||
      before.signing?.certificate.certificate.sha256 !== after.signing?.certificate.certificate.sha256 ||
      trustBefore !== after.trust.current()?.version;
    const status = isChanged ? 'changed' : 'unchanged';
    metrics.reloaded(status);
    onNotice({ level: 'info', part: 'reload', text: isChanged ? 'in force' : 'nothing has changed' });
    return { status };
  } catch (error) {
    return kept([{ member: '', text: causeText(error) }]);
  }
}

/** Everything is read and tried first, then all of it is put in force; where something cannot be used nothing is. */
async function inForce(
  { loader, state, calls, admin }: RunningParts,
  configuration: SidecarConfiguration,
): Promise<SidecarServices> {
  const before = loader.current().configuration.listen.calls;
  const services = await loader.prepare(configuration);
  try {
    const commitCalls = await calls.prepare();
    const commitAdmin = await admin?.prepare(configuration);
    commitCalls();
    commitAdmin?.();
  } catch (error) {
    await services.letGo();
    throw error;
  }
  const after = services.commit();
  state.routes = callRoutes(configuration.answers.basePaths);
  // Who was held to a rate is still held to it.
  if (JSON.stringify(before) !== JSON.stringify(configuration.listen.calls))
    state.clients = createClients(configuration.listen.calls);
  return after;
}

/** What a process takes on once. */
function tellOfRestart(before: SidecarConfiguration, after: SidecarConfiguration, onNotice: OnNotice): void {
  const place = ({ host, port, tls, maxBodyBytes }: ListenerConfiguration) => [host, port, tls, maxBodyBytes];
  const fixed = ({ listen: { calls, admin }, records, tracebacks, workers }: SidecarConfiguration): string => {
    const places = [place(calls), admin && place(admin)];
    return JSON.stringify([places, records?.directory, records?.platform, tracebacks, workers]);
  };
  if (fixed(before) !== fixed(after))
    onNotice({
      level: 'warn',
      part: 'reload',
      text: 'addresses, certificates by another path, body limits, folders, platforms and workers are taken on at the next start',
    });
}
