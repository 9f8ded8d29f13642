import type { PlatformProblem, PlatformAnswer, ReferenceMeaning, TracebackEvent } from '@hopback/sdk/internal';
import {
  answerParties,
  answerPartyFault,
  answerReceipt,
  answerRefusal,
  jsonAnswer,
  partyProblem,
  problemAnswer,
} from '@hopback/sdk/internal';
import type { ProviderReference, RequestedCall, TracebackAnswer, TracebackFinding } from '@hopback/sdk/traceback';
import type { OperationCall, PlatformTransaction, ProviderResolution } from '../core/index.js';
import { Acting, actorOf, holdVersions, iso, PLATFORM_ACTOR, sealJson, together } from '../database/index.js';
import { veiledAnswer } from '../domain/tracebacks/veiled-answer.js';
import type { TracebackEngine } from './engine.js';
import { stepped } from './engine.js';
import { createGroupedWork } from './grouped-work.js';
import type { HeldRequest, HeldTraceback } from './held-traceback.js';
import { insertion } from './held-traceback.js';
import { referenceOf } from './perform-effect.js';
import type { answerRows, JoinedRow } from './stored-requests.js';
import { answersQuery, askedQuery, joinedQuery } from './stored-requests.js';
import type { TracebacksParts } from './tracebacks-tables.js';
import { tablesOf } from './tracebacks-tables.js';
import type { AnswerVerifier, VerifiedAnswer } from './verify-answer.js';
import type { WireBodies } from '@hopback/sdk/platform';

type AnswerReceipt = WireBodies['AnswerReceipt'];
type AnswerSubmission = WireBodies['AnswerSubmission'];

type RequestKey = Pick<JoinedRow, 'request_id' | 'traceback_id'>;

/** An answer whose signature has been verified, and who sent it. */
interface TakingIn {
  readonly verified: VerifiedAnswer;
  readonly requestId: string;
  /** Of the request. */
  readonly tracebackId: string;
  readonly provider: ProviderReference;
  readonly call: OperationCall;
}

/** An answer that comes next, and until when it was due. */
type NextAnswer = TakingIn & { readonly dueAtMs: number };

/** Takes answers in within one transaction. */
class AnswerIntake {
  readonly #parts: AnswerParts;
  readonly #transaction: PlatformTransaction;
  readonly #answers = new Map<string, PlatformAnswer>();

  constructor(parts: AnswerParts, transaction: PlatformTransaction) {
    this.#parts = parts;
    this.#transaction = transaction;
  }

