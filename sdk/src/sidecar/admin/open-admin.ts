import type { IncomingMessage, RequestListener } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { defined } from '../../core/text.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { createHttpsRecordTransport } from '../../platform/index.js';
import { SharingPolicy, RecordIntake, readSourceConfiguration } from '../../records/index.js';
import type { IntakeState, SourceConfiguration } from '../../records/index.js';
import {
  createLocalAnswerSigner,
  createReceiptVerifier,
  readTracebackPolicy,
  readTrunkDirectory,
} from '../../traceback/index.js';
import type {
  RecordsConfiguration,
  SidecarConfiguration,
  TracebacksConfiguration,
} from '../config/configuration.schema.js';
import { stirApiProblem, stirApiProblemBody } from '../dialects/stir-api.js';
import { createClients } from '../http/serve-calls.js';
import type { ClientMarks, Clients } from '../http/serve-calls.js';
import { listen, usableTls } from '../http/listen.js';
import { DEFAULT_INTAKE_LIMITS, HTTP_RECORDS_SOURCE, recordIntakeApp } from '../intake/record-intake-app.js';
import { ReviewAudit } from '../review/review-parts.js';
import { TracebackDesk } from '../review/review-app.js';
import { readAccounts } from '../review/sessions.js';
import type { Accounts } from '../review/sessions.js';
import type { ReviewAuditEntry } from '../review/review-parts.js';
import type { TracebackDeskOptions } from '../review/review-app.js';
import { causeText, pathFrom, readJsonFile, readSecretFile, readTextFile } from '../services/files.js';
import type { OnNotice } from '../services/files.js';
import { fileToken, pseudonymKey, sharingPolicyData } from '../services/record-platform.js';
import type { CarrierResponderOptions } from '../../traceback/responder/carrier-responder.js';

/**
 * Adds to a registry what the intake of records tells; it is asked when somebody reads.
 * @param registry - that is read
 * @param intake - its state, and the clock of its sources
 */
function addIntakeMetrics(registry: Registry, intake: RecordIntake, clock: Clock): void {
  const registers = [registry];
  const spool: Gauge = new Gauge({
    name: 'stir_spool_records',
    help: 'Records that wait for the platform',
    registers,
    collect: () => spool.set(waitingRecords(intake.state())),
  });
  const records: Counter<'source' | 'outcome'> = new Counter({
    name: 'hopback_records_total',
    help: 'Records of each source, by what became of them',
    labelNames: ['source', 'outcome'],
    registers,
    collect: () => {
      records.reset();
      for (const { id, inserted, repeated, rejected, lost } of intake.state().sources)
        for (const [outcome, count] of Object.entries({ inserted, repeated, rejected, lost }))
          records.inc({ source: id, outcome }, count);
    },
  });
  const oldest: Gauge<'source'> = new Gauge({
    name: 'hopback_records_oldest_unread_seconds',
    help: 'Age of the oldest data of each source that are not read or not stored; 0 where there are none',
    labelNames: ['source'],
    registers,
    collect: () => {
      oldest.reset();
      for (const { id, oldestUnreadMs } of intake.state().sources)
        oldest.set(
          { source: id },
          oldestUnreadMs === undefined ? 0 : Math.max(0, clock.nowMs() - oldestUnreadMs) / 1_000,
        );
    },
  });
  const progress: Gauge<'source'> = new Gauge({
    name: 'hopback_records_last_progress_timestamp_seconds',
    help: 'When rows of each source were last read and stored, Unix time; when it was opened where there were none yet',
    labelNames: ['source'],
    registers,
    collect: () => {
      progress.reset();
      for (const { id, lastProgressMs } of intake.state().sources) progress.set({ source: id }, lastProgressMs / 1_000);
    },
  });
}

function waitingRecords({ platform }: IntakeState): number {
  return platform === undefined ? 0 : platform.status.lastSequence - platform.status.acknowledgedSequence;
}

/** What records, tracebacks and the admin listener are opened with. */
interface OpenAdminOptions {
  readonly configuration: SidecarConfiguration;
  readonly directory: string;
  readonly clock: Clock;
  readonly onNotice: OnNotice;
  /** Gets the counts of the intake. */
  readonly registry: Registry;
  /** Probes and metrics, as the call listener has them. */
  readonly probes: Hono;
}

