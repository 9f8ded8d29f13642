import type {
  NotAskableReason,
  ProviderReference,
  RequestedCall,
  TracebackEffect,
  TracebackEvent,
  TracebackRequest,
} from '@hopback/sdk/traceback';
import { nextAskedCall, viewTraceback } from '@hopback/sdk/traceback';
import type { PlatformTransaction, ProviderResolution, RegisteredProvider } from '../core/index.js';
import { sealJson } from '../database/index.js';
import { NO_RESULT, questionIdentity, veiledAnswer } from '../domain/tracebacks/shown-traceback.js';
import type { DueEffect, HeldRequest, HeldTraceback, PlainTexts } from './held-traceback.js';
import { effectKey, foreseenStep, platformReason } from './held-traceback.js';
import { answersOf, askingRow, requestOnWire, requestsWith } from './stored-requests.js';
import { tellRequest, tellUpdated } from './tell-tracebacks.js';
import type { TracebacksParts, TracebacksTables } from './tracebacks-tables.js';
import { DEFAULT_REQUESTER } from './tracebacks-tables.js';

/** What effects are carried out with. */
export type EffectParts = TracebacksParts & {
  readonly texts: PlainTexts;
  /** Tracebacks that the same transaction works on: what was done for one of them is not in the tables yet. */
  readonly batch: readonly HeldTraceback[];
  /** Requests that the transaction makes, which are not in the table yet, by the question that they ask. */
  readonly unsaved: Map<string, readonly HeldRequest[]>;
  /** Questions of the effects that are due now, by {@link effectKey}. */
  readonly asks: ReadonlyMap<string, PreparedRequest>;
};

/** The effect that has a provider asked. */
export type AskEffect = Extract<TracebackEffect, { readonly type: 'ask-provider' }>;

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
function notAskable({ entry, isReachable }: RegisteredProvider): NotAskableReason | undefined {
  const isAbroad = entry.country !== undefined && entry.country !== 'US';
  if (entry.isForeignVoiceServiceProvider && isAbroad) return 'foreign';
  if (entry.removal !== undefined) return 'removed';
  return isReachable ? undefined : 'no-contact';
}

/** What is to be asked: the request as it goes out, and which question it is; or why the provider is not asked. */
export type PreparedRequest =
  | { readonly status: 'ask'; readonly asking: Asking }
  | { readonly status: 'refused'; readonly reason: NotAskableReason };

/**
 * Prepares what providers are asked: whom references mean, and in which requests the same is asked already, is read for all of them together.
 * @returns by `effectKey`
 */
export async function prepareAsks(
  parts: EffectParts,
  transaction: PlatformTransaction,
  due: readonly DueEffect[],
): Promise<ReadonlyMap<string, PreparedRequest>> {
  const effects = due.flatMap(({ held, effect }) => (effect.type === 'ask-provider' ? [{ held, effect }] : []));
  if (effects.length === 0) return new Map();
  const found = await parts.providers.resolveAll(
    transaction,
    effects.map(({ effect }) => effect.provider),
  );
  const prepared = new Map<string, PreparedRequest>();
  const questions = new Map<string, Omit<Asking, 'others'>>();
  for (const [index, one] of effects.entries()) {
    const asking = await prepareAsk(parts, transaction, { ...one, found: found[index] });
    if (typeof asking === 'string') prepared.set(effectKey(one), { status: 'refused', reason: asking });
    else questions.set(effectKey(one), asking);
  }
  const others = await requestsWith(
    transaction,
    [...questions.values()].map(({ question }) => question),
  );
  for (const [key, { held, provider, sent, request, question }] of questions) {
    const asking: Asking = { held, provider, sent, request, question, others: others.get(question) ?? [] };
    prepared.set(key, { status: 'ask', asking });
  }
  return prepared;
}

async function prepareAsk(
  parts: EffectParts,
  transaction: PlatformTransaction,
  {
    held,
    effect,
    found,
  }: { readonly held: HeldTraceback; readonly effect: AskEffect; readonly found: ProviderResolution | undefined },
): Promise<Omit<Asking, 'others'> | NotAskableReason> {
  if (found?.status !== 'found') return found?.status === 'several' ? 'no-contact' : 'not-listed';
  const { provider } = found;
  const reason = notAskable(provider);
  if (reason !== undefined) return reason;
  const asked = await callOf(parts, transaction, { held, effect });
  // Nobody can look up a call of which neither number nor record is known.
  if (asked === undefined) return 'no-contact';
  const frame = { tracebackId: held.row.traceback_id, requestId: effect.requestId };
  const sent = sentEvent(held, { ...frame, atMs: parts.context.clock.nowMs(), zone: provider.zone });
  const request = requestOf(held, effect, { ...asked, provider, sent });
  const { direction, requester, downstream, call } = request;
  const { providerId } = provider.entry;
  const question = parts.context.sealed.pseudonym(
    questionIdentity({ providerId, direction, requester, call, ...(downstream !== undefined && { downstream }) }),
  );
  return { held, provider, sent, request, question };
}

