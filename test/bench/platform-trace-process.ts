/**
 * A reference platform in a process of its own, for the bench `platform-trace`: reached over HTTP as it is, and by lines of JSON, so that
 * what HTTP costs is not in what the engine costs. Says `{"url":…}` once it is up; every line that comes in is answered by one.
 * `tsx platform-trace-process.ts DIRECTORY [POSTGRES_URL]`
 */
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'kysely';
import type { Caller, PlatformTransaction } from '../../harness/dist/platform/core/index.js';
import { openEvents } from '../../harness/dist/platform/events/event-streams.js';
import type { ProviderTables } from '../../harness/dist/platform/providers/provider-tables.js';
import { writeEntries } from '../../harness/dist/platform/providers/registry-operations.js';
import { startReferenceWithAreas } from '../../harness/dist/platform/reference/reference-platform.js';
import { insertClient, readClientKey } from '../../harness/dist/platform/trust/client-operations.js';
import { insertOrganization } from '../../harness/dist/platform/trust/organization-operations.js';
import { MACHINE_CLOCK } from '../../sdk/dist/core/runtime/clock.js';
import type { ProviderEntry, TimerClock } from '../../sdk/dist/platform/index.js';
import type { BenchProvider, TraceOrder } from './platform-trace-lines.js';

const [directory = '', url] = process.argv.slice(2);

/** Time goes on as it does, from where it was moved to. */
let movedMs = 0;
const clock: TimerClock = { ...MACHINE_CLOCK, nowMs: () => Date.now() + movedMs };
/** How long the embedded database has worked. */
let databaseMs = 0;
// Everything it is asked goes this way, and is done when it returns. Called on the database as it is within.
// oxlint-disable-next-line typescript/unbound-method
const { execProtocolRawStream, execProtocolRawSync } = PGlite.prototype;
// The driver reads meanwhile what the database hands over, and that is the platform's time.
PGlite.prototype.execProtocolRawStream = function (this: PGlite, message, { onRawData, ...options }) {
  return execProtocolRawStream.call(this, message, {
    ...options,
    onRawData: (data) => {
      const begunMs = performance.now();
      onRawData(data);
      databaseMs -= performance.now() - begunMs;
    },
  });
};
PGlite.prototype.execProtocolRawSync = function (this: PGlite, ...messages) {
  const begunMs = performance.now();
  try {
    return execProtocolRawSync.apply(this, messages);
  } finally {
    databaseMs += performance.now() - begunMs;
  }
};
const UNLIMITED = { perSecond: 1_000_000, burst: 1_000_000 };
const platform = await startReferenceWithAreas({
  ...{ directory, clock, rates: { perClient: UNLIMITED, perAddress: UNLIMITED } },
  ...(url !== undefined && { database: { url } }),
});
const { context } = platform;

/** Puts providers into the registry, each with a client and a key for its answers. */
async function register(providers: readonly BenchProvider[]): Promise<void> {
  await context.transact((transaction) => registerSome(transaction, providers));
}

async function registerSome(transaction: PlatformTransaction, providers: readonly BenchProvider[]): Promise<void> {
  const nowMs = clock.nowMs();
  const entries = providers.map(({ providerId, name, ocn }) => {
    const entry: ProviderEntry = {
      ...({ format: 'hopback.provider-entry.1', implementation: 'complete' } as const),
      ...{ providerId, businessName: name, updatedAt: '2026-01-01T00:00:00Z', ocns: [ocn], spcs: [ocn], country: 'US' },
      ...{ previousBusinessNames: [], otherDbaNames: [], principals: [], affiliates: [] },
      ...{ isForeignVoiceServiceProvider: false, isVoiceServiceProvider: true },
      ...{ isGatewayProvider: false, isNonGatewayIntermediateProvider: false },
    };
    return { entry, isNew: true };
  });
  await writeEntries(transaction, entries, { nowMs, source: 'staff:bench' });
  for (const { providerId, name, clientJwk, answerJwk } of providers) {
    const reading = readClientKey(clientJwk);
    if (reading.status === 'refused') throw new Error(reading.fault);
    await insertOrganization(transaction, { organizationId: providerId, kind: 'carrier', name }, nowMs);
    await insertClient(transaction, {
      stated: { clientId: `client-${providerId}`, organizationId: providerId, name },
      ...{ keys: [{ key: reading.key, endsAtMs: null }], atMs: nowMs },
    });
    const key = { provider_id: providerId, key_id: String(answerJwk['kid']), jwk: JSON.stringify(answerJwk) };
    await transaction
      .withTables<ProviderTables>()
      .insertInto('providers_keys')
      .values({ ...key, from_ms: 0, until_ms: null })
      .execute();
  }
}

