import { HopbackError } from '@hopback/sdk/errors';
import { pendingEffects, stepTraceback } from '@hopback/sdk/traceback';
import type { EventRefusal, TracebackEffect, TracebackEvent } from '@hopback/sdk/traceback';
import type { PlatformTransaction } from '../core/index.js';
import { createStateMemory, loadTracebacks, saveTracebacks } from './held-traceback.js';
import type { HeldTraceback, SavedState } from './held-traceback.js';
import { performEffect } from './perform-effect.js';
import { createPlainTexts } from './plain-texts.js';
import type { PlainTexts } from './plain-texts.js';
import { tellOverdue } from './tell-tracebacks.js';
import type { TracebacksParts } from './tracebacks-parts.js';

/** Something that happened to a traceback. */
export interface TracebackHappening {
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
  /** Hands in what happened, does what has to be done, and writes it. */
  readonly conduct: (
    transaction: PlatformTransaction,
    happenings: readonly TracebackHappening[],
    options?: { readonly texts?: PlainTexts },
  ) => Promise<Conducted>;
  /** The same of tracebacks that are in hand already. */
  readonly conductHeld: (
    transaction: PlatformTransaction,
    held: readonly HeldTraceback[],
    options: { readonly happenings: readonly TracebackHappening[]; readonly texts?: PlainTexts },
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

  const conductHeld: TracebackEngine['conductHeld'] = async (transaction, held, { happenings, texts = allTexts }) => {
    const byId = new Map(held.map((one) => [one.row.traceback_id, one]));
    for (const { tracebackId, events } of happenings) {
      const one = byId.get(tracebackId);
      const reason = one === undefined ? undefined : stepped(one, events);
      if (reason !== undefined) return { refused: { tracebackId, reason }, done: new Map() };
    }
    const done = new Map<string, readonly string[]>();
    for (const one of held)
      done.set(one.row.traceback_id, await carryOut({ ...parts, texts, batch: held }, transaction, one));
    const states = await saveTracebacks(transaction, held, context.clock.nowMs());
    saved.get(transaction)?.push(...states);
    return { done };
  };

  const conduct: TracebackEngine['conduct'] = async (transaction, happenings, options = {}) => {
    const held = await loadTracebacks(
      transaction,
      happenings.map(({ tracebackId }) => tracebackId),
      memory,
    );
    return conductHeld(transaction, [...held.values()], { happenings, ...options });
  };

  return {
    texts: allTexts,
    load: (transaction, tracebackIds) => loadTracebacks(transaction, tracebackIds, memory),
    conduct,
    conductHeld,
    transact: async (work) => {
      let states: SavedState[] = [];
      const result = await context.transact((transaction) => {
        states = [];
        saved.set(transaction, states);
        return work(transaction);
      });
      for (const { tracebackId, version, state } of states) memory.set(tracebackId, version, state);
      return result;
    },
  };
}

/** Hands events in. @returns why the first one was refused that was */
function stepped(held: HeldTraceback, events: readonly TracebackEvent[]): EventRefusal | undefined {
  for (const event of events) {
    const { state, reason } = stepTraceback(held.state, event);
    if (reason !== undefined) return reason;
    held.state = state;
  }
  return undefined;
}

/** What effects are carried out with. */
export type EffectParts = TracebacksParts & {
  readonly texts: PlainTexts;
  /** Tracebacks that the same transaction works on: what was done for one of them is not in the tables yet. */
  readonly batch: readonly HeldTraceback[];
};

/** Does what is to be done until nothing is, but for what waits for a person or a search. @returns ids of what was done */
async function carryOut(
  parts: EffectParts,
  transaction: PlatformTransaction,
  held: HeldTraceback,
): Promise<readonly string[]> {
  const done: string[] = [];
  const waiting = new Set<string>();
  for (;;) {
    await tellOverdue(parts, transaction, held);
    const effect = nextEffect(held, waiting);
    if (effect === undefined) return done;
    const events = await performEffect(parts, transaction, { held, effect });
    if (events === 'waits') waiting.add(effect.effectId);
    else {
      const reason = stepped(held, events);
      if (reason !== undefined || done.length >= MAX_EFFECTS) throw unfinished(held, effect);
      done.push(effect.effectId);
    }
  }
}

function nextEffect({ state }: HeldTraceback, waiting: ReadonlySet<string>): TracebackEffect | undefined {
  return pendingEffects(state).find(({ effectId }) => !waiting.has(effectId));
}

const unfinished = ({ row }: HeldTraceback, { type }: TracebackEffect): HopbackError =>
  new HopbackError('internal', 'a traceback does not take note of what was done for it', {
    details: { tracebackId: row.traceback_id, effect: type },
  });
