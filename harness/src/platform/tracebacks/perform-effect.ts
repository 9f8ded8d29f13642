import type { TracebackEffect, TracebackEvent } from '@hopback/sdk/traceback';
import type { PlatformTransaction } from '../core/index.js';
import { askProvider, referenceOf } from './ask-provider.js';
import type { DueEffect } from './due-effect.js';
import type { EffectParts } from './engine.js';
import type { HeldRequest, HeldTraceback } from './held-traceback.js';
import { askingRow, requestOnWire } from './request-on-wire.js';
import { tellRequest, tellUpdated } from './tell-tracebacks.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** Does one thing. @returns the events that say so; `waits` where somebody else does it */
export async function performEffect(
  parts: EffectParts,
  transaction: PlatformTransaction,
  { held, effect }: DueEffect,
): Promise<readonly TracebackEvent[] | 'waits'> {
  const frame = { tracebackId: held.row.traceback_id, atMs: parts.context.clock.nowMs() };
  const { tracebackId, atMs } = frame;
  const done: readonly TracebackEvent[] = [{ type: 'effect-done', tracebackId, atMs, effectId: effect.effectId }];
  switch (effect.type) {
    case 'ask-provider':
      return askProvider(parts, transaction, { held, effect });
    case 'find-provider': {
      // By name alone, and only where one provider has it: all else is for people.
      const found = await parts.providers.resolve(transaction, { name: effect.contact.name });
      if (found.status !== 'found') return 'waits';
      const provider = referenceOf(found.provider);
      return [{ type: 'provider-identified', ...frame, requestId: effect.requestId, provider }];
    }
    case 'seek-neighbours':
      return 'waits';
    case 'remind':
      await remind(parts, transaction, held.requests.get(effect.requestId));
      return done;
    case 'dispute':
      await askAgain(parts, transaction, { held, effect });
      return done;
    case 'mark-non-responsive':
    case 'clear-non-responsive':
      await announceResponsiveness(parts, transaction, { held, effect });
      return done;
    case 'cancel-request':
      await cancel(parts, transaction, { held, effect });
      return done;
    case 'notify':
    case 'close':
      await conclude(parts, transaction, { held, effect });
      return done;
    case 'open-trace-forward':
      return [{ type: 'effect-done', ...frame, effectId: effect.effectId, reference: effect.forwardId }];
    case 'escalate':
      // What waits for a person follows from the state, and is looked up by its column.
      break;
  }
  return done;
}

/** The provider knows of one request alone, and is reminded of it once. */
async function remind(
  parts: EffectParts,
  transaction: PlatformTransaction,
  request: HeldRequest | undefined,
): Promise<void> {
  if (request === undefined) return;
  const asking = await requestOnWire(parts, transaction, request);
  if (asking === undefined) return;
  request.reminders += 1;
  request.isChanged = true;
  const { request_id: requestId, traceback_id: tracebackId, due_at_ms: dueAtMs } = asking;
  const data = { requestId, tracebackId, dueAt: new Date(dueAtMs).toISOString(), reminder: request.reminders };
  await tellRequest(parts, transaction, {
    ...{ request: asking, type: 'org.hopback.traceback-request.reminded.1', data },
  });
}

/** Both sides of a dispute are asked to look again, each by its own request. */
async function askAgain(
  parts: EffectParts,
  transaction: PlatformTransaction,
  { held, effect }: DueEffect<Extract<TracebackEffect, { readonly type: 'dispute' }>>,
): Promise<void> {
  const ids = new Set(effect.parties.map(({ providerId }) => providerId));
  for (const request of held.requests.values())
    if (ids.has(request.provider_id) && request.cancelled_at_ms === null) await remind(parts, transaction, request);
}

async function announceResponsiveness(
  parts: EffectParts,
  transaction: PlatformTransaction,
  {
    held,
    effect,
  }: DueEffect<Extract<TracebackEffect, { readonly type: 'mark-non-responsive' | 'clear-non-responsive' }>>,
): Promise<void> {
  const request = held.requests.get(effect.requestId);
  // Of a provider that is asked once for several tracebacks it is said once.
  const asking = request === undefined ? undefined : await requestOnWire(parts, transaction, request);
  if (asking === undefined) return;
  await parts.context.announce(transaction, {
    type: 'provider.responsiveness',
    subject: asking.provider_id,
    data: {
      providerId: asking.provider_id,
      requestId: asking.request_id,
      isNonResponsive: effect.type === 'mark-non-responsive',
    },
  });
}