  /** Takes answers in, each to a request of its own. @returns what their providers are answered, by request */
  async takeIn(takings: readonly TakingIn[]): Promise<ReadonlyMap<string, PlatformAnswer>> {
    const transaction = this.#transaction;
    const ids = takings.map(({ requestId }) => requestId);
    const tracebackIds = new Set(takings.map(({ tracebackId }) => tracebackId));
    const {
      held: loaded,
      rows: [requests, before, joined],
    } = await this.#parts.engine.loadWith(
      transaction,
      [...tracebackIds],
      [askedQuery(transaction, ids), answersQuery(transaction, ids), joinedQuery(transaction, ids)],
    );
    const asked = new Map(requests.map((row) => [row.request_id, row]));
    const next: NextAnswer[] = [];
    for (const taking of takings) {
      const request = asked.get(taking.requestId);
      const own = before.filter((row) => row.request_id === taking.requestId);
      const standing = standingAnswer(taking, request, own);
      if (standing !== undefined) this.#answers.set(taking.requestId, standing);
      else if (request !== undefined) next.push({ ...taking, dueAtMs: request.due_at_ms });
    }
    if (next.length > 0) await this.#feed(next, joined, loaded);
    return this.#answers;
  }

  /**
   * Hands answers to their tracebacks, and to those that joined their requests; stores what the tracebacks take.
   * @param joined - requests of other tracebacks that are answered with these
   * @param loaded - tracebacks of the requests themselves, and perhaps others
   */
  async #feed(
    next: readonly NextAnswer[],
    joined: readonly JoinedRow[],
    loaded: ReadonlyMap<string, HeldTraceback>,
  ): Promise<void> {
    const { engine, context } = this.#parts;
    const heard = await this.#asHeard(next);
    const concerned = next.map(({ requestId, verified: { answer } }) => [
      { request_id: requestId, traceback_id: answer.tracebackId },
      ...joined.filter((row) => row.asked_by === requestId),
    ]);
    const ids = new Set(concerned.flat().map((row) => row.traceback_id));
    const others = await engine.load(
      this.#transaction,
      [...ids].filter((id) => !loaded.has(id)),
    );
    const held = new Map([...loaded, ...others].filter(([id]) => ids.has(id)));
    const asked = await this.#askedCalls(held, concerned.flat());
    const taken: TakenAnswer[] = [];
    for (const [index, { dueAtMs, ...taking }] of next.entries()) {
      const own = concerned[index] ?? [];
      const answer = heard[index];
      if (answer !== undefined && 'kind' in answer) {
        this.#answers.set(taking.requestId, answer);
        continue;
      }
      const receivedAtMs = context.clock.nowMs();
      const reason = answer === undefined ? undefined : refusedBy(held, { own, answer, asked, receivedAtMs });
      if (reason !== undefined) {
        const detail = `The traceback does not take it: ${reason}.`;
        this.#answers.set(taking.requestId, problemAnswer('answer-mismatch', { detail }));
        continue;
      }
      const tracebackIds = own.map((row) => row.traceback_id);
      const isLate = receivedAtMs > dueAtMs;
      const receipt = answerReceipt({ ...taking.verified, receivedAt: iso(receivedAtMs), isLate });
      taken.push({ ...taking, receivedAtMs, receipt, tracebackIds });
    }
    if (taken.length > 0) await this.#keep(taken, held);
  }

  /** The calls that requests were about, by the id of the request. */
  async #askedCalls(
    held: ReadonlyMap<string, HeldTraceback>,
    rows: readonly RequestKey[],
  ): Promise<ReadonlyMap<string, RequestedCall>> {
    const { texts } = this.#parts.engine;
    const requests = rows.flatMap((row) => held.get(row.traceback_id)?.requests.get(row.request_id) ?? []);
    await texts.prefetch(
      this.#transaction,
      requests.map(({ request }) => request),
    );
    const opened = await texts.requests(this.#transaction, requests, ANSWERING);
    return new Map(opened.flatMap((request) => (request === undefined ? [] : [[request.requestId, request.call]])));
  }

  /** Stores answers, does what follows from them, and puts them down. */
  async #keep(taken: readonly TakenAnswer[], held: ReadonlyMap<string, HeldTraceback>): Promise<void> {
    const parts = this.#parts;
    const transaction = this.#transaction;
    const { context, engine } = parts;
    const receipts = taken.map(({ receipt }) => parts.signReceipt(receipt));
    const rows: object[] = [];
    for (const [index, { verified, requestId, call, receivedAtMs, receipt }] of taken.entries()) {
      const { answer, sha256, jws: value } = verified;
      const { answerId, revision, tracebackId } = answer;
      rows.push({
        request_id: requestId,
        answer_id: answerId,
        traceback_id: tracebackId,
        provider_id: call.caller.organizationId,
        revision,
        arm: answer.finding.arm,
        received_at_ms: receivedAtMs,
        is_late: receipt.isLate,
        sha256,
        receipt: receipts[index],
        jws: await sealJson(context, transaction, { value, belongsTo: `traceback:${tracebackId}` }),
      });
    }
    const texts = engine.texts.withAnswers(new Map(taken.map((one) => [one.requestId, [one.verified.answer]])));
    const { done } = await engine.conductHeld(transaction, [...held.values()], {
      changes: [],
      texts,
      besides: insertion(transaction, 'tracebacks_answers', rows),
      isLast: true,
    });
    const staff = await parts.organizations.staff(transaction);
    for (const [index, { verified, requestId, call, receipt, tracebackIds }] of taken.entries()) {
      const { answerId, revision, finding } = verified.answer;
      const { arm } = finding;
      const { sha256 } = verified;
      const details = {
        answerId,
        revision,
        arm,
        sha256,
        done: tracebackIds.flatMap((id) => done.get(id) ?? []),
      };
      const work = new Acting(context, transaction, actorOf(call));
      await work.audit('answer.received', `request:${requestId}`, details);
      await context.tell(transaction, {
        type: 'org.hopback.traceback-answer.received.1',
        subject: answerId,
        data: receipt,
        to: [work.by.organizationId, ...staff],
      });
      this.#answers.set(requestId, jsonAnswer({ answerId, receipt: receipts[index] ?? '' }));
    }
  }

  /**
   * Answers as the lifecycle hears them: without numbers, and with providers as the registry has them. Of the disclosed call, which has numbers, the
   * lifecycle keeps only how it differs from the call that was asked about.
   */
  async #asHeard(takings: readonly TakingIn[]): Promise<readonly (TracebackAnswer | PlatformProblem)[]> {
    const { context, providers } = this.#parts;
    const parties = takings.map(({ verified }) => answerParties(verified.answer));
    const references = parties.flat().map(({ reference }) => reference);
    const found = await providers.resolveAll(this.#transaction, references);
    const resolutions = new Map(references.map((reference, index) => [reference, found[index] ?? UNLISTED]));
    const resolutionOf = (reference: ProviderReference): ProviderResolution => resolutions.get(reference) ?? UNLISTED;
    return takings.map(({ verified: { answer }, provider, call }, index) => {
      const signer = { ...provider, providerId: call.caller.organizationId };
      const fault = answerPartyFault(parties[index] ?? [], signer, (reference) => meaningOf(resolutionOf(reference)));
      if (fault !== undefined) return partyProblem(fault);
      const veiled = veiledAnswer(answer, context.sealed.pseudonym);
      const named = namedIn(answer.finding);
      return {
        ...veiled,
        ...(answer.call !== undefined && { call: answer.call }),
        provider,
        ...(named !== undefined && { finding: registeredFinding(veiled.finding, named, resolutionOf(named)) }),
      };
    });
  }
}