const callerOf = (organizationId: string): Caller => {
  const kind = organizationId === 'itg' ? 'staff' : 'carrier';
  return { clientId: `client-${organizationId}`, organizationId, kind, scopes: [kind], name: organizationId };
};

async function call(order: Extract<TraceOrder, { readonly do: 'call' }>): Promise<unknown> {
  const area = [...platform.areas.values()].find(({ operations }) => operations[order.operationId] !== undefined);
  const operation = area?.operations[order.operationId];
  const route = platform.routes.find(({ operationId }) => operationId === order.operationId);
  if (operation === undefined || route === undefined) throw new Error(order.operationId);
  return operation({
    ...{ route, caller: callerOf(order.by), atMs: clock.nowMs(), httpRequestId: `req-${String(order.id)}` },
    request: { parameters: order.parameters, bytes: new Uint8Array(), body: order.body },
    signal: new AbortController().signal,
  });
}

async function figures(): Promise<unknown> {
  const { user, system } = process.cpuUsage();
  const { rows } = await sql<{ open: number; closed: number; hops: number; answers: number }>`select
    (select count(*) from tracebacks_states where standing = 'open')::int as open,
    (select count(*) from tracebacks_states where standing <> 'open')::int as closed,
    (select count(*) from tracebacks_requests)::int as hops,
    (select count(*) from tracebacks_answers)::int as answers`.execute(context.database);
  return { cpuMs: (user + system) / 1_000 - linesMs, databaseMs, ...rows[0] };
}

async function carryOut(order: TraceOrder): Promise<unknown> {
  switch (order.do) {
    case 'register':
      return register(order.providers);
    case 'call':
      return call(order);
    case 'pass':
      movedMs += order.ms;
      for (const { name, run } of platform.areas.get('tracebacks')?.jobs ?? [])
        if (name === 'tracebacks.deadlines' || order.ms === 0) await run(clock.nowMs());
      return undefined;
    case 'settle':
      await platform.caughtUp();
      await platform.opened.audit.log.drain();
      return delivered();
    case 'end':
      await platform.close();
      return setImmediate(() => process.exit());
    case 'figures':
      return figures();
  }
}

/** What reading and writing lines has taken, which stand for HTTP: none of it is the platform's. */
let linesMs = 0;
function clocked<Value>(work: () => Value): Value {
  const begunMs = performance.now();
  try {
    return work();
  } finally {
    linesMs += performance.now() - begunMs;
  }
}

const say = (line: unknown): void => clocked(() => void process.stdout.write(`${JSON.stringify(line)}\n`));

const { feed } = platform;
let position = 0;
const moved = new EventEmitter();

/** Brings providers what they are asked, as streams do: sealed events are opened, and that is put down. */
async function deliver(): Promise<void> {
  while (await feed.wait(position)) {
    const { events, throughPosition } = await feed.read(position);
    const asked = events.filter(({ type }) => type === 'org.hopback.traceback-request.created.1');
    for (const { data } of await openEvents(context, asked, 'bench-providers'))
      say({ asked: (data as { readonly request: unknown }).request });
    for (const { type, subject } of events) if (type === 'traceback.concluded') say({ concluded: subject });
    position = throughPosition;
    moved.emit('moved');
  }
}

/** Until everything that was committed has been brought. Waits without the processor, whose time is what is measured. */
async function delivered(): Promise<void> {
  const through = await feed.newestPosition();
  const isBehind = (): boolean => position < through;
  while (isBehind()) await once(moved, 'moved');
}

void deliver();
say({
  ...{ url: platform.url, tokenUrl: platform.tokenUrl, receiptKeys: platform.receiptKeys },
});
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = clocked(() => JSON.parse(line) as TraceOrder);
    carryOut(order).then(
      (answer) => say({ id: order.id, answer }),
      (error: unknown) => say({ id: order.id, error: String((error as Error).stack ?? error) }),
    );
  })
  // The bench is gone, by whatever end: so is its platform.
  .on('close', () => process.exit());
