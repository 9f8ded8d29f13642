import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Clock } from '../core/clock.js';
import { HopbackError } from '../errors.js';
import type { SignatureRecord } from '../stir/index.js';
import type { SidecarConfiguration } from './config/configuration.js';
import { problemText, readConfiguration } from './config/read-configuration.js';
import type { ConfigurationProblem } from './config/read-configuration.js';
import type { Setting } from './config/settings.js';
import type { VerifiedCall } from './http/call-context.js';
import { callRoutes } from './http/call-routes.js';
import type { CallRoute } from './http/call-routes.js';
import { createClients } from './http/clients.js';
import type { Clients } from './http/clients.js';
import { listen } from './http/listen.js';
import type { Listener } from './http/listen.js';
import { probeRoutes } from './http/probe-routes.js';
import { serveCalls, servePlainCalls } from './http/serve-calls.js';
import type { AnsweredRequest, ServeCallsOptions } from './http/serve-calls.js';
import { createSidecarMetrics } from './metrics.js';
import type { SidecarMetrics } from './metrics.js';
import { openApiDocument } from './open-api/open-api-document.js';
import { readinessOf } from './readiness.js';
import type { Readiness } from './readiness.js';
import { pathFrom, stampOf } from './services/files.js';
import { causeText } from './services/notice.js';
import type { OnNotice } from './services/notice.js';
import { createServicesLoader } from './services/sidecar-services.js';
import type { ServicesLoader } from './services/sidecar-services.js';

/** What a sidecar is started with. */
export interface SidecarOptions {
  /** The YAML file; paths in it begin at its directory. */
  readonly configurationPath: string;
  /** Variables of the process: those that stand in for members, and HOPBACK_KEY_PASSPHRASE. Default none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Members that stand in for those of the file. Default none. */
  readonly settings?: readonly Setting[];
  /** Default the clock of the machine. */
  readonly clock?: Clock;
  readonly onNotice?: OnNotice;
  /** Hears of each call that was verified; heartbeats are none. Returns at once. */
  readonly onVerified?: (call: VerifiedCall) => void;
  /** Gets the record of each signature. Returns at once. */
  readonly onSignature?: (record: SignatureRecord) => void;
  /** Hears of each request of the call listener. Returns at once. */
  readonly onAnswered?: (answered: AnsweredRequest) => void;
  /** Text of `/metrics`, where several processes are counted together. Default the counts of this one. */
  readonly metricsText?: (own: () => Promise<string>) => Promise<string>;
}

/** What a reload did. */
export type ReloadOutcome =
  | { readonly status: 'changed' | 'unchanged' }
  /** Something cannot be used: what was in force stays in force. */
  | { readonly status: 'kept'; readonly problems: readonly ConfigurationProblem[] };

/** A sidecar that answers. */
export interface Sidecar extends AsyncDisposable {
  readonly calls: Listener;
  readonly metrics: SidecarMetrics;
  readonly configuration: () => SidecarConfiguration;
  readonly readiness: () => Readiness;
  /** Reads the configuration and everything that it names again; requests under way end with what they began with. Never rejects. */
  readonly reload: () => Promise<ReloadOutcome>;
  /** Tells that it ends, takes nothing more, lets requests under way end, and closes. */
  readonly close: () => Promise<void>;
}

/**
 * Starts a sidecar: reads its configuration, loads whom to trust and what to sign with, and listens.
 * @param options - the configuration file, and what stands in for parts of it
 * @returns the sidecar, once it listens; to be closed by `close()` or `await using`
 * @throws {@link HopbackError} `invalid-configuration` with every problem of the file in `details.problems`; those of what it names
 * @see ATIS-1000082, 3GPP TS 24.229 annex V
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const pki = await createTestPki();
 * await writeFile(`${directory}/root.pem`, pki.root.certificatePem);
 * await writeFile(`${directory}/hopback.yaml`, 'trust: { roots: [root.pem] }\nlisten: { calls: { port: 0 } }\n');
 * const sidecar = await startSidecar({ configurationPath: `${directory}/hopback.yaml` });
 * const answer = await fetch(`http://127.0.0.1:${sidecar.calls.port}/readyz`);
 * console.log(answer.status); // 200
 * await sidecar.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const path = resolve(options.configurationPath);
  const directory = dirname(path);
  const onNotice = options.onNotice ?? nothing;
  const passphrase = options.environment?.['HOPBACK_KEY_PASSPHRASE'];
  const loader = createServicesLoader({
    ...{ directory, onNotice, clock: options.clock ?? { nowMs: Date.now } },
    ...(passphrase !== undefined && { passphrase }),
    ...(options.onSignature !== undefined && { onSignature: options.onSignature }),
  });
  const read = await readFileConfiguration(path, options);
  if (read.status === 'invalid') throw configurationInvalid(path, read.problems);
  await loader.load(read.configuration).catch(async (error: unknown) => {
    await loader.close();
    throw error;
  });
  const state = createState(loader);
  const metrics = createSidecarMetrics(() => loader.current());
  const calls = await listenForCalls({ options, directory, loader, state, metrics }).catch(async (error: unknown) => {
    await loader.close();
    throw error;
  });
  const reload = oneAtATime(() => reloadOnce({ path, options, loader, state, metrics, calls, onNotice }));
  const watch = await watchFiles({ path, loader, calls, reload });
  const close = once(async () => {
    state.isDraining = true;
    watch.close();
    await calls.close(loader.current().configuration.drainSeconds * 1_000);
    await loader.close();
  });
  return {
    ...{ calls, metrics, reload, close, [Symbol.asyncDispose]: close },
    configuration: () => loader.current().configuration,
    readiness: () => readinessOf(loader.current(), state.isDraining),
  };
}

/** What changes while it runs. */
interface State {
  isDraining: boolean;
  routes: ReadonlyMap<string, CallRoute>;
  clients: Clients;
}

