import type { ProviderReference, RequestedCall, TracebackEffect, TracebackRequest } from '@hopback/sdk/traceback';
import type { TracebackEvent } from '@hopback/sdk/internal';
import { viewTraceback, nextAskedCall, tracebackRequest } from '@hopback/sdk/internal';
import type { ProviderResolution, RegisteredProvider } from '../core/index.js';
import { iso, sealJson } from '../database/index.js';
import { NO_RESULT, questionIdentity, veiledAnswer } from '../domain/tracebacks/veiled-answer.js';
import type { DueEffect, HeldRequest, HeldTraceback, PlainTexts } from './held-traceback.js';
import { effectKey, foreseenStep, platformReason, TracebackWork } from './held-traceback.js';
import { answersOf, askingRow, requestOnWire, requestsWith } from './stored-requests.js';
import { tellRequest, tellUpdated } from './tell-tracebacks.js';
import { DEFAULT_REQUESTER, REQUESTS, tablesOf } from './tracebacks-tables.js';

/** What a transaction does for tracebacks. */
export class EffectWork extends TracebackWork {
  /** Tracebacks that the transaction works on: what was done for one of them is not in the tables yet. */
  batch: readonly HeldTraceback[] = [];
  /** Requests that the transaction makes, which are not in the table yet, by the question that they ask. */
  readonly unsaved = new Map<string, readonly HeldRequest[]>();
  /** Questions of the effects that are due now, by {@link effectKey}. */
  asks: ReadonlyMap<string, PreparedRequest> = new Map();
}

/** The effect that has a provider asked. */
type AskEffect = Extract<TracebackEffect, { readonly type: 'ask-provider' }>;

/** Where a registry has a zone that there is not: the office of the east coast closes first. */
const ZONE_OF_LAST_RESORT = 'America/New_York';

/** A reference to a provider as the registry has it. */
export function referenceOf({ entry }: RegisteredProvider): ProviderReference {
  const { providerId, businessName, frn, ocns, spcs } = entry;
  const [ocn] = ocns;
  const [spc] = spcs;
  // One after the other: every answer and every request has one.
  const reference: { -readonly [Name in keyof ProviderReference]: ProviderReference[Name] } = {
    providerId,
    name: businessName,
  };
  if (ocn !== undefined) reference.ocn = ocn;
  if (spc !== undefined) reference.spc = spc;
  if (frn !== undefined) reference.frn = frn;
  return reference;
}

/** Why a provider of the registry is not asked; undefined where it is. */
function notAskable({
  entry,
  isReachable,
}: RegisteredProvider): Extract<TracebackEvent, { type: 'provider-not-askable' }>['reason'] | undefined {
  const isAbroad = entry.country !== undefined && entry.country !== 'US';
  if (entry.isForeignVoiceServiceProvider && isAbroad) return 'foreign';
  if (entry.removal !== undefined) return 'removed';
  return isReachable ? undefined : 'no-contact';
}

/** What is to be asked: the request as it goes out, and which question it is; or why the provider is not asked. */
type NotAskableReason = Extract<TracebackEvent, { type: 'provider-not-askable' }>['reason'];

type PreparedRequest = Asking | NotAskableReason;

/**
 * Prepares what providers are asked: whom references mean, and in which requests the same is asked already, is read for all of them together.
 * @returns by `effectKey`
 */
export async function prepareAsks(
  work: EffectWork,
  due: readonly DueEffect[],
): Promise<ReadonlyMap<string, PreparedRequest>> {
  const effects = due.flatMap(({ held, effect }) => (effect.type === 'ask-provider' ? [{ held, effect }] : []));
  const prepared = new Map<string, PreparedRequest>();
  if (effects.length === 0) return prepared;
  const found = await work.parts.providers.resolveAll(
    work.transaction,
    effects.map(({ effect }) => effect.provider),
  );
  for (const [index, one] of effects.entries()) prepared.set(effectKey(one), await prepareAsk(work, one, found[index]));
  const asked = [...prepared.values()].filter((one) => typeof one !== 'string');
  const others = await requestsWith(
    work.transaction,
    asked.map(({ question }) => question),
  );
  for (const asking of asked) asking.others = others.get(asking.question) ?? [];
  return prepared;
}

