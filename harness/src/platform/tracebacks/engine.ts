import { HopbackError } from '@hopback/sdk/errors';
import { pendingEffects, viewTraceback } from '@hopback/sdk/traceback';
import type { CompiledQuery } from 'kysely';
import type { EventRefusal, TracebackEffect, TracebackEvent } from '@hopback/sdk/traceback';
import type { PlatformTransaction } from '../core/index.js';
import { holdVersions } from '../database/index.js';
import type { EffectParts } from './perform-effect.js';
import { performEffect, prepareAsks } from './perform-effect.js';
import type { DueEffect, HeldTraceback, LoadedTracebacks, PlainTexts, SavedState } from './held-traceback.js';
import {
  createPlainTexts,
  createStateMemory,
  effectKey,
  foreseenStep,
  loadTracebacks,
  saveTracebacks,
} from './held-traceback.js';
import { isOverdueUntold, tellOverdue } from './tell-tracebacks.js';
import type { TracebacksParts } from './tracebacks-tables.js';

/** Something that happened to a traceback. */
export interface TracebackChange {
  readonly tracebackId: string;
  readonly events: readonly TracebackEvent[];
}

/** What came of it. */
export interface Conducted {
  /** Why an event was refused: nothing of the transaction is to stand then. */
  readonly refused?: { readonly tracebackId: string; readonly reason: EventRefusal };
  /** What was done, by traceback: ids of effects, for the audit. */
  readonly done: ReadonlyMap<string, readonly string[]>;
}

/**
 * Conducts tracebacks. What the lifecycle has to be done is done in the transaction in which it came up: requests are rows, and what is told is in the
 * table of events, so that after a crash at any instant either all of it is there or none.
 */
export interface TracebackEngine {
  readonly texts: PlainTexts;
  /** Runs a transaction; what it made of tracebacks is remembered once it has committed. */
  readonly transact: <Result>(work: (transaction: PlatformTransaction) => Promise<Result>) => Promise<Result>;
  readonly load: (
    transaction: PlatformTransaction,
    tracebackIds: readonly string[],
  ) => Promise<ReadonlyMap<string, HeldTraceback>>;
  /** The same, and what else is asked on the way. */
  readonly loadWith: <const Queries extends readonly CompiledQuery[]>(
    transaction: PlatformTransaction,
    tracebackIds: readonly string[],
    queries: Queries,
  ) => Promise<LoadedTracebacks<Queries>>;
  /** Hands in what happened, does what has to be done, and writes it. */
  readonly conduct: (
    transaction: PlatformTransaction,
    changes: readonly TracebackChange[],
    options?: { readonly texts?: PlainTexts; readonly isLast?: boolean },
  ) => Promise<Conducted>;
  /** The same of tracebacks that are in hand already. */
  readonly conductHeld: (
    transaction: PlatformTransaction,
    held: readonly HeldTraceback[],
    options: {
      readonly changes: readonly TracebackChange[];
      readonly texts?: PlainTexts;
      /** Written with the tracebacks. */
      readonly besides?: readonly CompiledQuery[];
      /** Whether the transaction reads nothing of tracebacks behind it, so that they can be written with what it tells. Default false. */
      readonly isLast?: boolean;
    },
  ) => Promise<Conducted>;
}

/** Effects of one traceback in one go: a hop has half a dozen, and a path of joined requests runs through at once. */
const MAX_EFFECTS = 2_000;