/**
 * Opens the intake of records that a configuration describes.
 * @throws {@link HopbackError} for a source, key, policy or folder that cannot be used
 */
async function openRecords(records: RecordsConfiguration, options: OpenAdminOptions): Promise<RecordIntake> {
  const { directory, clock, onNotice } = options;
  const platform = records.platform && (await recordPlatform(records.platform, directory));
  const told = (level: 'info' | 'warn', text: string): void => onNotice({ level, part: 'records', text });
  return RecordIntake.open({
    directory: pathFrom(directory, records.directory),
    sources: await recordSources(records, directory),
    clock,
    ...defined({ retentionDays: records.retentionDays, platform }),
    onNotice(notice) {
      if (notice.kind === 'expired') {
        told('info', `${String(notice.records)} were older than ${String(notice.days)} days`);
        return;
      }
      const isGood = notice.kind === 'listening' || notice.kind === 'resumed';
      told(isGood ? 'info' : 'warn', `${notice.source}: ${notice.detail}`);
    },
  });
}

/**
 * Sources of a configuration, and the one that records of our own form are sent to.
 * @throws {@link HopbackError} for one that cannot be
 */
async function recordSources(
  { sources }: RecordsConfiguration,
  directory: string,
): Promise<readonly SourceConfiguration[]> {
  const declared = await Promise.all(
    sources.map(async (file) => readSourceConfiguration(await readJsonFile(pathFrom(directory, file)))),
  );
  return declared.some(({ id }) => id === HTTP_RECORDS_SOURCE.id) ? declared : [...declared, HTTP_RECORDS_SOURCE];
}

/**
 * Where records go, what may leave, and under whose name.
 * @throws {@link HopbackError} for a token, key, policy or certificate that cannot be used
 */
async function recordPlatform(platform: NonNullable<RecordsConfiguration['platform']>, directory: string) {
  const at = (path: string): string => pathFrom(directory, path);
  const { url, tenant: tenantId, rotation: rotationId } = platform;
  const ca = platform.ca === undefined ? undefined : await readTextFile(at(platform.ca));
  const authorization = await fileToken(at(platform.tokenFile), readSecretFile);
  const key = pseudonymKey(await readSecretFile(at(platform.pseudonymKey)), 'records.platform.pseudonymKey');
  const data = await sharingPolicyData(platform.sharing, (path) => readJsonFile(at(path)));
  return {
    transport: createHttpsRecordTransport({ url, authorization, ...defined({ ca }) }),
    policy: new SharingPolicy({ data, key, rotationId, tenantId }),
    tenantId,
  };
}

/** The desk, and what it is made of beside. */
type Tracebacks = Awaited<ReturnType<typeof openTracebacks>>;

/**
 * Opens the desk at which tracebacks are answered, as a configuration describes it.
 * @throws {@link HopbackError} for a key, policy, directory or folder that cannot be used
 */
async function openTracebacks(tracebacks: TracebacksConfiguration, options: OpenAdminOptions, intake: RecordIntake) {
  const { directory, onNotice } = options;
  const at = (path: string): string => pathFrom(directory, path);
  const { accounts, webhookSecrets, provider, zone } = tracebacks;
  const kept = await readKept(tracebacks, directory);
  const means = await answerMeans(tracebacks, directory, options.configuration.signing?.certificate);
  const auditPath = join(at(tracebacks.directory), 'review-audit.jsonl');
  const audit = accounts === undefined ? undefined : await ReviewAudit.open(auditPath);
  const desk = await TracebackDesk.open({
    directory: at(tracebacks.directory),
    provider,
    zone,
    store: intake.store,
    ...means,
    ...defined({
      webhooks: webhookSecrets === undefined ? undefined : { secrets: () => kept.secrets },
      review:
        audit &&
        reviewOptions(
          tracebacks,
          options,
          (entry) => audit.write(entry),
          () => kept.accounts,
        ),
    }),
    onProblem: (error) => onNotice({ level: 'warn', part: 'tracebacks', text: causeText(error) }),
  }).catch(async (error: unknown) => {
    await audit?.close();
    throw error;
  });
  return {
    app: desk.app,
    /** Reads accounts and secrets of webhooks again. @returns puts them in force @throws {@link HopbackError} when they cannot be used */
    async prepare(): Promise<() => void> {
      const next = await readKept(tracebacks, directory);
      return () => void Object.assign(kept, next);
    },
    /** Files of accounts and secrets. */
    files: [webhookSecrets, accounts].flatMap((path) => (path === undefined ? [] : [at(path)])),
    async close(): Promise<void> {
      await desk.close();
      await audit?.close();
    },
  };
}

