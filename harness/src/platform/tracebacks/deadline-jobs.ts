import { HopbackError } from '@hopback/sdk/errors';
import { pendingEffects, viewTraceback } from '@hopback/sdk/internal';
import type { TracebackEvent } from '@hopback/sdk/internal';
import { canonicalDigits, liveNeighbours, NEIGHBOUR_MARGIN_MS } from '../domain/tracebacks/live-neighbours.js';
import type { NeighbourRecord } from '../domain/tracebacks/live-neighbours.js';
import { sql } from 'kysely';
import type { LiveRecord, PlatformJob, PlatformTransaction } from '../core/index.js';
import { Acting, workThrough } from '../database/index.js';
import type { HeldTraceback } from './held-traceback.js';
import { platformReason } from './held-traceback.js';
import type { AnswerParts } from './take-answers.js';
import { tablesOf } from './tracebacks-tables.js';

/** Tracebacks that one transaction wakes: some dozens of milliseconds, so that nobody waits for it. */
const WOKEN_AT_ONCE = 50;
/** Tracebacks of one run: those that are left over are due at the next. */
const WOKEN_OF_A_RUN = 10_000;
/** Deadlines are of whole minutes, and a minute more or less is told nobody. */
const WAKE_EVERY_MS = 5_000;
/** Live records of a call come in within minutes of it, and the provider has been silent for a day. */
const SEEK_EVERY_MS = 30_000;
/** Searches of one run. */
const SEEKS_OF_A_RUN = 20;
/** Records that are looked through around one call: a busy minute of some carriers that show the number. */
const SOUGHT_RECORDS = 500;

/** Jobs of the area: what time brings, and the search for neighbours of the silent. */
export function tracebackJobs(parts: AnswerParts): readonly PlatformJob[] {
  return [
    { name: 'tracebacks.deadlines', everyMs: WAKE_EVERY_MS, run: (nowMs) => wakeDue(parts, nowMs) },
    { name: 'tracebacks.neighbours', everyMs: SEEK_EVERY_MS, run: (nowMs) => seekNeighbours(parts, nowMs) },
  ];
}

type DueTraceback = { readonly traceback_id: string; readonly wake_at_ms: number | null };

/** Wakes tracebacks whose time has come, by the index of their times: others are not looked at. */
async function wakeDue(parts: AnswerParts, nowMs: number): Promise<void> {
  const { context } = parts;
  await workThrough<DueTraceback>({
    context,
    job: 'tracebacks.deadlines',
    nowMs,
    idOf: (row) => row.traceback_id,
    most: WOKEN_OF_A_RUN,
    page: (after) =>
      tablesOf(context.database)
        .selectFrom('tracebacks_states')
        .select(['traceback_id', 'wake_at_ms'])
        .where('wake_at_ms', '<=', nowMs)
        .$if(after !== undefined, (query) =>
          query.where(
            sql<boolean>`(wake_at_ms, traceback_id) > (${after?.wake_at_ms ?? 0}::bigint, ${after?.traceback_id ?? ''})`,
          ),
        )
        .orderBy('wake_at_ms')
        .orderBy('traceback_id')
        .limit(WOKEN_AT_ONCE)
        .execute(),
    together: (rows) => wakeTogether(parts, rows, nowMs),
    work: (row) => wakeTogether(parts, [row], nowMs),
  });
}

async function wakeTogether(parts: AnswerParts, rows: readonly DueTraceback[], nowMs: number): Promise<void> {
  await parts.engine.transact(async (transaction) => {
    const { refused, done } = await parts.engine.conduct(
      transaction,
      rows.map(({ traceback_id: tracebackId }) => ({
        tracebackId,
        events: [{ type: 'time-passed', tracebackId, atMs: nowMs } as const],
      })),
      { isLast: true },
    );
    if (refused !== undefined) throw refusedEvent(refused);
    for (const [tracebackId, effects] of done) {
      if (effects.length === 0) continue;
      const work = new Acting(parts.context, transaction);
      await work.audit('traceback.time-passed', `traceback:${tracebackId}`, { done: effects });
    }
  });
}

/** The lifecycle takes these events of the platform itself at any time: a refusal is a fault of one traceback. */
const refusedEvent = (details: { readonly tracebackId: string; readonly reason: string }): HopbackError =>
  new HopbackError('internal', 'the lifecycle of a traceback refused an event of the platform', { details });

type SeekingTraceback = { readonly traceback_id: string; readonly place: number };

async function seekNeighbours(parts: AnswerParts, nowMs: number): Promise<void> {
  const { context } = parts;
  await workThrough<SeekingTraceback>({
    context,
    job: 'tracebacks.neighbours',
    nowMs,
    idOf: (row) => row.traceback_id,
    most: SEEKS_OF_A_RUN,
    page: (after) =>
      tablesOf(context.database)
        .selectFrom('tracebacks_states')
        .select(['traceback_id', 'place'])
        .where('seeks_neighbours', '=', true)
        .where('place', '>', after?.place ?? 0)
        .orderBy('place')
        .limit(SEEKS_OF_A_RUN)
        .execute(),
    work: async ({ traceback_id: tracebackId }) => {
      for (const one of await parts.engine.transact((transaction) => soughtIn(parts, transaction, tracebackId)))
        await seek(parts, one);
    },
  });
}

