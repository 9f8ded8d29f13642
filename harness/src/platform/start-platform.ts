import type { WireSchema } from '@hopback/sdk/internal';
import { HopbackError } from '@hopback/sdk/errors';
import { MACHINE_CLOCK } from '@hopback/sdk/internal/runtime';
import type { TimerClock } from '@hopback/sdk/platform';
import { openApiDocument, PLATFORM_ROUTES, WIRE_SCHEMAS } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type {
  AreaDefinition,
  Operations,
  PlatformArea,
  PlatformContext,
  PlatformLog,
  PlatformNotice,
  ServedRoute,
} from './core/index.js';
import type { DatabasePlace, KeyRing, OpenedDatabase } from './database/index.js';
import {
  createKeyRing,
  createPlatformContext,
  createPresence,
  EventFeed,
  eventsRetentionJob,
  migratePlatform,
  openPlatformDatabase,
  SILENT_LOG,
  startJobRunner,
  startReactionRunner,
} from './database/index.js';
import type { WebhookPosterOptions } from './events/post-webhook.js';
import { createEventsArea } from './events/events-area.js';
import { eventsDefinition, readByEndpoints } from './events/events-tables.js';
import type { PlatformApp, PlatformTls } from './http/http-server.js';
import type { Rate } from './http/exchange.js';
import { createKeyedTransactions, httpDefinition } from './http/idempotency.js';
import { createPlatformApp, startHttpServer } from './http/http-server.js';
import { PlatformMetrics } from './http/platform-metrics.js';
import { createRateLimiter } from './http/exchange.js';
import { OPERATOR_TAGS } from './domain/wire/routes.js';
import type { FirstOperator } from './trust/client-operations.js';
import type { TrustArea } from './trust/trust-area.js';
import { createTrustArea } from './trust/trust-area.js';
import { trustDefinition } from './trust/trust-tables.js';

/** What an area is opened with. */
export interface AreaParts {
  readonly context: PlatformContext;
  readonly database: OpenedDatabase;
  readonly trust: TrustArea;
  readonly feed: EventFeed;
  /** Areas that were opened before, by their names: whoever needs a port of another stands behind it in the list. */
  readonly opened: ReadonlyMap<string, PlatformArea>;
  /** Address of the platform, without a slash at its end. */
  readonly publicUrl: string;
}

/** An area as it is plugged into a platform: what is known of it before it is opened, and how that is done. */
export interface PluggedArea {
  readonly definition: AreaDefinition;
  readonly open: (parts: AreaParts) => Promise<PlatformArea> | PlatformArea;
}

