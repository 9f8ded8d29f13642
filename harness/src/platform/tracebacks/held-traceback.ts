import { HopbackError } from '@hopback/sdk/errors';
import type { TracebackOpening } from '@hopback/sdk/platform';
import type {
  TracebackAnswer,
  TracebackEffect,
  TracebackEvent,
  TracebackRequest,
  TracebackState,
  TracebackStep,
  TracebackView,
} from '@hopback/sdk/traceback';
import { pendingEffects, stepTraceback, viewTraceback } from '@hopback/sdk/traceback';
import type { CompiledQuery, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import type { OpeningReason, RowsOfAll } from '../database/index.js';
import { compiledOnce, isAmong, openJson, together, writeLater } from '../database/index.js';
import { isSameResult, requestResult } from '../domain/tracebacks/shown-traceback.js';
import { waitingItems } from '../domain/tracebacks/waiting-items.js';
import type { RequestsTable, StatesTable, TracebacksTables } from './tracebacks-tables.js';
import { insertion } from './tracebacks-tables.js';

/** A request as it is in the table; what can change of it is changed here first. */
export type HeldRequest = {
  -readonly [Name in keyof Selectable<RequestsTable>]: Selectable<RequestsTable>[Name];
} & { isNew?: boolean; isChanged?: boolean };

/** A traceback that a transaction works on. */
export interface HeldTraceback {
  readonly row: StateRow;
  readonly requests: Map<string, HeldRequest>;
  state: TracebackState;
  /** As it was read; the same object where nothing has changed. */
  readonly readState: TracebackState;
  isNew: boolean;
}

/** States of tracebacks that were worked on last, by id: of those what follows from them need not be found out again. */
export type StateMemory = ReturnType<typeof createStateMemory>;

/** A state of ten hops with what follows from it takes about a hundred kilobytes: in all some hundred megabytes at most. */
const REMEMBERED_STATES = 2_000;

/** Makes the memory. */
export function createStateMemory() {
  const states = new Map<string, { readonly version: number; readonly state: TracebackState }>();
  return {
    get: (tracebackId: string, version: number): TracebackState | undefined => {
      const known = states.get(tracebackId);
      return known?.version === version ? known.state : undefined;
    },
    /** Version that is remembered. */
    version: (tracebackId: string): number | undefined => states.get(tracebackId)?.version,
    set: (tracebackId: string, version: number, state: TracebackState) => {
      states.delete(tracebackId);
      states.set(tracebackId, { version, state });
      const [oldest] = states.size > REMEMBERED_STATES ? states.keys() : [];
      if (oldest !== undefined) states.delete(oldest);
    },
  };
}

/** Tracebacks, and what was read on the way. */
export interface LoadedTracebacks<Queries extends readonly CompiledQuery[]> {
  readonly held: ReadonlyMap<string, HeldTraceback>;
  readonly rows: RowsOfAll<Queries>;
}

/**
 * Reads tracebacks with their requests, however many there are. States that are remembered are not read.
 * @param besides - what else is asked on the way
 */
export async function loadTracebacks<const Queries extends readonly CompiledQuery[]>(
  reading: Reading,
  ...[tracebackIds, memory, besides]: [readonly string[], StateMemory, Queries]
): Promise<LoadedTracebacks<Queries>> {
  const held = new Map<string, HeldTraceback>();
  if (tracebackIds.length === 0) return { held, rows: await together(reading, besides) };
  const asked = tracebackIds.map((id) => ({ id, version: memory.version(id) ?? null }));
  const own = [statesQuery(reading, JSON.stringify(asked)), requestsQuery(reading, tracebackIds)] as const;
  const [known, requests, ...rows] = await together(reading, [...own, ...besides]);
  for (const row of known) {
    const { state: stored } = row;
    const state = stored === null ? memory.get(row.traceback_id, row.version) : (JSON.parse(stored) as TracebackState);
    if (state === undefined) throw forgotten(row.traceback_id);
    held.set(row.traceback_id, { row, requests: new Map(), state, readState: state, isNew: false });
  }
  for (const request of requests) held.get(request.traceback_id)?.requests.set(request.request_id, request);
  return { held, rows: rows as RowsOfAll<readonly CompiledQuery[]> as RowsOfAll<Queries> };
}

/** Asks for tracebacks by `[{"id","version"}]`; the state of one is null where it has that version. */
const statesQuery = compiledOnce((reading, asked: string) =>
  sql<StateRow & { readonly state: string | null }>`
    select known.traceback_id, known.place, known.direction, known.campaign_id, known.opened_by, known.reason_key,
      known.opened_at_ms, known.updated_at_ms, known.standing, known.outcome, known.version, known.wake_at_ms,
      known.seeks_neighbours, known.waits, known.opening,
      case when known.version = asked.version then null else known.state end as state
    from jsonb_to_recordset(${asked}::jsonb) as asked (id text, version integer)
    join tracebacks_states as known on known.traceback_id = asked.id`.compile(reading),
);

const requestsQuery = compiledOnce(
  (reading, tracebackIds: readonly string[]): CompiledQuery<Selectable<RequestsTable>> =>
    reading
      .withTables<TracebacksTables>()
      .selectFrom('tracebacks_requests')
      .selectAll()
      .where(isAmong('traceback_id', tracebackIds))
      .orderBy('place')
      .compile(),
);

/** What the table has of a traceback beside its state. */
type StateRow = Omit<Selectable<StatesTable>, 'state'>;

/** It was remembered when it was asked for, and is not any more: the transaction is begun again. */
const forgotten = (tracebackId: string): HopbackError =>
  new HopbackError('unavailable', 'a state was forgotten while it was read', {
    retryable: true,
    details: { tracebackId },
  });

/** Columns that follow from where a traceback stands. */
export function standingOf(
  state: TracebackState,
  view: TracebackView = viewTraceback(state),
): Pick<Selectable<StatesTable>, 'standing' | 'outcome' | 'wake_at_ms' | 'seeks_neighbours' | 'waits'> {
  const { status, outcome, wakeAtMs } = view;
  const isClosed = status === 'closed' || status === 'concluded';
  return {
    standing: status === 'cancelled' ? 'withdrawn' : isClosed ? 'closed' : 'open',
    outcome: outcome?.kind ?? null,
    wake_at_ms: wakeAtMs ?? null,
    seeks_neighbours: pendingEffects(state).some(({ type }) => type === 'seek-neighbours'),
    waits: waitingItems(view),
  };
}

/** A state as it is once the transaction has committed. */
export interface SavedState {
  readonly tracebackId: string;
  readonly version: number;
  readonly state: TracebackState;
}

/**
 * Writes what has changed of tracebacks, however many there are, in one go.
 * @param besides - what is written before it
 * @param isLast - whether the transaction reads nothing of it any more: then it is written with what the transaction tells
 * @returns the states, to be remembered
 */
export async function saveTracebacks(
  transaction: PlatformTransaction,
  held: readonly HeldTraceback[],
  {
    nowMs,
    besides,
    isLast,
  }: { readonly nowMs: number; readonly besides: readonly CompiledQuery[]; readonly isLast: boolean },
): Promise<readonly SavedState[]> {
  const changed = held.filter(({ state, readState, isNew }) => isNew || state !== readState);
  for (const one of changed) noteResults(one);
  const [newStates, knownStates] = [changed.filter(({ isNew }) => isNew), changed.filter(({ isNew }) => !isNew)];
  const requests = held.flatMap((one) => [...one.requests.values()]);
  const newRequests = requests.filter(({ isNew }) => isNew === true);
  const knownRequests = requests.filter(({ isNew, isChanged }) => isNew !== true && isChanged === true);
  const queries = [
    ...besides,
    ...insertedStates(transaction, newStates),
    ...updatedStates(transaction, knownStates, nowMs),
    ...insertion(transaction, REQUESTS, newRequests),
    ...updatedRequests(transaction, knownRequests),
  ];
  if (isLast) await writeLater(transaction, queries);
  else await together(transaction, queries);
  return changed.map(({ row, state, isNew }) => ({
    tracebackId: row.traceback_id,
    version: isNew ? 1 : row.version + 1,
    state,
  }));
}

/** Notes beside requests what became of them. */
function noteResults({ state, requests }: HeldTraceback): void {
  const view = viewTraceback(state);
  for (const hop of [...view.path, ...view.left]) {
    const request = requests.get(hop.requestId);
    const result = request === undefined ? undefined : requestResult(hop, view);
    if (request === undefined || result === undefined || isSameResult(request.result, result)) continue;
    request.result = result;
    request.isChanged = true;
  }
}

const STATES = {
  table: 'tracebacks_states',
  columns: {
    ...({ traceback_id: 'text', direction: 'text', campaign_id: 'text', opened_by: 'text' } as const),
    ...({ reason_key: 'text', opened_at_ms: 'bigint', updated_at_ms: 'bigint', standing: 'text' } as const),
    ...({ outcome: 'text', state: 'text', version: 'integer', wake_at_ms: 'bigint' } as const),
    ...({ seeks_neighbours: 'boolean', waits: 'jsonb', opening: 'jsonb' } as const),
  },
};

const insertedStates = (transaction: PlatformTransaction, held: readonly HeldTraceback[]): readonly CompiledQuery[] =>
  insertion(
    transaction,
    STATES,
    held.map(({ row, state }) => ({ ...row, ...standingOf(state), version: 1, state: JSON.stringify(state) })),
  );

type TracebackFact = TracebackState['facts'][number];

/** A fact as JSON, for as long as somebody holds it: of two dozen facts of a state one or two are new each time. */
const factTexts = new WeakMap<TracebackFact, string>();

function factText(fact: TracebackFact): string {
  const known = factTexts.get(fact) ?? JSON.stringify(fact);
  factTexts.set(fact, known);
  return known;
}

/** A state as JSON. */
function stateText({ facts, ...rest }: TracebackState): string {
  return `${JSON.stringify(rest).slice(0, -1)},"facts":[${facts.map(factText).join(',')}]}`;
}

/** The state of a row is an object in the JSON that is sent, of which `json` gives the text as it came: it need not be quoted. */
function updatedStates(
  transaction: PlatformTransaction,
  held: readonly HeldTraceback[],
  nowMs: number,
): readonly CompiledQuery[] {
  if (held.length === 0) return [];
  const rows = held.map(({ row, state }) => {
    const columns = JSON.stringify({ id: row.traceback_id, ...standingOf(state) });
    return `${columns.slice(0, -1)},"state":${stateText(state)}}`;
  });
  const query = sql`
    update tracebacks_states as known set
      state = changed.state, standing = changed.standing, outcome = changed.outcome, wake_at_ms = changed.wake_at_ms,
      seeks_neighbours = changed.seeks_neighbours, waits = changed.waits, version = known.version + 1,
      updated_at_ms = ${nowMs}
    from json_to_recordset(${`[${rows.join(',')}]`}::json) as changed (
      id text, state text, standing text, outcome text, wake_at_ms bigint, seeks_neighbours boolean, waits jsonb
    )
    where known.traceback_id = changed.id`;
  return [query.compile(transaction)];
}

const REQUESTS = {
  table: 'tracebacks_requests',
  columns: {
    ...({ request_id: 'text', traceback_id: 'text', provider_id: 'text', hop: 'integer' } as const),
    ...({ issued_at_ms: 'bigint', due_at_ms: 'bigint', acknowledged_at_ms: 'bigint' } as const),
    ...({ cancelled_at_ms: 'bigint', cancel_reason: 'text', answered_at_ms: 'bigint' } as const),
    ...({ last_answer_id: 'text', last_answered_at_ms: 'bigint', reminders: 'integer' } as const),
    ...({ is_overdue_told: 'boolean', question: 'text', asked_by: 'text', is_wanted: 'boolean' } as const),
    ...({ result: 'jsonb', request: 'jsonb' } as const),
  },
};

/** What can change of a request, written out: to leave out what cannot takes longer. */
function changesOf(
  request: HeldRequest,
): Omit<
  HeldRequest,
  'place' | 'traceback_id' | 'provider_id' | 'hop' | 'issued_at_ms' | 'due_at_ms' | 'question' | 'request'
> {
  return {
    request_id: request.request_id,
    acknowledged_at_ms: request.acknowledged_at_ms,
    cancelled_at_ms: request.cancelled_at_ms,
    cancel_reason: request.cancel_reason,
    answered_at_ms: request.answered_at_ms,
    last_answer_id: request.last_answer_id,
    last_answered_at_ms: request.last_answered_at_ms,
    result: request.result,
    reminders: request.reminders,
    is_overdue_told: request.is_overdue_told,
    is_wanted: request.is_wanted,
    asked_by: request.asked_by,
  };
}

function updatedRequests(transaction: PlatformTransaction, requests: readonly HeldRequest[]): readonly CompiledQuery[] {
  if (requests.length === 0) return [];
  const rows = requests.map(changesOf);
  const query = sql`
    update tracebacks_requests as known set
      acknowledged_at_ms = changed.acknowledged_at_ms, cancelled_at_ms = changed.cancelled_at_ms,
      cancel_reason = changed.cancel_reason, answered_at_ms = changed.answered_at_ms,
      last_answer_id = changed.last_answer_id, last_answered_at_ms = changed.last_answered_at_ms,
      result = changed.result, reminders = changed.reminders,
      is_overdue_told = changed.is_overdue_told, is_wanted = changed.is_wanted, asked_by = changed.asked_by
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as changed (
      request_id text, acknowledged_at_ms bigint, cancelled_at_ms bigint, cancel_reason text, answered_at_ms bigint,
      last_answer_id text, last_answered_at_ms bigint, result jsonb, reminders integer, is_overdue_told boolean, is_wanted boolean, asked_by text
    )
    where known.request_id = changed.request_id`;
  return [query.compile(transaction)];
}

/** Steps by their event, for as long as somebody holds it, and the state that they were taken from. */
const foreseen = new WeakMap<TracebackEvent, { readonly from: TracebackState; readonly step: TracebackStep }>();

/**
 * What an event makes of a state: a request says by when it has to be answered, which follows from the step that sending it is. Neither is ever
 * changed, so that the step is the same when it is taken.
 */
export function foreseenStep(state: TracebackState, event: TracebackEvent): TracebackStep {
  const known = foreseen.get(event);
  if (known?.from === state) return known.step;
  const step = stepTraceback(state, event);
  foreseen.set(event, { from: state, step });
  return step;
}

/** An effect that is due, and the traceback that it is of. */
export interface DueEffect<Effect extends TracebackEffect = TracebackEffect> {
  readonly held: HeldTraceback;
  readonly effect: Effect;
}

/** Tells effects of several tracebacks apart. */
export const effectKey = ({ held, effect }: DueEffect): string => `${held.row.traceback_id} ${effect.effectId}`;

/** What is sealed in the database, for as long as the engine works with it. */
export interface PlainTexts {
  /** Notes what was sealed just now, so that it need not be opened again. */
  readonly note: (pieces: readonly string[], value: unknown) => void;
  /**
   * Answers of a request that came within this transaction: they are used before it ends, and forgotten with it. Undefined where it is not known
   * that these are all.
   */
  readonly answers: (requestId: string) => readonly TracebackAnswer[] | undefined;
  readonly withAnswers: (answers: ReadonlyMap<string, readonly TracebackAnswer[]>) => PlainTexts;
  /** Opens what the platform is about to work with, all of it together. */
  readonly prefetch: (transaction: PlatformTransaction, asked: readonly (readonly string[])[]) => Promise<void>;
  readonly openings: (
    transaction: PlatformTransaction,
    held: readonly HeldTraceback[],
    reason: OpeningReason,
  ) => Promise<readonly (TracebackOpening | undefined)[]>;
  readonly requests: (
    transaction: PlatformTransaction,
    held: readonly HeldRequest[],
    reason: OpeningReason,
  ) => Promise<readonly (TracebackRequest | undefined)[]>;
}

/** Of requests and openings, two kilobytes each: those of the tracebacks that move now. */
const REMEMBERED_TEXTS = 20_000;

/** The platform itself, where it goes on with a traceback. */
export const platformReason = (tracebackId: string): OpeningReason => ({
  organizationId: 'platform',
  actor: 'platform',
  object: `traceback:${tracebackId}`,
});

/** Almost all are of one piece. */
const keyOf = (pieces: readonly string[]): string => (pieces.length === 1 ? (pieces[0] ?? '') : pieces.join(' '));

/** Makes the memory. Whatever is shown to a person or another organization is opened and audited; what the engine noted itself is not. */
export function createPlainTexts(context: PlatformContext): PlainTexts {
  const known = new Map<string, unknown>();
  const note = (pieces: readonly string[], value: unknown): void => {
    known.set(keyOf(pieces), value);
    const [oldest] = known.size > REMEMBERED_TEXTS ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
  };
  const plain = async (
    transaction: PlatformTransaction,
    asked: readonly (readonly string[])[],
    reason: OpeningReason,
  ): Promise<readonly unknown[]> => {
    const isOwn = reason.organizationId === 'platform';
    const missing = asked.filter((pieces) => !isOwn || !known.has(keyOf(pieces)));
    if (missing.length === 0) return asked.map((pieces) => known.get(keyOf(pieces)));
    const opened = await openJson(context, transaction, { pieces: missing, reason });
    const found = new Map(missing.map((pieces, index) => [keyOf(pieces), opened[index]]));
    return asked.map((pieces) => {
      const key = keyOf(pieces);
      // What has been removed meanwhile is not shown because it is still remembered here.
      return found.has(key) ? found.get(key) : known.get(key);
    });
  };
  const texts: PlainTexts = {
    note,
    answers: () => undefined,
    withAnswers: (answers) => ({ ...texts, answers: (requestId) => answers.get(requestId) }),
    prefetch: async (transaction, asked) => {
      const missing = asked.filter((pieces) => !known.has(keyOf(pieces)));
      if (missing.length === 0) return;
      const reason = { organizationId: 'platform', actor: 'platform', object: 'tracebacks' };
      const opened = await openJson(context, transaction, { pieces: missing, reason });
      for (const [index, pieces] of missing.entries()) if (opened[index] !== undefined) note(pieces, opened[index]);
    },
    openings: async (transaction, held, reason) =>
      (await plain(
        transaction,
        held.map(({ row }) => row.opening),
        reason,
      )) as readonly (TracebackOpening | undefined)[],
    requests: async (transaction, held, reason) =>
      (await plain(
        transaction,
        held.map(({ request }) => request),
        reason,
      )) as readonly (TracebackRequest | undefined)[],
  };
  return texts;
}