interface Sought {
  readonly tracebackId: string;
  readonly requestId: string;
  readonly effectId: string;
  readonly silent: HeldTraceback['state']['first'] | undefined;
  readonly call:
    NonNullable<Awaited<ReturnType<AnswerParts['engine']['texts']['requests']>>[number]>['call'] | undefined;
}

/**
 * Whose neighbours are sought; empty when an answer came in since the page was read.
 * @throws HopbackError `internal` where the row says that neighbours are sought and the state does not
 */
async function soughtIn(
  { engine }: AnswerParts,
  transaction: PlatformTransaction,
  tracebackId: string,
): Promise<readonly Sought[]> {
  const held = (await engine.load(transaction, [tracebackId])).get(tracebackId);
  if (held === undefined) return [];
  const { path } = viewTraceback(held.state);
  const sought: Sought[] = [];
  for (const effect of pendingEffects(held.state)) {
    if (effect.type !== 'seek-neighbours') continue;
    const { requestId, effectId } = effect;
    const hop = path.find((one) => one.requestId === requestId);
    const row = held.requests.get(requestId);
    const [request] =
      row === undefined ? [] : await engine.texts.requests(transaction, [row], platformReason(tracebackId));
    sought.push({
      tracebackId,
      requestId,
      effectId,
      silent: hop?.provider,
      call: request?.call,
    });
  }
  if (sought.length === 0 && held.row.seeks_neighbours)
    throw new HopbackError('internal', 'a traceback seeks neighbours of nobody', { details: { tracebackId } });
  return sought;
}

/** Looks through the live records, and reports what they say; what they do not say is looked for by people. */
async function seek(parts: AnswerParts, sought: Sought): Promise<void> {
  const { context, engine } = parts;
  const { tracebackId, effectId, silent, requestId } = sought;
  const records = await recordsAround(parts, sought);
  const found =
    silent === undefined || sought.call === undefined
      ? { certain: [], possible: [] }
      : liveNeighbours(records, { silent, call: sought.call });
  await engine.transact(async (transaction) => {
    const atMs = context.clock.nowMs();
    const events: TracebackEvent[] = [];
    for (const { providerId, record } of found.certain) {
      const provider = await parts.providers.provider(transaction, providerId);
      if (provider === undefined || silent === undefined) continue;
      const reference = { providerId, name: provider.entry.businessName };
      const reportId = `live:${providerId}:${record.recordId}`;
      events.push({
        type: 'neighbour-reported',
        tracebackId,
        atMs,
        reportId,
        provider: reference,
        sentTo: silent,
      });
    }
    events.push({
      type: 'effect-done',
      tracebackId,
      atMs,
      effectId,
      reference: `found ${found.certain.length}`,
    });
    const { refused, done } = await engine.conduct(transaction, [{ tracebackId, events }]);
    if (refused !== undefined) throw refusedEvent(refused);
    await new Acting(context, transaction).audit('traceback.neighbours-sought', `traceback:${tracebackId}`, {
      requestId,
      looked: records.length,
      certain: found.certain.map(({ providerId, record }) => `${providerId}:${record.recordId}`),
      possible: found.possible.map(({ providerId, record }) => `${providerId}:${record.recordId}`),
      done: done.get(tracebackId) ?? [],
    });
  });
}

async function recordsAround(
  { live, providers, context }: AnswerParts,
  { call, silent }: Sought,
): Promise<readonly NeighbourRecord[]> {
  const atMs = call === undefined ? Number.NaN : instantOf(call.at);
  if (live === undefined || call === undefined || silent === undefined || Number.isNaN(atMs)) return [];
  const marginMs = call.at.precision === 'minute' ? NEIGHBOUR_MARGIN_MS + 60_000 : NEIGHBOUR_MARGIN_MS;
  const { records } = await live.find({
    fromMs: atMs - marginMs,
    toMs: atMs + marginMs,
    limit: SOUGHT_RECORDS,
    ...(call.called !== undefined && { calledTns: [canonicalDigits(call.called)] }),
  });
  const resolved = new Map<string, string | undefined>();
  const idOf = async (name: string): Promise<string | undefined> => {
    if (!resolved.has(name)) {
      const found = await providers.resolve(context.database, { name });
      resolved.set(name, found.status === 'found' ? found.provider.entry.providerId : undefined);
    }
    return resolved.get(name);
  };
  return Promise.all(
    records.map(async ({ providerId, record }: LiveRecord) => {
      const { provider } = record.egress;
      return { providerId, record, sentToId: provider === undefined ? undefined : await idOf(provider) };
    }),
  );
}

/** When a call was, where its time was stated in UTC to the minute or better: what answers disclose is. */
function instantOf({ local, zone }: NonNullable<Sought['call']>['at']): number {
  if (zone === 'UTC') return Date.parse(`${local}Z`);
  return zone !== undefined && /^[+-]\d{2}:\d{2}$/.test(zone) ? Date.parse(`${local}${zone}`) : Number.NaN;
}