/** What is read again while the desk is open. */
interface Kept {
  accounts: Accounts;
  secrets: readonly string[];
}

async function readKept({ accounts, webhookSecrets }: TracebacksConfiguration, directory: string): Promise<Kept> {
  const secrets = webhookSecrets === undefined ? '' : await readSecretFile(pathFrom(directory, webhookSecrets));
  return {
    accounts: accounts === undefined ? new Map() : readAccounts(await readTextFile(pathFrom(directory, accounts))),
    secrets: secrets
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  };
}

/** Keys, trunks and policy that answers are made with. @throws {@link HopbackError} for a file that cannot be read, or a policy that cannot be used */
async function answerMeans(tracebacks: TracebacksConfiguration, directory: string, certificate: string | undefined) {
  const { policy, answerKey, platform } = tracebacks;
  const at = (path: string): string => pathFrom(directory, path);
  const { baseUrl, clientId, keyId } = platform;
  return {
    trunks: await readJsonFile(at(tracebacks.trunks)),
    ...defined({
      policy: policy === undefined ? undefined : readTracebackPolicy(await readJsonFile(at(policy)), { at: policy }),
    }),
    answerKey: {
      privateKeyPem: await readTextFile(at(answerKey.key)),
      keyId: answerKey.keyId,
      // Whoever holds the key of the switch must not be able to speak for the provider.
      ...defined({ callSigningKeysPem: certificate === undefined ? undefined : [await readTextFile(at(certificate))] }),
    },
    platform: {
      baseUrl,
      clientId,
      keyId,
      key: await readTextFile(at(platform.key)),
      // createReceiptVerifier checks every key of it.
      receiptKeys: (await readJsonFile(at(platform.receiptKeys))) as CarrierResponderOptions['platform']['receiptKeys'],
    },
  };
}

function reviewOptions(
  { origin, proxy }: TracebacksConfiguration,
  { configuration: { listen: places }, clock, onNotice }: OpenAdminOptions,
  audit: (entry: ReviewAuditEntry) => Promise<void>,
  accounts: () => Accounts,
): NonNullable<TracebackDeskOptions['review']> {
  return {
    accounts,
    clock,
    audit,
    isSecure: places.admin?.tls !== undefined || origin?.startsWith('https://') === true,
    ...defined({ origin, proxy }),
    onFailed: (cause) => onNotice({ level: 'error', part: 'review', text: causeText(cause) }),
  };
}

/** What may wait: records and tracebacks, and the listener that they are offered at. */
export type Admin = Awaited<ReturnType<typeof openAdmin>>;

/**
 * Opens records, tracebacks and the admin listener, as far as the configuration has them.
 * @throws {@link HopbackError} for whatever cannot be used or listened at; nothing is left open then
 */
export async function openAdmin(options: OpenAdminOptions) {
  const { configuration, directory, clock, onNotice, registry } = options;
  const { records, tracebacks, listen: addresses } = configuration;
  const opened: (() => Promise<void>)[] = [];
  try {
    const intake = records && (await openRecords(records, options));
    if (intake !== undefined) {
      opened.unshift(() => intake.close());
      addIntakeMetrics(registry, intake, clock);
    }
    const desk = tracebacks && intake && (await openTracebacks(tracebacks, options, intake));
    if (desk !== undefined) opened.unshift(() => desk.close());
    const state = { admin: addresses.admin, clients: addresses.admin && createClients(addresses.admin) };
    const listener =
      addresses.admin &&
      (await listen(
        addresses.admin,
        directory,
        handlerOf(options, intake, desk, () => state.clients),
      ));
    return {
      listener,
      intake,
      /** Files that are read again. */
      files: [
        ...(listener?.files ?? []),
        ...(desk?.files ?? []),
        ...(records?.sources ?? []).map((file) => pathFrom(directory, file)),
      ],
      /**
       * Reads tokens, sources, accounts and secrets; other sources are in force then, if nothing else is wrong.
       * @returns puts the rest in force
       * @throws {@link HopbackError} for what cannot be used, which leaves all as it was
       */
      async prepare(next: SidecarConfiguration): Promise<() => void> {
        const commitListener = await listener?.prepare();
        const commitDesk = await desk?.prepare();
        // Last, since it is done when it has succeeded.
        if (intake !== undefined && next.records !== undefined)
          await intake.replaceSources(await recordSources(next.records, directory));
        return () => {
          commitListener?.();
          commitDesk?.();
          const before = JSON.stringify(state.admin);
          state.admin = next.listen.admin;
          if (state.admin !== undefined && JSON.stringify(state.admin) !== before)
            state.clients = createClients(state.admin);
        };
      },
      /** @param drainMs - for requests under way at its listener */
      async close(drainMs: number): Promise<void> {
        await listener?.close(drainMs);
        await closeAll(opened.splice(0), onNotice);
      },
    };
  } catch (error) {
    await closeAll(opened, onNotice);
    throw error;
  }
}