/** Settings of `startPlatform`. */
export interface PlatformOptions {
  /** Default PGlite in memory, which ends with the process. */
  readonly database?: DatabasePlace;
  /** Keys for what is sealed: `openKeyRing`. Without them a database that is kept is of no use, so that they are asked for there. */
  readonly keyRing?: KeyRing;
  /** Beside trust and events, in this order. */
  readonly areas?: readonly PluggedArea[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0, any free one. */
  readonly port?: number;
  readonly tls?: PlatformTls;
  /** Address that clients know the platform by; what assertions name begins with it. Default the one that is listened at. */
  readonly publicUrl?: string;
  /** Proxies in front whose `X-Forwarded-For` is believed. Default 0. */
  readonly trustedProxies?: number;
  /** Who lets in everybody else, where nobody may yet. */
  readonly firstOperator?: FirstOperator;
  readonly rates?: { readonly perClient?: Rate; readonly perAddress?: Rate };
  readonly webhooks?: WebhookPosterOptions;
  /** Whether every answer is held against its schema: for tests. Default false. */
  readonly checkAnswers?: boolean;
  /** How long calls may take when the platform closes, milliseconds. Default 10,000. */
  readonly drainMs?: number;
  /** How long the body of a request may take, milliseconds. Default 60,000. */
  readonly bodyTimeoutMs?: number;
  /** Default none is written. */
  readonly log?: PlatformLog;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
}

/** Calls of one client: a carrier that streams batches and answers tracebacks makes some a second. */
const CLIENT_RATE = { perSecond: 100, burst: 400 };
/** Calls from one address: some clients behind one network address. */
const ADDRESS_RATE = { perSecond: 300, burst: 1_200 };

/** A platform that listens. */
export interface RunningPlatform extends AsyncDisposable {
  /** Where it is reached, without a slash at its end. */
  readonly url: string;
  /** What assertions of clients name as their audience. */
  readonly tokenUrl: string;
  readonly port: number;
  readonly database: OpenedDatabase;
  /** What areas stand on. */
  readonly context: PlatformContext;
  readonly trust: TrustArea;
  /** Areas by their names, those of the platform itself among them. */
  readonly areas: ReadonlyMap<string, PlatformArea>;
  /** All routes that are served. */
  readonly routes: readonly ServedRoute[];
  readonly metrics: PlatformMetrics;
  /** Its events, as streams and webhooks read them. */
  readonly feed: EventFeed;
  /** What operators have to act on though it works, as `/readyz` says it: `audit: broken at 57`. */
  readonly warnings: () => readonly string[];
  /** Waits until areas have reacted to everything that was committed before. */
  readonly caughtUp: () => Promise<void>;
  /** Takes no more calls, waits for those that are worked on, and closes everything. */
  readonly close: () => Promise<void>;
}

/**
 * Starts a platform: opens its database and brings the schema up to date, opens the areas, begins reactions and jobs, and listens. It may be
 * ended at any instant and started anew: what it acknowledged is there.
 * @param options - where its database is, which areas it has, how it is reached
 * @returns the platform, listening; to be closed, or taken with `await using`
 * @throws HopbackError `invalid-configuration` where options contradict each other, two areas have one route or operation, the port cannot
 * be opened, or the database is of a later release; `storage-failed` where it cannot be opened
 * @see docs/decisions/0016-areas-of-the-platform.md
 * @example
 * ```ts
 * await using platform = await startPlatform();
 * const response = await fetch(`${platform.url}/livez`);
 * console.log(response.status); // 200
 * ```
 */
export async function startPlatform(options: PlatformOptions = {}): Promise<RunningPlatform> {
  const { database: place = { memory: true }, log = SILENT_LOG } = options;
  const keyRing = options.keyRing ?? newKeyRing(options);
  const closers = createClosers();
  try {
    const database = closers.add(await openPlatformDatabase(place, { log }));
    return await startOn({ options, database, keyRing, closers });
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function newKeyRing({ database = { memory: true } }: PlatformOptions): KeyRing {
  if (!('memory' in database))
    throw new HopbackError(
      'invalid-configuration',
      'a database that is kept needs a key ring that is kept: openKeyRing',
    );
  return createKeyRing();
}

interface Starting {
  readonly options: PlatformOptions;
  readonly database: OpenedDatabase;
  readonly keyRing: KeyRing;
  readonly closers: Closers;
}

async function startOn({ options, database, keyRing, closers }: Starting): Promise<RunningPlatform> {
  const { clock = MACHINE_CLOCK, log = SILENT_LOG, areas: plugged = [] } = options;
  const definitions = [
    trustDefinition,
    eventsDefinition,
    httpDefinition,
    ...plugged.map(({ definition }) => definition),
  ];
  await migratePlatform(database, definitions);
  const bare = createPlatformContext({ database, clock, log, masterKey: keyRing });
  const presence = closers.add(createPresence(database, bare.newId('process')));
  const keyed = createKeyedTransactions(bare, presence);
  const { context } = keyed;
  const metrics = new PlatformMetrics();
  // The port is known once somebody listens, and what is answered needs it.
  const behind: { app?: PlatformApp } = {};
  const server = closers.add(await listen(options, () => behind.app ?? starting));
  const url = publicUrlOf(options, server.port);
  const feed = closers.add(new EventFeed(database, { clock }));
  const trust = createTrustArea({ context, tokenUrl: `${url}/oauth/token` });
  if (options.firstOperator !== undefined) await trust.makeFirstOperator(options.firstOperator);
  const areas = await openAreas({ options, context, database, trust, feed, closers, metrics, url });
  const all = [...areas.values()];
  const routes = routesOf(all);
  const schemas = schemasOf(all);
  const reactions = closers.add(startReactionRunner({ context, feed, areas: all }));
  const leadership = closers.add(database.leadership('jobs'));
  const retention = eventsRetentionJob({ context, readThrough: readByEndpoints });
  const jobs = [...all.flatMap((area) => area.jobs), keyed.job, retention];
  closers.add(startJobRunner({ context, leadership, jobs }));
  const { rates = {} } = options;
  const state = { isClosing: false };
  const notices = (): readonly PlatformNotice[] => all.flatMap((area) => area.notices?.() ?? []);
  behind.app = createPlatformApp({
    context,
    routes,
    metrics,
    newId: context.newId,
    operations: operationsOf(all),
    schemas,
    tokens: trust.tokens,
    idempotency: keyed.store,
    perClient: createRateLimiter(rates.perClient ?? CLIENT_RATE),
    perAddress: createRateLimiter(rates.perAddress ?? ADDRESS_RATE),
    checkAnswers: options.checkAnswers ?? false,
    ...(options.bodyTimeoutMs !== undefined && { bodyTimeoutMs: options.bodyTimeoutMs }),
    basePath: new URL(url).pathname.replace(/\/$/, ''),
    notices,
    openApi: () => openApiDocument({ routes: routes.slice(PLATFORM_ROUTES.length), schemas, tags: OPERATOR_TAGS }),
    isReady: async () => !state.isClosing && (await answers(context)),
  });
  for (const area of all) area.begin?.();
  // Before everything else: streams would keep connections open, and calls need what is closed behind them.
  closers.add({
    close: async () => {
      state.isClosing = true;
      const ended = server.close();
      const events = areas.get('events');
      if (events !== undefined && 'endStreams' in events) (events as ReturnType<typeof createEventsArea>).endStreams();
      await ended;
    },
  });
  return {
    url,
    tokenUrl: `${url}/oauth/token`,
    port: server.port,
    database,
    context,
    trust,
    areas,
    routes,
    metrics,
    feed,
    warnings: () => notices().flatMap(({ text, isWarning }) => (isWarning ? [text] : [])),
    caughtUp: reactions.caughtUp,
    close: closers.close,
    [Symbol.asyncDispose]: closers.close,
  };
}

function listen(options: PlatformOptions, app: () => PlatformApp): ReturnType<typeof startHttpServer> {
  const { host = '127.0.0.1', port = 0, tls, trustedProxies, drainMs } = options;
  const settings = {
    host,
    port,
    ...(tls !== undefined && { tls }),
    ...(trustedProxies !== undefined && { trustedProxies }),
    ...(drainMs !== undefined && { drainMs }),
  };
  return startHttpServer(settings, app);
}

const starting: PlatformApp = async () => new Response(null, { status: 503, headers: { 'retry-after': '1' } });

function publicUrlOf({ publicUrl, tls, host = '127.0.0.1' }: PlatformOptions, port: number): string {
  if (publicUrl === undefined)
    return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (url === undefined || url.search !== '' || url.hash !== '' || !/^https?:$/.test(url.protocol))
    throw new HopbackError('invalid-configuration', 'publicUrl is an address without query and fragment');
  return url.href.replace(/\/$/, '');
}

async function openAreas(parts: {
  readonly options: PlatformOptions;
  readonly context: PlatformContext;
  readonly database: OpenedDatabase;
  readonly trust: TrustArea;
  readonly feed: EventFeed;
  readonly closers: Closers;
  readonly metrics: PlatformMetrics;
  readonly url: string;
}): Promise<ReadonlyMap<string, PlatformArea>> {
  const { options, context, database, trust, feed, closers, metrics, url } = parts;
  const opened = new Map<string, PlatformArea>([['trust', closers.add(trust)]]);
  const events = createEventsArea({
    context,
    source: feed,
    eventSource: url,
    mayStillCall: ({ organizationId, clientId }) => trust.mayCall(context.database, { organizationId, clientId }),
    ...(options.webhooks !== undefined && { webhooks: options.webhooks }),
    counted: (outcome) => metrics.count('hopback_webhook_attempts_total', { outcome }),
  });
  opened.set('events', closers.add(events));
  metrics.gauge('hopback_event_streams_open', events.streams);
  for (const { definition, open } of options.areas ?? []) {
    if (opened.has(definition.name))
      throw new HopbackError('invalid-configuration', `there are two areas ${definition.name}`);
    opened.set(
      definition.name,
      closers.add(
        await open({
          context,
          database,
          trust,
          feed,
          opened,
          publicUrl: url,
        }),
      ),
    );
  }
  return opened;
}

/** Routes of the contract that somebody carries out, and those of areas. @throws HopbackError where two are in each other's way */
function routesOf(areas: readonly PlatformArea[]): readonly ServedRoute[] {
  const own = areas.flatMap(({ routes }) => routes);
  const all: readonly ServedRoute[] = [...PLATFORM_ROUTES, ...own];
  const seen = new Set<string>();
  for (const { operationId, method, path } of all) {
    for (const name of [operationId, `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`]) {
      if (seen.has(name)) throw new HopbackError('invalid-configuration', `two routes are ${name}`);
      seen.add(name);
    }
  }
  return all;
}

function operationsOf(areas: readonly PlatformArea[]): Operations {
  const all = new Map<string, Operations[string]>();
  for (const { name, operations } of areas) {
    for (const [operationId, operation] of Object.entries(operations)) {
      if (all.has(operationId))
        throw new HopbackError(
          'invalid-configuration',
          `area ${name} carries out ${operationId}, which another one does`,
        );
      all.set(operationId, operation);
    }
  }
  return Object.fromEntries(all);
}

function schemasOf(areas: readonly PlatformArea[]): Readonly<Record<string, WireSchema<unknown>>> {
  return Object.assign({}, WIRE_SCHEMAS, ...areas.map(({ schemas }) => schemas)) as Record<string, WireSchema<unknown>>;
}

async function answers({ database }: PlatformContext): Promise<boolean> {
  try {
    await sql`select 1`.execute(database);
    return true;
  } catch {
    return false;
  }
}

type Closers = ReturnType<typeof createClosers>;

function createClosers() {
  const closables: { readonly close?: () => Promise<void> }[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const one of closables.toReversed()) await one.close?.().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  return {
    add: <Closable extends { readonly close?: () => Promise<void> }>(closable: Closable): Closable => {
      closables.push(closable);
      return closable;
    },
    /** Closes what was added, the last one first; what cannot be closed keeps nothing else open. */
    close: (): Promise<void> => (closing ??= closeAll()),
  };
}