/**
 * Asks a provider: writes the request and tells it, or joins a request in which it is asked the same already.
 * @returns what happened, for the lifecycle: one event, and answers that were there already
 */
async function askProvider(
  parts: EffectParts,
  transaction: PlatformTransaction,
  due: { readonly held: HeldTraceback; readonly effect: AskEffect },
): Promise<readonly TracebackEvent[]> {
  const { held, effect } = due;
  const prepared = parts.asks.get(effectKey(due));
  if (prepared?.status === 'ask') return sendOrJoin(parts, transaction, prepared.asking);
  const frame = { tracebackId: held.row.traceback_id, requestId: effect.requestId, atMs: parts.context.clock.nowMs() };
  return [{ type: 'provider-not-askable', ...frame, reason: prepared?.reason ?? 'not-listed' }];
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
async function callOf(
  { texts, context }: TracebacksParts & { readonly texts: PlainTexts },
  transaction: PlatformTransaction,
  { held, effect }: { readonly held: HeldTraceback; readonly effect: AskEffect },
): Promise<AskedCall | undefined> {
  const reason = platformReason(held.row.traceback_id);
  const [opening] = await texts.openings(transaction, [held], reason);
  if (opening === undefined) return undefined;
  if (effect.hop === 1) return { call: opening.call, opening };
  const hop = viewTraceback(held.state).path.find(({ requestId }) => requestId === effect.requestId);
  const before = held.requests.get(hop?.fromRequestId ?? '');
  const [request] = before === undefined ? [] : await texts.requests(transaction, [before], reason);
  const basis = hop?.namedBy === 'answer' && before !== undefined ? before : undefined;
  const answers =
    basis === undefined
      ? []
      : await answersOf(context, transaction, { requestId: basis.asked_by ?? basis.request_id, reason, texts });
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
  readonly others: readonly HeldRequest[];
}

function requestOf(
  { row, state }: HeldTraceback,
  { requestId, direction, hop, downstream }: AskEffect,
  { call, opening, provider, sent }: AskedCall & { readonly provider: RegisteredProvider; readonly sent: SentEvent },
): TracebackRequest {
  // The deadline follows from the rules of the traceback, and belongs into the request.
  const { path } = viewTraceback(foreseenStep(state, sent).state);
  const dueAtMs = path.find((one) => one.requestId === requestId)?.dueAtMs ?? sent.atMs;
  return {
    format: 'hopback.traceback-request.1',
    requestId,
    tracebackId: row.traceback_id,
    direction,
    hop,
    requester: opening.requester ?? DEFAULT_REQUESTER,
    issuedAt: new Date(sent.atMs).toISOString(),
    dueAt: new Date(dueAtMs).toISOString(),
    provider: referenceOf(provider),
    ...(downstream !== undefined && { downstream }),
    ...(opening.campaign !== undefined && { campaign: opening.campaign }),
    call,
    ...(opening.comment !== undefined && { comment: opening.comment }),
  };
}

async function sendOrJoin(
  parts: EffectParts,
  transaction: PlatformTransaction,
  asking: Asking,
): Promise<readonly TracebackEvent[]> {
  const { context, texts } = parts;
  const { held, request, provider, sent, question } = asking;
  const { providerId } = provider.entry;
  const { requestId, tracebackId } = request;
  const other = requestWith(parts, asking);
  const belongsTo = `traceback:${tracebackId}`;
  const pieces = await sealJson(context, transaction, { value: request, belongsTo });
  texts.note(pieces, request);
  const row = newRequest(asking, { question, pieces });
  if (other === undefined) {
    held.requests.set(requestId, row);
    parts.unsaved.set(question, [...(parts.unsaved.get(question) ?? []), row]);
    await context.tell(transaction, {
      type: 'org.hopback.traceback-request.created.1',
      subject: requestId,
      data: { member: 'request', sealed: pieces },
      to: [providerId],
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
  const reason = platformReason(tracebackId);
  const answers = await answersOf(context, transaction, { requestId: other.request_id, reason, texts });
  return [
    joined,
    ...answers.map((answer): TracebackEvent => ({
      type: 'answer-received',
      tracebackId,
      atMs: sent.atMs,
      answer: {
        ...veiledAnswer(answer, context.sealed.pseudonym),
        ...(answer.call !== undefined && { call: answer.call }),
        ...{ requestId, tracebackId },
      },
      asked: request.call,
    })),
  ];
}

/** The request in which the same is asked already, by another traceback: of this transaction, or of the table. */
function requestWith(
  { unsaved }: EffectParts,
  { question, others, request: { tracebackId } }: Asking,
): HeldRequest | undefined {
  const isOther = (one: HeldRequest): boolean => one.traceback_id !== tracebackId;
  const sent = unsaved.get(question)?.find((one) => isOther(one) && one.cancelled_at_ms === null);
  return sent ?? others.find(isOther);
}

function newRequest(
  { request, provider, sent }: Asking,
  { question, pieces }: { readonly question: string; readonly pieces: readonly string[] },
): HeldRequest {
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