async function closeAll(opened: readonly (() => Promise<void>)[], onNotice: OnNotice): Promise<void> {
  for (const close of opened)
    await close().catch((error: unknown) => onNotice({ level: 'error', part: 'admin', text: causeText(error) }));
}

const marksOf = ({ socket, headers: { authorization } }: IncomingMessage): ClientMarks => ({
  remoteAddress: socket.remoteAddress ?? 'unknown',
  authorization,
});

/** Routes of machines ask for a token; webhooks are known by their signature, and people log in. */
const MACHINE_ROUTES = /^\/v1\/(?:records|freeswitch)(?:\/|$)|^\/metrics$/;

function handlerOf(
  { configuration, onNotice, probes }: OpenAdminOptions,
  intake: RecordIntake | undefined,
  desk: Tracebacks | undefined,
  clients: () => Clients | undefined,
): RequestListener {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(async (context, next) => {
    const admitted = MACHINE_ROUTES.test(context.req.path)
      ? clients()?.admit(marksOf(context.env.incoming), Date.now())
      : undefined;
    if (admitted === undefined || admitted.status === 'admitted') {
      await next();
      return undefined;
    }
    const problem = stirApiProblem(admitted.status === 'unknown' ? 'not-authenticated' : 'too-many-requests');
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (admitted.status === 'too-many') headers['Retry-After'] = String(admitted.retryAfterSeconds);
    else headers['WWW-Authenticate'] = 'Bearer';
    return context.body(stirApiProblemBody(problem), { status: admitted.status === 'unknown' ? 401 : 429, headers });
  });
  if (intake !== undefined) {
    const maxBodyBytes = configuration.listen.admin?.maxBodyBytes ?? DEFAULT_INTAKE_LIMITS.maxBodyBytes;
    const onFailed = (cause: unknown): void => onNotice({ level: 'error', part: 'records', text: causeText(cause) });
    const maxInFlightBytes = Math.max(maxBodyBytes, DEFAULT_INTAKE_LIMITS.maxInFlightBytes);
    app.route('/', recordIntakeApp({ intake, limits: { maxBodyBytes, maxInFlightBytes }, onFailed }));
  }
  if (desk !== undefined) app.route('/', desk.app);
  app.route('/', probes);
  app.notFound((context) =>
    context.body(stirApiProblemBody(stirApiProblem('not-found')), 404, { 'Content-Type': 'application/json' }),
  );
  const answer = getRequestListener(app.fetch);
  return (request, response) => void answer(request, response);
}

/**
 * Reads all files that listeners, records and tracebacks name, and lets them go. Opens no folder and listens nowhere.
 * @throws {@link HopbackError} for the first thing that cannot be used
 */
export async function checkAdmin(
  { listen: places, records, tracebacks, signing }: SidecarConfiguration,
  directory: string,
): Promise<void> {
  for (const listener of [places.calls, places.admin])
    if (listener?.tls !== undefined) await usableTls(listener.tls, directory);
  if (records !== undefined) await recordSources(records, directory);
  if (records?.platform !== undefined) await (await recordPlatform(records.platform, directory)).transport.close();
  if (tracebacks === undefined) return;
  const { zone } = tracebacks;
  if (!isZone(zone)) throw new HopbackError('invalid-configuration', `tracebacks.zone: there is no zone ${zone}`);
  const { trunks, answerKey, platform } = await answerMeans(tracebacks, directory, signing?.certificate);
  readTrunkDirectory(trunks);
  await createLocalAnswerSigner(answerKey);
  createReceiptVerifier(platform.receiptKeys);
  await readKept(tracebacks, directory);
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