/** What an answer is answered that is not taken: it is known, or does not come next. */
function standingAnswer(
  { verified: { answer, sha256 }, requestId, call: { caller } }: TakingIn,
  asked: HeldRequest | undefined,
  before: Awaited<ReturnType<typeof answerRows>>,
): PlatformAnswer | undefined {
  if (asked?.provider_id !== caller.organizationId) return problemAnswer('not-found');
  const known = before.find((row) => row.answer_id === answer.answerId);
  if (known !== undefined)
    return known.sha256 === sha256
      ? jsonAnswer({ answerId: known.answer_id, receipt: known.receipt })
      : problemAnswer('conflict');
  const last = before.at(-1);
  return answerRefusal(answer, {
    ...{ requestId, tracebackId: asked.traceback_id, isCancelled: asked.cancelled_at_ms !== null },
    last: last && { answerId: last.answer_id, revision: last.revision },
  });
}

/** An answer that stands, with its receipt. */
interface TakenAnswer extends TakingIn {
  readonly receivedAtMs: number;
  readonly receipt: AnswerReceipt;
  readonly tracebackIds: readonly string[];
}

/**
 * Has tracebacks hear an answer: all of them, or none.
 * @returns why it was refused
 */
function refusedBy(
  held: ReadonlyMap<string, HeldTraceback>,
  heard: {
    readonly own: readonly RequestKey[];
    readonly answer: TracebackAnswer;
    /** What each request was about, by its id. */
    readonly asked: ReadonlyMap<string, RequestedCall>;
    readonly receivedAtMs: number;
  },
): string | undefined {
  const { own, answer, asked, receivedAtMs } = heard;
  const before = new Map<HeldTraceback, HeldTraceback['state']>();
  for (const { request_id: requestId, traceback_id: tracebackId } of own) {
    const one = held.get(tracebackId);
    if (one === undefined) continue;
    if (!before.has(one)) before.set(one, one.state);
    const isItsOwn = answer.requestId === requestId && answer.tracebackId === tracebackId;
    const call = asked.get(requestId);
    const event: TracebackEvent = {
      type: 'answer-received',
      tracebackId,
      atMs: receivedAtMs,
      answer: isItsOwn ? answer : { ...answer, requestId, tracebackId },
      ...(call !== undefined && { asked: call }),
    };
    const reason = stepped(one, [event]);
    if (reason === undefined) continue;
    for (const [known, state] of before) known.state = state;
    return reason;
  }
  const ids = new Set(own.map((row) => row.request_id));
  for (const one of before.keys()) noteAnswered(one, ids, { answerId: answer.answerId, atMs: receivedAtMs });
  return undefined;
}