/** A request is cancelled when nobody wants its answer any more: neither its own traceback nor those that it asks for too. */
async function cancel(
  parts: EffectParts,
  transaction: PlatformTransaction,
  { held, effect }: DueEffect<Extract<TracebackEffect, { readonly type: 'cancel-request' }>>,
): Promise<void> {
  const request = held.requests.get(effect.requestId);
  if (request === undefined) return;
  request.is_wanted = false;
  request.isChanged = true;
  const stated = held.state.facts.find((fact) => fact.kind === 'cancelled');
  const reason =
    stated?.kind === 'cancelled' ? 'The traceback was withdrawn.' : 'The traceback does not lead here any more.';
  const asking = await askingRow(parts, transaction, request.asked_by ?? request.request_id);
  if (asking === undefined || asking.is_wanted || asking.cancelled_at_ms !== null) return;
  if (await isWantedByOthers(parts, transaction, asking.request_id)) return;
  await cancelOnWire(parts, transaction, { request: asking, reason });
  const isHeld = parts.batch.some(({ requests }) => requests.get(asking.request_id) === asking);
  if (isHeld) return;
  await transaction
    .withTables<TracebacksTables>()
    .updateTable('tracebacks_requests')
    .set({ cancelled_at_ms: asking.cancelled_at_ms, cancel_reason: asking.cancel_reason })
    .where('request_id', '=', asking.request_id)
    .execute();
}

/** Whether a traceback that joined a request still wants its answer. */
async function isWantedByOthers(
  { batch }: EffectParts,
  transaction: PlatformTransaction,
  askingId: string,
): Promise<boolean> {
  const inHand = batch.flatMap(({ requests }) => [...requests.values()]).filter((one) => one.asked_by === askingId);
  if (inHand.some((one) => one.is_wanted)) return true;
  const known = new Set(inHand.map((one) => one.request_id));
  const others = await transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .select('request_id')
    .where('asked_by', '=', askingId)
    .where('is_wanted', '=', true)
    .execute();
  return others.some((one) => !known.has(one.request_id));
}

async function cancelOnWire(
  parts: EffectParts,
  transaction: PlatformTransaction,
  { request, reason }: { readonly request: HeldRequest; readonly reason: string },
): Promise<void> {
  if (request.cancelled_at_ms !== null) return;
  request.cancelled_at_ms = parts.context.clock.nowMs();
  request.cancel_reason = reason;
  request.isChanged = true;
  // Whoever has answered is not told that its answer was for nothing.
  if (request.answered_at_ms !== null) return;
  const { request_id: requestId, traceback_id: tracebackId, cancelled_at_ms: atMs } = request;
  const data = { requestId, tracebackId, cancelledAt: new Date(atMs).toISOString(), reason };
  await tellRequest(parts, transaction, { request, type: 'org.hopback.traceback-request.cancelled.1', data });
}

async function conclude(
  parts: EffectParts,
  transaction: PlatformTransaction,
  { held, effect }: DueEffect<Extract<TracebackEffect, { readonly type: 'notify' | 'close' }>>,
): Promise<void> {
  // What is final is told once it is closed.
  if (effect.type === 'notify' && effect.isFinal) return;
  await tellUpdated(parts, transaction, held);
  await announceConcluded(parts, transaction, { held, isFinal: effect.type === 'close' });
}

/** Tells other areas that a traceback has come to something, or was closed. */
export async function announceConcluded(
  { context }: Pick<EffectParts, 'context'>,
  transaction: PlatformTransaction,
  { held: { row }, isFinal }: { readonly held: HeldTraceback; readonly isFinal: boolean },
): Promise<void> {
  const { traceback_id: tracebackId, campaign_id: campaignId } = row;
  await context.announce(transaction, {
    type: 'traceback.concluded',
    subject: tracebackId,
    data: { tracebackId, ...(campaignId !== null && { campaignId }), isFinal },
  });
}