async function prepareAsk(
  work: EffectWork,
  { held, effect }: DueEffect<AskEffect>,
  found: ProviderResolution | undefined,
): Promise<PreparedRequest> {
  const { sealed, clock } = work.context;
  if (found?.status !== 'found') return found?.status === 'several' ? 'no-contact' : 'not-listed';
  const { provider } = found;
  const reason = notAskable(provider);
  if (reason !== undefined) return reason;
  const asked = await callOf(work, { held, effect });
  // Nobody can look up a call of which neither number nor record is known.
  if (asked === undefined) return 'no-contact';
  const frame = { tracebackId: held.row.traceback_id, requestId: effect.requestId };
  const sent = sentEvent(held, { ...frame, atMs: clock.nowMs(), zone: provider.zone });
  const request = requestOf(held, effect, { ...asked, provider, sent });
  const { direction, requester, downstream, call } = request;
  const { providerId } = provider.entry;
  const question = sealed.pseudonym(
    questionIdentity({
      providerId,
      direction,
      requester,
      call,
      ...(downstream !== undefined && { downstream }),
    }),
  );
  return {
    held,
    provider,
    sent,
    request,
    question,
    others: [],
  };
}

/**
 * Asks a provider: writes the request and tells it, or joins a request in which it is asked the same already.
 * @returns what happened, for the lifecycle: one event, and answers that were there already
 */
async function askProvider(work: EffectWork, due: DueEffect<AskEffect>): Promise<readonly TracebackEvent[]> {
  const { held, effect } = due;
  const prepared = work.asks.get(effectKey(due)) ?? 'not-listed';
  if (typeof prepared !== 'string') return sendOrJoin(work, prepared);
  const frame = { tracebackId: held.row.traceback_id, requestId: effect.requestId, atMs: work.context.clock.nowMs() };
  return [{ type: 'provider-not-askable', ...frame, reason: prepared }];
}

type SentEvent = Extract<TracebackEvent, { readonly type: 'request-sent' }>;

function sentEvent({ state }: HeldTraceback, sent: Omit<SentEvent, 'type'>): SentEvent {
  const event: SentEvent = { type: 'request-sent', ...sent };
  const isZone = foreseenStep(state, event).reason !== 'no-deadline';
  return isZone ? event : { ...event, zone: ZONE_OF_LAST_RESORT };
}

interface AskedCall {
  readonly call: RequestedCall;
  readonly opening: NonNullable<Awaited<ReturnType<PlainTexts['openings']>>[number]>;
}

/** The call as the provider is asked about it. */
async function callOf(work: EffectWork, { held, effect }: DueEffect<AskEffect>): Promise<AskedCall | undefined> {
  const { texts, transaction } = work;
  const reason = platformReason(held.row.traceback_id);
  const [opening] = await texts.openings(transaction, [held], reason);
  if (opening === undefined) return undefined;
  if (effect.hop === 1) return { call: opening.call, opening };
  const hop = viewTraceback(held.state).path.find(({ requestId }) => requestId === effect.requestId);
  const before = held.requests.get(hop?.fromRequestId ?? '');
  const [request] = before === undefined ? [] : await texts.requests(transaction, [before], reason);
  const basis = hop?.namedBy === 'answer' ? before : undefined;
  const answers = basis === undefined ? [] : await answersOf(work, basis.asked_by ?? basis.request_id, reason);
  const answer = answers.find(({ answerId }) => answerId === effect.basedOn);
  const call = nextAskedCall(request?.call ?? opening.call, answer, held.row.direction);
  return call === undefined ? undefined : { call, opening };
}

interface Asking {
  readonly held: HeldTraceback;
  readonly provider: RegisteredProvider;
  readonly sent: SentEvent;
  readonly request: TracebackRequest;
  /** Pseudonym of the question. */
  readonly question: string;
  /** Requests of the table in which the same is asked, the first one first. */
  others: readonly HeldRequest[];
}

function requestOf(
  { row, state }: HeldTraceback,
  effect: AskEffect,
  { call, opening, provider, sent }: AskedCall & Pick<Asking, 'provider' | 'sent'>,
): TracebackRequest {
  // The deadline follows from the rules of the traceback, and belongs into the request.
  const { path } = viewTraceback(foreseenStep(state, sent).state);
  const dueAtMs = path.find(({ requestId }) => requestId === effect.requestId)?.dueAtMs ?? sent.atMs;
  return tracebackRequest(row.traceback_id, effect, {
    ...{ opening: { ...opening, requester: opening.requester ?? DEFAULT_REQUESTER }, call },
    ...{ provider: referenceOf(provider), issuedAtMs: sent.atMs, dueAtMs },
  });
}

