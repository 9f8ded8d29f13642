import { HopbackError } from '@hopback/sdk/errors';
import { pendingEffects, viewTraceback } from '@hopback/sdk/internal';
import type { CompiledQuery } from 'kysely';
import type { TracebackEffect } from '@hopback/sdk/traceback';
import type { TracebackEvent, TracebackStep } from '@hopback/sdk/internal';
import type { PlatformTransaction } from '../core/index.js';
import { holdVersions } from '../database/index.js';
import { EffectWork, performEffect, prepareAsks } from './perform-effect.js';
import type { DueEffect, HeldTraceback, SavedState } from './held-traceback.js';
import {
  createStateMemory,
  effectKey,
  foreseenStep,
  loadTracebacks,
  PlainTexts,
  saveTracebacks,
} from './held-traceback.js';
import { isOverdueUntold, tellOverdue } from './tell-tracebacks.js';
import type { TracebacksParts } from './tracebacks-tables.js';

/** Something that happened to a traceback. */
interface TracebackChange {
  readonly tracebackId: string;
  readonly events: readonly TracebackEvent[];
}

interface ConductOptions {
  readonly texts?: PlainTexts;
  /** Written with the tracebacks. */
  readonly besides?: readonly CompiledQuery[];
  /** Whether the transaction reads nothing of tracebacks behind it, so that they can be written with what it tells. Default false. */
  readonly isLast?: boolean;
}

/** What came of it. */
interface Conducted {
  /** Why an event was refused: nothing of the transaction is to stand then. */
  readonly refused?: { readonly tracebackId: string; readonly reason: NonNullable<TracebackStep['reason']> };
  /** What was done, by traceback: ids of effects, for the audit. */
  readonly done: ReadonlyMap<string, readonly string[]>;
}

/** Effects of one traceback in one go: a hop has half a dozen, and a path of joined requests runs through at once. */
const MAX_EFFECTS = 2_000;

export type TracebackEngine = ReturnType<typeof createTracebackEngine>;

/**
 * Conducts tracebacks. What the lifecycle has to be done is done in the transaction in which it came up: requests are rows, and what is told is in the
 * table of events, so that after a crash at any instant either all of it is there or none.
 */
export function createTracebackEngine(parts: TracebacksParts) {
  const { context } = parts;
  const memory = createStateMemory();
  const allTexts = new PlainTexts(context);
  const saved = new WeakMap<PlatformTransaction, SavedState[]>();
  let last: Promise<unknown> = Promise.resolve();
  /** Transactions of one process come one after another: those that share providers and requests would begin again and again. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const conductHeld = async (
    transaction: PlatformTransaction,
    held: readonly HeldTraceback[],
    options: ConductOptions & { readonly changes: readonly TracebackChange[] },
  ): Promise<Conducted> => {
    const { changes, texts = allTexts, besides = [], isLast = false } = options;
    const byId = new Map(held.map((one) => [one.row.traceback_id, one]));
    for (const { tracebackId, events } of changes) {
      const one = byId.get(tracebackId);
      const reason = one === undefined ? undefined : stepped(one, events);
      if (reason !== undefined) return { refused: { tracebackId, reason }, done: new Map() };
    }
    const work = new EffectWork(parts, transaction, texts);
    work.batch = held;
    const done = await carryOut(work);
    const states = await saveTracebacks(transaction, held, { nowMs: context.clock.nowMs(), besides, isLast });
    saved.get(transaction)?.push(...states);
    return { done };
  };

  const load = async (
    transaction: PlatformTransaction,
    tracebackIds: readonly string[],
  ): Promise<ReadonlyMap<string, HeldTraceback>> => (await loadTracebacks(transaction, tracebackIds, memory, [])).held;

  return {
    texts: allTexts,
    load,
    /** The same, and what else is asked on the way. */
    loadWith: <const Queries extends readonly CompiledQuery[]>(
      transaction: PlatformTransaction,
      tracebackIds: readonly string[],
      queries: Queries,
    ) => loadTracebacks(transaction, tracebackIds, memory, queries),
    /** Hands in what happened, does what has to be done, and writes it. */
    conduct: async (
      transaction: PlatformTransaction,
      changes: readonly TracebackChange[],
      options: ConductOptions = {},
    ): Promise<Conducted> => {
      const held = await load(
        transaction,
        changes.map(({ tracebackId }) => tracebackId),
      );
      return conductHeld(transaction, [...held.values()], { changes, ...options });
    },
    /** The same of tracebacks that are in hand already. */
    conductHeld,
    /** Runs a transaction; what it made of tracebacks is remembered once it has committed. */
    transact: <Result>(work: (transaction: PlatformTransaction) => Promise<Result>): Promise<Result> =>
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
export function stepped(
  held: HeldTraceback,
  events: readonly TracebackEvent[],
): NonNullable<TracebackStep['reason']> | undefined {
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
async function carryOut(work: EffectWork): Promise<ReadonlyMap<string, readonly string[]>> {
  const done = new Map<string, string[]>(work.batch.map(({ row }) => [row.traceback_id, []]));
  const waiting = new Set<string>();
  for (let moving = work.batch; moving.length > 0;) {
    const due: DueEffect[] = [];
    for (const held of moving) {
      if (isOverdueUntold(held)) await tellOverdue(work, held);
      const effect = pendingEffects(held.state).find((one) => !waiting.has(effectKey({ held, effect: one })));
      if (effect !== undefined) due.push({ held, effect });
    }
    await prefetchTexts(work, due);
    work.asks = await prepareAsks(work, due);
    for (const one of due) {
      const { held, effect } = one;
      const events = await performEffect(work, one);
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
async function prefetchTexts({ texts, transaction }: EffectWork, due: readonly DueEffect[]): Promise<void> {
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
  new HopbackError('internal', 'a traceback never records that its effects were carried out', {
    details: { tracebackId: row.traceback_id, effect: type },
  });