/** The platform itself, where it compares answers with what was asked. */
const ANSWERING = { ...PLATFORM_ACTOR, object: 'tracebacks' };

function noteAnswered(
  { requests }: HeldTraceback,
  answered: ReadonlySet<string>,
  { answerId, atMs }: { readonly answerId: string; readonly atMs: number },
): void {
  for (const request of requests.values()) {
    if (!answered.has(request.request_id)) continue;
    request.answered_at_ms ??= atMs;
    request.last_answer_id = answerId;
    request.last_answered_at_ms = atMs;
    request.isChanged = true;
  }
}

const UNLISTED: ProviderResolution = { status: 'unlisted' };

function meaningOf(resolution: ProviderResolution): ReferenceMeaning {
  if (resolution.status !== 'found') return resolution;
  return { status: 'found', providerId: resolution.provider.entry.providerId };
}

function namedIn(finding: TracebackFinding): ProviderReference | undefined {
  if (finding.arm === 'received-from') return finding.upstream;
  return finding.arm === 'number-served-by' ? finding.provider : undefined;
}

/** Where a name means several providers nobody is asked by chance: a person finds out which one it is. */
function registeredFinding(
  finding: TracebackFinding,
  named: ProviderReference,
  found: ProviderResolution,
): TracebackFinding {
  if (found.status === 'several' && finding.arm === 'received-from')
    return { arm: 'received-from-unlisted', upstream: { name: named.name } };
  if (found.status !== 'found') return finding;
  const reference = referenceOf(found.provider);
  return finding.arm === 'number-served-by'
    ? { arm: 'number-served-by', provider: reference }
    : { arm: 'received-from', upstream: reference };
}

/** What answers are taken in with. */
export type AnswerParts = TracebacksParts & { readonly engine: TracebackEngine; readonly verify: AnswerVerifier };

/** Takes answers of providers in; those that come while others are taken in are taken in together. */
export function createAnswerIntake(parts: AnswerParts): (call: OperationCall) => Promise<PlatformAnswer> {
  return createGroupedWork<OperationCall, PlatformAnswer>({
    together: (calls) => submitAnswers(parts, calls),
    keyOf: requestIdOf,
  });
}

const requestIdOf = ({ request }: OperationCall): string => request.parameters['requestId'] ?? '';

/** Stores answers, goes on with their tracebacks and with those that joined their requests, and gives the receipts. */
async function submitAnswers(parts: AnswerParts, calls: readonly OperationCall[]): Promise<readonly PlatformAnswer[]> {
  const { context, providers, engine } = parts;
  const reading = tablesOf(context.database);
  holdVersions(reading);
  const [rows] = await together(reading, [askedQuery(reading, calls.map(requestIdOf))]);
  const asked = new Map(rows.map((row) => [row.request_id, row]));
  const known = await providers.providers(
    reading,
    calls.map(({ caller }) => caller.organizationId),
  );
  const takings = calls.map((call): TakingIn | PlatformAnswer => {
    const requestId = requestIdOf(call);
    const provider = known.get(call.caller.organizationId);
    const row = asked.get(requestId);
    if (provider === undefined || row?.provider_id !== call.caller.organizationId) return problemAnswer('not-found');
    const verified = parts.verify(call.request.body as AnswerSubmission, provider, call.atMs);
    if ('kind' in verified) return verified;
    return {
      verified,
      requestId,
      tracebackId: row.traceback_id,
      call,
      provider: referenceOf(provider),
    };
  });
  const wanted = takings.filter((taking): taking is TakingIn => !('kind' in taking));
  // What an operation answers out of its transaction is stored with it.
  const [only] = wanted;
  if (calls.length === 1)
    return [
      only === undefined
        ? (takings[0] as PlatformAnswer)
        : await engine.transact(async (transaction) =>
            answerOf(await new AnswerIntake(parts, transaction).takeIn(wanted), only),
          ),
    ];
  const answers =
    wanted.length === 0
      ? new Map<string, PlatformAnswer>()
      : await engine.transact((transaction) => new AnswerIntake(parts, transaction).takeIn(wanted));
  return takings.map((taking) => ('kind' in taking ? taking : answerOf(answers, taking)));
}

const answerOf = (answers: ReadonlyMap<string, PlatformAnswer>, { requestId }: TakingIn): PlatformAnswer =>
  answers.get(requestId) ?? problemAnswer('not-found');