async function sendOrJoin(work: EffectWork, asking: Asking): Promise<readonly TracebackEvent[]> {
  const { context, transaction, texts, unsaved } = work;
  const { held, request, provider, sent, question } = asking;
  const { requestId, tracebackId } = request;
  const other = requestWith(work, asking);
  const pieces = await sealJson(context, transaction, { value: request, belongsTo: `traceback:${tracebackId}` });
  texts.note(pieces, request);
  const row = newRequest(asking, pieces);
  if (other === undefined) {
    held.requests.set(requestId, row);
    unsaved.set(question, [...(unsaved.get(question) ?? []), row]);
    await context.tell(transaction, {
      type: 'org.hopback.traceback-request.created.1',
      subject: requestId,
      data: { member: 'request', sealed: pieces },
      to: [provider.entry.providerId],
    });
    return [sent];
  }
  held.requests.set(requestId, {
    ...row,
    asked_by: other.request_id,
    due_at_ms: other.due_at_ms,
    acknowledged_at_ms: other.acknowledged_at_ms,
    answered_at_ms: other.answered_at_ms,
    last_answer_id: other.last_answer_id,
    last_answered_at_ms: other.last_answered_at_ms,
  });
  const joined: SentEvent = { ...sent, receivedAtMs: other.issued_at_ms, statedDueAtMs: other.due_at_ms };
  const answers = await answersOf(work, other.request_id, platformReason(tracebackId));
  return [
    joined,
    ...answers.map((answer): TracebackEvent => ({
      type: 'answer-received',
      tracebackId,
      atMs: sent.atMs,
      answer: {
        ...veiledAnswer(answer, context.sealed.pseudonym),
        ...(answer.call !== undefined && { call: answer.call }),
        requestId,
        tracebackId,
      },
      asked: request.call,
    })),
  ];
}

/** The request in which the same is asked already, by another traceback: of this transaction, or of the table. */
function requestWith(
  { unsaved }: EffectWork,
  { question, others, request: { tracebackId } }: Asking,
): HeldRequest | undefined {
  const isOther = (one: HeldRequest): boolean => one.traceback_id !== tracebackId;
  const sent = unsaved.get(question)?.find((one) => isOther(one) && one.cancelled_at_ms === null);
  return sent ?? others.find(isOther);
}

function newRequest({ request, provider, sent, question }: Asking, pieces: readonly string[]): HeldRequest {
  return {
    request_id: request.requestId,
    place: 0,
    traceback_id: request.tracebackId,
    provider_id: provider.entry.providerId,
    hop: request.hop,
    issued_at_ms: sent.atMs,
    due_at_ms: Date.parse(request.dueAt ?? request.issuedAt),
    acknowledged_at_ms: null,
    cancelled_at_ms: null,
    cancel_reason: null,
    answered_at_ms: null,
    last_answer_id: null,
    last_answered_at_ms: null,
    reminders: 0,
    is_overdue_told: false,
    question,
    asked_by: null,
    is_wanted: true,
    result: NO_RESULT,
    request: pieces,
    isNew: true,
  };
}

