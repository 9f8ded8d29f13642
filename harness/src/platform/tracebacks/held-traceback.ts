import { HopbackError } from '@hopback/sdk/errors';
import type { TracebackOpening } from '@hopback/sdk/platform';
import type { TracebackAnswer, TracebackEffect, TracebackRequest } from '@hopback/sdk/traceback';
import type { TracebackEvent, TracebackState, TracebackStep, TracebackView } from '@hopback/sdk/internal';
import { pendingEffects, stepTraceback, viewTraceback } from '@hopback/sdk/internal';
import type { CompiledQuery, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import type { Actor, OpeningReason, RowsOfAll } from '../database/index.js';
import { Acting, compiledOnce, isAmong, openJson, PLATFORM_ACTOR, together, writeLater } from '../database/index.js';
import { isSameResult, requestResult } from '../domain/tracebacks/veiled-answer.js';
import { waitingItems } from '../domain/tracebacks/waiting-items.js';
import type { RequestsTable, StatesTable, TracebacksParts } from './tracebacks-tables.js';
import { tablesOf } from './tracebacks-tables.js';

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
    held.set(row.traceback_id, {
      row,
      requests: new Map(),
      state,
      readState: state,
      isNew: false,
    });
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
    tablesOf(reading)
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
function standingOf(
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
  }: {
    readonly nowMs: number;
    readonly besides: readonly CompiledQuery[];
    readonly isLast: boolean;
  },
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
    ...insertion(transaction, 'tracebacks_requests', newRequests, NOT_STORED),
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

/**
 * A statement of one parameter that inserts rows, however many there are. None for no rows.
 * @param leftOut - members of rows that are not stored; the place is given by the database
 */
export function insertion(
  transaction: PlatformTransaction,
  table: string,
  rows: readonly object[],
  leftOut: ReadonlySet<string> = new Set(['place']),
): readonly CompiledQuery[] {
  const [first] = rows;
  if (first === undefined) return [];
  const names = sql.join(
    Object.keys(first)
      .filter((name) => !leftOut.has(name))
      .map((name) => sql.ref(name)),
  );
  const query = sql`
    insert into ${sql.table(table)} (${names})
    select ${names} from jsonb_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::jsonb)`;
  return [query.compile(transaction)];
}

const insertedStates = (transaction: PlatformTransaction, held: readonly HeldTraceback[]): readonly CompiledQuery[] =>
  insertion(
    transaction,
    'tracebacks_states',
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

/** Members of a held request that are not stored. */
const NOT_STORED: ReadonlySet<string> = new Set(['place', 'isNew', 'isChanged']);

/** What can change of a request. */
const CHANGING = [
  'acknowledged_at_ms',
  'cancelled_at_ms',
  'cancel_reason',
  'answered_at_ms',
  'last_answer_id',
  'last_answered_at_ms',
  'result',
  'reminders',
  'is_overdue_told',
  'is_wanted',
  'asked_by',
] as const satisfies readonly (keyof HeldRequest)[];

function updatedRequests(transaction: PlatformTransaction, requests: readonly HeldRequest[]): readonly CompiledQuery[] {
  if (requests.length === 0) return [];
  const query = sql`
    update tracebacks_requests as known set
      ${sql.raw(CHANGING.map((name) => `${name} = changed.${name}`).join(', '))}
    from jsonb_populate_recordset(null::tracebacks_requests, ${JSON.stringify(requests)}::jsonb) as changed
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

/** What one does with tracebacks in a transaction. */
export class TracebackWork extends Acting {
  readonly parts: TracebacksParts;
  readonly texts: PlainTexts;

  constructor(parts: TracebacksParts, transaction: PlatformTransaction, texts: PlainTexts, by?: Actor) {
    super(parts.context, transaction, by);
    this.parts = parts;
    this.texts = texts;
  }
}

/** Of requests and openings, two kilobytes each: those of the tracebacks that move now. */
const REMEMBERED_TEXTS = 20_000;

/** The platform itself, where it goes on with a traceback. */
export const platformReason = (tracebackId: string): OpeningReason => ({
  ...PLATFORM_ACTOR,
  object: `traceback:${tracebackId}`,
});

/** Almost all are of one piece. */
const keyOf = (pieces: readonly string[]): string => (pieces.length === 1 ? (pieces[0] ?? '') : pieces.join(' '));

/**
 * What is sealed in the database, for as long as the engine works with it. Whatever is shown to a person or another organization is opened and
 * audited; what the engine noted itself is not.
 */
export class PlainTexts {
  readonly #context: PlatformContext;
  readonly #known: Map<string, unknown>;
  readonly #answers: ReadonlyMap<string, readonly TracebackAnswer[]> | undefined;

  constructor(
    context: PlatformContext,
    known = new Map<string, unknown>(),
    answers?: ReadonlyMap<string, readonly TracebackAnswer[]>,
  ) {
    this.#context = context;
    this.#known = known;
    this.#answers = answers;
  }

  /** The same with answers that came within this transaction, by request: they are used before it ends, and forgotten with it. */
  withAnswers(answers: ReadonlyMap<string, readonly TracebackAnswer[]>): PlainTexts {
    return new PlainTexts(this.#context, this.#known, answers);
  }

  /** Answers of a request; undefined where it is not known that these are all. */
  answers(requestId: string): readonly TracebackAnswer[] | undefined {
    return this.#answers?.get(requestId);
  }

  /** Notes what was sealed just now, so that it need not be opened again. */
  note(pieces: readonly string[], value: unknown): void {
    this.#known.set(keyOf(pieces), value);
    const [oldest] = this.#known.size > REMEMBERED_TEXTS ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** Opens what the platform is about to work with, all of it together. */
  async prefetch(transaction: PlatformTransaction, asked: readonly (readonly string[])[]): Promise<void> {
    const missing = asked.filter((pieces) => !this.#known.has(keyOf(pieces)));
    if (missing.length === 0) return;
    const reason = { ...PLATFORM_ACTOR, object: 'tracebacks' };
    const opened = await openJson(this.#context, transaction, { pieces: missing, reason });
    for (const [index, pieces] of missing.entries()) if (opened[index] !== undefined) this.note(pieces, opened[index]);
  }

  openings(
    transaction: PlatformTransaction,
    held: readonly HeldTraceback[],
    reason: OpeningReason,
  ): Promise<readonly (TracebackOpening | undefined)[]> {
    return this.#plain(
      transaction,
      held.map(({ row }) => row.opening),
      reason,
    );
  }

  requests(
    transaction: PlatformTransaction,
    held: readonly HeldRequest[],
    reason: OpeningReason,
  ): Promise<readonly (TracebackRequest | undefined)[]> {
    return this.#plain(
      transaction,
      held.map(({ request }) => request),
      reason,
    );
  }

  async #plain<Value>(
    transaction: PlatformTransaction,
    asked: readonly (readonly string[])[],
    reason: OpeningReason,
  ): Promise<readonly (Value | undefined)[]> {
    const isOwn = reason.organizationId === 'platform';
    const missing = asked.filter((pieces) => !isOwn || !this.#known.has(keyOf(pieces)));
    const opened = missing.length === 0 ? [] : await openJson(this.#context, transaction, { pieces: missing, reason });
    const found = new Map(missing.map((pieces, index) => [keyOf(pieces), opened[index]]));
    // What has been removed meanwhile is not shown because it is still remembered here.
    const texts = asked.map(keyOf).map((key) => (found.has(key) ? found.get(key) : this.#known.get(key)));
    return texts as readonly (Value | undefined)[];
  }
}