const createState = (loader: ServicesLoader): State => ({ isDraining: false, ...partsOf(loader) });

const partsOf = (loader: ServicesLoader): Pick<State, 'routes' | 'clients'> => {
  const { configuration } = loader.current();
  return {
    routes: callRoutes(configuration.answers.basePaths),
    clients: createClients(configuration.listen.calls),
  };
};

interface Parts {
  readonly options: SidecarOptions;
  readonly loader: ServicesLoader;
  readonly state: State;
  readonly metrics: SidecarMetrics;
}

function listenForCalls({
  options,
  directory,
  loader,
  state,
  metrics,
}: Parts & { readonly directory: string }): Promise<Listener> {
  const { metricsText, onNotice = nothing } = options;
  const probes = probeRoutes({
    readiness: () => readinessOf(loader.current(), state.isDraining),
    ...{ metrics, openApi: () => openApiDocument(loader.current().configuration) },
    ...(metricsText !== undefined && { metricsText: () => metricsText(() => metrics.registry.metrics()) }),
  });
  const otherwise = getRequestListener(probes.fetch);
  const onTrouble = (error: unknown): void => onNotice({ level: 'error', part: 'calls', text: causeText(error) });
  const { onVerified = nothing } = options;
  const { maxBodyBytes } = loader.current().configuration.listen.calls;
  const serving: ServeCallsOptions = {
    routes: () => state.routes,
    clients: () => state.clients,
    context: () => ({ services: loader.current(), metrics, elapsedMs, onVerified, onTrouble }),
    ...{ maxBodyBytes, nowMs: Date.now, isDraining: () => state.isDraining },
    otherwise: (request, response) => void otherwise(request, response),
    onAnswered: options.onAnswered ?? nothing,
  };
  return listen(loader.current().configuration.listen.calls, {
    ...{ directory, handler: serveCalls(serving), plain: servePlainCalls(serving) },
  });
}

const nothing = (): void => undefined;
const elapsedMs = (): number => performance.now();

async function readFileConfiguration(
  path: string,
  { environment, settings }: SidecarOptions,
): Promise<ReturnType<typeof readConfiguration>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new HopbackError('storage-failed', `${path} cannot be read`, { cause });
  });
  return readConfiguration({
    text,
    ...(environment !== undefined && { environment }),
    ...(settings !== undefined && { settings }),
  });
}

/** Every problem with its place, one a line. */
function configurationInvalid(path: string, problems: readonly ConfigurationProblem[]): HopbackError {
  const lines = problems.map((problem) => problemText(path, problem));
  return new HopbackError('invalid-configuration', lines.join('\n'), { details: { problems: problems.length } });
}

interface ReloadParts extends Parts {
  readonly path: string;
  readonly calls: Listener;
  readonly onNotice: OnNotice;
}

async function reloadOnce(parts: ReloadParts): Promise<ReloadOutcome> {
  const { path, options, loader, state, metrics, calls, onNotice } = parts;
  const kept = (problems: readonly ConfigurationProblem[]): ReloadOutcome => {
    for (const problem of problems) onNotice({ level: 'error', part: 'reload', text: problemText(path, problem) });
    metrics.reloaded('kept');
    return { status: 'kept', problems };
  };
  try {
    const before = loader.current();
    const read = await readFileConfiguration(path, options);
    if (read.status === 'invalid') return kept(read.problems);
    const trustBefore = before.trust.current()?.version;
    await calls.reload();
    const after = await loader.load(read.configuration);
    Object.assign(state, partsOf(loader));
    tellOfRestart(before.configuration, { after: after.configuration, onNotice });
    const isChanged =
      JSON.stringify(before.configuration) !== JSON.stringify(after.configuration) ||
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

/** What a process takes on once. */
function tellOfRestart(
  before: SidecarConfiguration,
  { after, onNotice }: { readonly after: SidecarConfiguration; readonly onNotice: OnNotice },
): void {
  const fixed = ({ listen: { calls, admin }, workers }: SidecarConfiguration): string =>
    JSON.stringify([calls.host, calls.port, calls.tls, calls.maxBodyBytes, admin?.host, admin?.port, workers]);
  if (fixed(before) !== fixed(after))
    onNotice({
      level: 'warn',
      part: 'reload',
      text: 'addresses, certificates by another path, body limits and workers are taken on at the next start',
    });
}

/** Looks at the files every few seconds; a copy of another name in the place of a file, as orchestrators make them, is noticed too. */
async function watchFiles({
  path,
  loader,
  calls,
  reload,
}: {
  readonly path: string;
  readonly loader: ServicesLoader;
  readonly calls: Listener;
  readonly reload: () => Promise<ReloadOutcome>;
}): Promise<{ readonly close: () => void }> {
  const stamp = (): Promise<string> =>
    stampOf([path, ...loader.current().files, ...calls.files].map((file) => pathFrom(dirname(path), file)));
  let last = await stamp();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const look = async (): Promise<void> => {
    const now = await stamp();
    if (now === last || isClosed) return;
    await reload();
    // Also of what could not be used: it is looked at again when it has changed again.
    last = await stamp();
  };
  const plan = (): void => {
    const { reloadSeconds } = loader.current().configuration;
    // 0: at a signal alone, which may bring another interval.
    timer = setTimeout(
      () => void (reloadSeconds > 0 ? look() : Promise.resolve()).finally(replan),
      Math.max(0.05, reloadSeconds || 1) * 1_000,
    );
    timer.unref();
  };
  const replan = (): void => {
    if (!isClosed) plan();
  };
  plan();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

function oneAtATime<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(work);
    last = next;
    return next;
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