/** Makes the engine. */
export function createTracebackEngine(parts: TracebacksParts): TracebackEngine {
  const { context } = parts;
  const memory = createStateMemory();
  const allTexts = createPlainTexts(context);
  const saved = new WeakMap<PlatformTransaction, SavedState[]>();
  let last: Promise<unknown> = Promise.resolve();
  /** Transactions of one process come one after another: those that share providers and requests would begin again and again. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const conductHeld: TracebackEngine['conductHeld'] = async (transaction, held, options) => {
    const { changes, texts = allTexts, besides = [], isLast = false } = options;
    const byId = new Map(held.map((one) => [one.row.traceback_id, one]));
    for (const { tracebackId, events } of changes) {
      const one = byId.get(tracebackId);
      const reason = one === undefined ? undefined : stepped(one, events);
      if (reason !== undefined) return { refused: { tracebackId, reason }, done: new Map() };
    }
    const done = await carryOut({ ...parts, texts, batch: held, asks: new Map(), unsaved: new Map() }, transaction);
    const states = await saveTracebacks(transaction, held, { nowMs: context.clock.nowMs(), besides, isLast });
    saved.get(transaction)?.push(...states);
    return { done };
  };

  const conduct: TracebackEngine['conduct'] = async (transaction, changes, options = {}) => {
    const ids = changes.map(({ tracebackId }) => tracebackId);
    const { held } = await loadTracebacks(transaction, ids, memory, []);
    return conductHeld(transaction, [...held.values()], { changes, ...options });
  };

  return {
    texts: allTexts,
    load: async (transaction, tracebackIds) => (await loadTracebacks(transaction, tracebackIds, memory, [])).held,
    loadWith: (transaction, tracebackIds, queries) => loadTracebacks(transaction, tracebackIds, memory, queries),
    conduct,
    conductHeld,
    transact: (work) =>
      inTurn(async () => {
        let states: SavedState[] = [];
        const result = await context.transact((transaction) => {
          states = [];
          saved.set(transaction, states);
          // Who is registered and let in is decided elsewhere.
          holdVersions(transaction);
          return work(transaction);
        });
        for (const { tracebackId, version, state } of states) memory.set(tracebackId, version, state);
        return result;
      }),
  };
}

/** Hands events in. @returns why the first one was refused that was; then nothing of them stands */
export function stepped(held: HeldTraceback, events: readonly TracebackEvent[]): EventRefusal | undefined {
  const before = held.state;
  for (const event of events) {
    const { state, reason } = foreseenStep(held.state, event);
    if (reason !== undefined) {
      held.state = before;
      return reason;
    }
    held.state = state;
  }
  return undefined;
}

/**
 * Does what is to be done until nothing is, but for what waits for a person or a search: in rounds, in each of which every traceback has its next
 * effect done, so that what they need is read for all of them together.
 * @returns ids of what was done, by traceback
 */
async function carryOut(
  parts: EffectParts,
  transaction: PlatformTransaction,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const done = new Map<string, string[]>(parts.batch.map(({ row }) => [row.traceback_id, []]));
  const waiting = new Set<string>();
  for (let moving = parts.batch; moving.length > 0;) {
    const due: DueEffect[] = [];
    for (const held of moving) {
      if (isOverdueUntold(held)) await tellOverdue(parts, transaction, held);
      const effect = pendingEffects(held.state).find((one) => !waiting.has(effectKey({ held, effect: one })));
      if (effect !== undefined) due.push({ held, effect });
    }
    await prefetchTexts(parts, transaction, due);
    const asks = await prepareAsks(parts, transaction, due);
    const round = { ...parts, asks };
    for (const one of due) {
      const { held, effect } = one;
      const events = await performEffect(round, transaction, one);
      const ids = done.get(held.row.traceback_id) ?? [];
      if (events === 'waits') waiting.add(effectKey(one));
      else if (stepped(held, events) !== undefined || ids.length >= MAX_EFFECTS) throw unfinished(held, effect);
      else ids.push(effect.effectId);
    }
    moving = due.map(({ held }) => held);
  }
  return done;
}

/** What was sealed and is needed now: what a provider is asked about, and what is told of a traceback that has come to something. */
async function prefetchTexts(
  { texts }: EffectParts,
  transaction: PlatformTransaction,
  due: readonly DueEffect[],
): Promise<void> {
  const asked = due.flatMap(({ held: { row, requests, state }, effect }): (readonly string[])[] => {
    if (effect.type === 'notify' || effect.type === 'close')
      return [row.opening, ...[...requests.values()].map(({ request }) => request)];
    if (effect.type !== 'ask-provider') return [];
    const hop = viewTraceback(state).path.find(({ requestId }) => requestId === effect.requestId);
    const before = requests.get(hop?.fromRequestId ?? '');
    return before === undefined ? [row.opening] : [row.opening, before.request];
  });
  await texts.prefetch(transaction, asked);
}

const unfinished = ({ row }: HeldTraceback, { type }: TracebackEffect): HopbackError =>
  new HopbackError('internal', 'a traceback does not take note of what was done for it', {
    details: { tracebackId: row.traceback_id, effect: type },
  });