/** Does one thing. @returns the events that say so; `waits` where somebody else does it */
export async function performEffect(
  work: EffectWork,
  { held, effect }: DueEffect,
): Promise<readonly TracebackEvent[] | 'waits'> {
  const { parts, transaction } = work;
  const frame = { tracebackId: held.row.traceback_id, atMs: work.context.clock.nowMs() };
  const done: readonly TracebackEvent[] = [{ type: 'effect-done', ...frame, effectId: effect.effectId }];
  switch (effect.type) {
    case 'ask-provider':
      return askProvider(work, { held, effect });
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
      await remind(work, held.requests.get(effect.requestId));
      return done;
    case 'dispute': {
      // Both sides of a dispute are asked to look again, each by its own request.
      const ids = new Set(effect.parties.map(({ providerId }) => providerId));
      for (const request of held.requests.values())
        if (ids.has(request.provider_id) && request.cancelled_at_ms === null) await remind(work, request);
      return done;
    }
    case 'mark-non-responsive':
    case 'clear-non-responsive':
      await announceResponsiveness(work, held.requests.get(effect.requestId), effect.type === 'mark-non-responsive');
      return done;
    case 'cancel-request':
      await cancel(work, held, effect.requestId);
      return done;
    case 'notify':
    case 'close':
      // What is final is told once it is closed.
      if (effect.type === 'notify' && effect.isFinal) return done;
      await tellUpdated(work, held);
      await announceConcluded(work, held, effect.type === 'close');
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
async function remind(work: EffectWork, request: HeldRequest | undefined): Promise<void> {
  const asking = request === undefined ? undefined : await requestOnWire(work, request);
  if (request === undefined || asking === undefined) return;
  request.reminders += 1;
  request.isChanged = true;
  const { request_id: requestId, traceback_id: tracebackId, due_at_ms: dueAtMs } = asking;
  const data = { requestId, tracebackId, dueAt: iso(dueAtMs), reminder: request.reminders };
  await tellRequest(work, asking, 'org.hopback.traceback-request.reminded.1', data);
}

/** Of a provider that is asked once for several tracebacks it is said once. */
async function announceResponsiveness(
  work: EffectWork,
  request: HeldRequest | undefined,
  isNonResponsive: boolean,
): Promise<void> {
  const asking = request === undefined ? undefined : await requestOnWire(work, request);
  if (asking === undefined) return;
  const { provider_id: providerId, request_id: requestId } = asking;
  const data = { providerId, requestId, isNonResponsive };
  await work.context.announce(work.transaction, { type: 'provider.responsiveness', subject: providerId, data });
}

/** A request is cancelled when nobody wants its answer any more: neither its own traceback nor those that it asks for too. */
async function cancel(work: EffectWork, held: HeldTraceback, requestId: string): Promise<void> {
  const request = held.requests.get(requestId);
  if (request === undefined) return;
  request.is_wanted = false;
  request.isChanged = true;
  const isWithdrawn = held.state.facts.some((fact) => fact.kind === 'cancelled');
  const reason = isWithdrawn ? 'The traceback was withdrawn.' : 'The traceback no longer leads here.';
  const asking = await askingRow(work, request.asked_by ?? request.request_id);
  if (asking === undefined || asking.is_wanted || asking.cancelled_at_ms !== null) return;
  if (await isWantedByOthers(work, asking.request_id)) return;
  await cancelOnWire(work, asking, reason);
  const isHeld = work.batch.some(({ requests }) => requests.get(asking.request_id) === asking);
  if (isHeld) return;
  const { cancelled_at_ms, cancel_reason } = asking;
  await REQUESTS.set(work.transaction, asking.request_id, { cancelled_at_ms, cancel_reason });
}

/** Whether a traceback that joined a request still wants its answer. */
async function isWantedByOthers({ batch, transaction }: EffectWork, askingId: string): Promise<boolean> {
  const inHand = batch.flatMap(({ requests }) => [...requests.values()]).filter((one) => one.asked_by === askingId);
  if (inHand.some((one) => one.is_wanted)) return true;
  const known = new Set(inHand.map((one) => one.request_id));
  const others = await tablesOf(transaction)
    .selectFrom('tracebacks_requests')
    .select('request_id')
    .where('asked_by', '=', askingId)
    .where('is_wanted', '=', true)
    .execute();
  return others.some((one) => !known.has(one.request_id));
}

async function cancelOnWire(work: EffectWork, request: HeldRequest, reason: string): Promise<void> {
  const atMs = work.context.clock.nowMs();
  request.cancelled_at_ms = atMs;
  request.cancel_reason = reason;
  request.isChanged = true;
  // Whoever has answered is not told that its answer was for nothing.
  if (request.answered_at_ms !== null) return;
  const { request_id: requestId, traceback_id: tracebackId } = request;
  const data = { requestId, tracebackId, cancelledAt: iso(atMs), reason };
  await tellRequest(work, request, 'org.hopback.traceback-request.cancelled.1', data);
}

/** Tells other areas that a traceback has come to something, or was closed. */
export async function announceConcluded(
  { context, transaction }: TracebackWork,
  { row }: HeldTraceback,
  isFinal: boolean,
): Promise<void> {
  const { traceback_id: tracebackId, campaign_id: campaignId } = row;
  const data = { tracebackId, ...(campaignId !== null && { campaignId }), isFinal };
  await context.announce(transaction, { type: 'traceback.concluded', subject: tracebackId, data });
}
