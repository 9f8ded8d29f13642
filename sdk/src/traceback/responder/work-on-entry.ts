import type { CallRecord } from '../../contract/call-record.js';
import type { FindingArm } from '../../contract/traceback-exchange.js';
import { defined, wellFormedValue } from '../../core/text.js';
import { isHopbackError } from '../../errors.js';
import { EVIDENCE_RECORDS } from '../evidence/evidence-manifest.js';
import type { EvidenceMaterial } from '../evidence/evidence-manifest.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import { decideTraceback } from '../policy/decide-traceback.js';
import type { PolicyInput } from '../policy/traceback-policy.js';
import { candidateId, candidatesOf } from '../review/review-view.js';
import { answerSha256, signAnswer } from './answer-signer.js';
import {
  answerOfEntry,
  deliveredEntry,
  filedEntry,
  matchedEntry,
  quietEntry,
  setBackEntry,
  signedEntry,
  noticedEntry,
  unwantedEntry,
} from './entry-steps.js';
import { isUnfiled, stateOfEntry } from './responder-contract.js';
import type { AnswerDelivery, ResponderEntry, SignedEntry } from './responder-contract.js';
import { PORT_LIMITS_MS, StepFailure, inTime, isForGood, noteProblem } from './responder-core.js';
import type { ResponderCore, ResponderLane, Retries } from './responder-core.js';

const EVIDENCE = { kind: 'evidence', timeoutMs: PORT_LIMITS_MS.evidence } as const;

/**
 * Looks a request up, and applies the policy to what was found.
 * @throws StepFailure `match`: the records cannot be read now, or do not come back
 */
async function matchEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry> {
  const { options, clock, limits } = core;
  const { request } = entry;
  const timed = { kind: 'match', timeoutMs: limits.matchTimeoutMs } as const;
  // Switches write what they were sent, cut where their field ends.
  const outcome =
    request.direction === 'forward'
      ? undefined
      : wellFormedValue(await inTime(core, () => options.findMatch(request), timed));
  const [sources, hold] = await inTime(
    core,
    () => Promise.all([options.sources?.() ?? [], holdOf(core, outcome)]),
    timed,
  );
  const atMs = clock.nowMs();
  const { provider, policy, trunks: directory } = options;
  const found = defined({ outcome, hold, sources });
  const decision = decideTraceback({
    request,
    provider,
    policy,
    directory,
    ...found,
    nowUs: atMs * 1_000,
  });
  return matchedEntry(entry, { ...found, decision, atMs });
}

/** Of the call that would be answered with, or of any that may be meant. */
async function holdOf({ options }: ResponderCore, outcome: MatchOutcome | undefined): Promise<PolicyInput['hold']> {
  const calls = outcome?.status === 'unique' ? [outcome.candidate] : candidatesOf(outcome);
  if (calls.length === 0) return 'none';
  const { isHeld } = options;
  if (isHeld === undefined) return 'unknown';
  for (const call of calls) if (await isHeld(call)) return 'held';
  return 'none';
}

/**
 * Writes the evidence of the answer that was decided on, and signs it; where one of them will never have it, a person is asked.
 * @throws StepFailure `evidence`, `signing`: not now
 */
async function signEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  try {
    return await answerSigned(core, entry);
  } catch (error) {
    if (!(error instanceof StepFailure) || !isForGood(error)) throw error;
    return setBack(core, entry, error);
  }
}

/** The answer can never be given as it was decided: that is noted, and a person is asked. */
function setBack(core: ResponderCore, entry: ResponderEntry, { kind, cause }: StepFailure): ResponderEntry {
  const { options, clock } = core;
  noteProblem(core, { kind, requestId: entry.requestId, cause });
  const why: ResponderEntry['setBack'] = {
    kind: kind === 'evidence' || kind === 'signing' ? kind : 'storage',
    revision: entry.pending?.revision ?? 0,
    atMs: clock.nowMs(),
    detail: reasonOf(cause),
  };
  return setBackEntry(entry, why, options.policy.queues.policy);
}

function reasonOf(cause: unknown): string {
  return isHopbackError(cause) ? `${cause.code}: ${cause.message}`.slice(0, MAX_REASON_CHARS) : 'no reason was given';
}

const MAX_REASON_CHARS = 300;

async function answerSigned(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  const { options, clock } = core;
  const { provider, evidence: writer, signer } = options;
  const bare = answerOfEntry(entry, { provider });
  if (bare === undefined) return undefined;
  const evidence =
    writer === undefined ? undefined : await inTime(core, () => writer.write(materialOf(core, entry, bare)), EVIDENCE);
  const answer = answerOfEntry(entry, { provider, ...defined({ evidence }) }) ?? bare;
  const timed = { kind: 'signing', timeoutMs: PORT_LIMITS_MS.signing } as const;
  const jws = await inTime(core, () => signAnswer(answer, signer), timed);
  return signedEntry(entry, { answer, jws, atMs: clock.nowMs() });
}

function materialOf(
  { options }: ResponderCore,
  entry: ResponderEntry,
  answer: EvidenceMaterial['answer'],
): EvidenceMaterial {
  const { request, original, via, receivedAtMs, outcome, pending } = entry;
  const candidate = candidatesOf(outcome).find((one) => candidateId(one) === pending?.candidate);
  const trace = pending?.trace;
  return {
    request,
    received: {
      bytes: original === undefined ? Buffer.from(JSON.stringify(request)) : Buffer.from(original.base64, 'base64'),
      mediaType: original?.mediaType ?? 'application/json',
      octets: original === undefined ? 'written-anew' : 'as-they-came',
      channel: via,
      receivedAt: new Date(receivedAtMs).toISOString(),
    },
    answer,
    records: recordsBehind(entry, { candidate, arm: answer.finding.arm }),
    ...defined({ reasons: candidate?.reasons }),
    clocks: options.clocks ?? [],
    decision: {
      policyId: trace?.policyId ?? options.policy.policyId,
      outcome: pending?.answeredBy.kind ?? 'person',
      steps: (trace?.rules ?? []).map(({ rule, inputs, result, text }) => ({ rule, inputs, result, because: text })),
    },
  };
}

/**
 * Those of the call that the answer names; where it names none, those of each call that was found: "ambiguous" and a "not found" that a person gave
 * in spite of them rest on what was there. What a refusal is not to disclose is not in its pack either.
 */
function recordsBehind(
  { outcome }: ResponderEntry,
  { candidate, arm }: { readonly candidate: MatchCandidate | undefined; readonly arm: FindingArm },
): readonly CallRecord[] {
  const found = candidate !== undefined ? [candidate] : arm === 'refused' ? [] : candidatesOf(outcome);
  const all = found.flatMap(({ legs, ingressLeg, egressLeg }) => [
    ...[...legs, ingressLeg],
    ...(egressLeg === undefined ? [] : [egressLeg]),
  ]);
  const records = [...new Map(all.map((leg) => [leg.recordId, leg])).values()];
  // Calls are ranked: where a pack cannot hold all of them it holds the first.
  return candidate === undefined ? records.slice(0, EVIDENCE_RECORDS) : records;
}

/** The pack gets the signed answer as the platform does. That it cannot is no reason to miss a deadline: it is told again at the end. Never rejects. */
async function attachAnswer(core: ResponderCore, requestId: string, { answer, jws }: SignedEntry): Promise<void> {
  const { options, attached } = core;
  const { evidence } = options;
  const reference = answer.evidence;
  if (evidence === undefined || reference === undefined || attached.has(answer.answerId)) return;
  // Once a process: what failed is not what the requester waits for.
  attached.add(answer.answerId);
  try {
    await inTime(core, () => evidence.attachAnswer(reference.packId, { answerJws: jws }), {
      kind: 'evidence',
      timeoutMs: ATTACH_LIMIT_MS,
    });
  } catch (cause) {
    noteProblem(core, { kind: 'evidence', requestId, cause: cause instanceof StepFailure ? cause.cause : cause });
  }
}

/** An answer waits for it that is due. */
const ATTACH_LIMIT_MS = 10_000;

/**
 * The first answer whose pack has not been told what became of it: the pack gets the answer, and the receipt where there is one. The pack takes
 * both as often as they come, once.
 * @returns undefined where there is none, or no evidence is kept
 * @throws StepFailure `evidence`: not now
 */
async function fileEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  const { options, clock } = core;
  const { evidence } = options;
  const settled = entry.answers.find(isUnfiled);
  const reference = settled?.answer.evidence;
  if (evidence === undefined || settled === undefined || reference === undefined) return undefined;
  const { answer, jws, delivery } = settled;
  const receipt = delivery.state === 'acknowledged' ? { receiptJws: delivery.receipt } : {};
  try {
    await inTime(core, () => evidence.attachAnswer(reference.packId, { answerJws: jws, ...receipt }), EVIDENCE);
  } catch (error) {
    if (!isForGood(error)) throw error;
    const { cause } = error;
    noteProblem(core, { kind: 'evidence', requestId: entry.requestId, cause });
    return filedEntry(entry, answer.answerId, { state: 'refused', atMs: clock.nowMs(), detail: reasonOf(cause) });
  } finally {
    core.attached.delete(answer.answerId);
  }
  return filedEntry(entry, answer.answerId, { state: 'kept', atMs: clock.nowMs() });
}

/**
 * Hands the platform the first answer that it does not have: revisions arrive in their order.
 * @returns undefined where nothing has changed: it is tried again later
 * @throws StepFailure `delivery`
 */
async function deliverEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  const { options, breaker, health, clock, retries } = core;
  const { platform } = options;
  const { requestId } = entry;
  const signed =
    entry.answers.find(({ delivery }) => delivery.state === 'waiting') ??
    entry.answers.find(({ delivery }) => delivery.state === 'taken');
  if (platform === undefined || signed === undefined) return undefined;
  // Beside the delivery: whoever asked does not wait for the disk of the evidence.
  const attached = attachAnswer(core, requestId, signed);
  const nowMs = clock.monotonicMs();
  if (!breaker.permit(nowMs)) {
    const permittedAtMs = breaker.permittedAtMs();
    const waitMs = Number.isFinite(permittedAtMs)
      ? Math.max(1, permittedAtMs - nowMs)
      : PROBE_WAIT_MS * (0.5 + core.random());
    // One that may be at fault itself lets others try first.
    retries.at(requestId, health.hasFailed(requestId) ? waitMs + LET_OTHERS_MS : waitMs);
    await attached;
    return undefined;
  }
  const { jws, idempotencyKey, answer } = signed;
  const attempt = new AbortController();
  let delivery: AnswerDelivery;
  try {
    delivery = await inTime(
      core,
      () => platform.transport.deliver({ requestId, answerId: answer.answerId, jws, idempotencyKey }, attempt.signal),
      { kind: 'delivery', timeoutMs: PORT_LIMITS_MS.delivery },
    );
  } catch (error) {
    // Given up here, it is to end there.
    attempt.abort();
    health.failed(requestId, clock.monotonicMs());
    throw error;
  } finally {
    await attached;
  }
  return delivered(core, entry, { signed, delivery });
}

/** While another request tries whether the platform is back: thousands may wait, and each that asks is read anew. */
const PROBE_WAIT_MS = 10_000;
const LET_OTHERS_MS = 1_000;

async function delivered(
  core: ResponderCore,
  entry: ResponderEntry,
  { signed, delivery }: { readonly signed: SignedEntry; readonly delivery: AnswerDelivery },
): Promise<ResponderEntry | undefined> {
  const { health, clock, counts } = core;
  const { requestId } = entry;
  switch (delivery.status) {
    case 'taken':
      health.answered(requestId);
      return taken(core, entry, { signed, receipt: delivery.receipt });
    case 'refused': {
      health.answered(requestId);
      const { reason, detail } = delivery;
      return refused(core, entry, { signed, reason, detail });
    }
    case 'cancelled':
      health.answered(requestId);
      if (entry.cancelledAtMs === undefined) counts.totals.cancelled += 1;
      return unwantedEntry(entry, { atMs: clock.nowMs(), detail: delivery.detail.slice(0, MAX_DETAIL_CHARS) });
    default: {
      noteProblem(core, { kind: 'delivery', requestId, cause: delivery.detail });
      if (delivery.status === 'barred') health.barred(requestId, clock.monotonicMs());
      else health.failed(requestId, clock.monotonicMs());
      const waitMs = delivery.status === 'unavailable' ? delivery.retryAfterMs : undefined;
      if (waitMs === undefined) core.retries.later(requestId);
      else core.retries.at(requestId, Math.max(1, waitMs));
      return undefined;
    }
  }
}

async function taken(
  core: ResponderCore,
  entry: ResponderEntry,
  { signed, receipt }: { readonly signed: SignedEntry; readonly receipt: string },
): Promise<ResponderEntry | undefined> {
  const { clock, retries } = core;
  const { answerId } = signed.answer;
  const atMs = clock.nowMs();
  const read = await readReceipt(core, signed, receipt);
  if (read.status === 'good') {
    const { receivedAt } = read;
    return deliveredEntry(entry, answerId, { state: 'acknowledged', atMs, receipt, receivedAt });
  }
  const { detail } = read;
  // It is proven that it has another answer: these bytes it will not take.
  if (read.status === 'other-bytes') return refused(core, entry, { signed, reason: 'conflict', detail });
  noteProblem(core, { kind: 'receipt', requestId: entry.requestId, cause: detail });
  retries.later(entry.requestId);
  // Sent again it is answered with the receipt again: that one may be better.
  return signed.delivery.state === 'taken'
    ? undefined
    : deliveredEntry(entry, answerId, { state: 'taken', atMs, detail });
}

function refused(
  core: ResponderCore,
  entry: ResponderEntry,
  said: Pick<Extract<SignedEntry['delivery'], { state: 'refused' }>, 'reason' | 'detail'> & {
    readonly signed: SignedEntry;
  },
): ResponderEntry {
  const { signed, reason } = said;
  noteProblem(core, { kind: 'delivery', requestId: entry.requestId, cause: `refused: ${reason}` });
  const detail = said.detail.slice(0, MAX_DETAIL_CHARS);
  return deliveredEntry(entry, signed.answer.answerId, { state: 'refused', atMs: core.clock.nowMs(), reason, detail });
}

const MAX_DETAIL_CHARS = 1_000;

type ReadReceipt =
  | { readonly status: 'good'; readonly receivedAt: string }
  /** Signed by the platform, of this answer, over other bytes. */
  | { readonly status: 'other-bytes'; readonly detail: string }
  | { readonly status: 'bad'; readonly detail: string };

/** What the receipt is worth. */
async function readReceipt(core: ResponderCore, { answer, jws }: SignedEntry, receipt: string): Promise<ReadReceipt> {
  const { platform } = core.options;
  if (platform === undefined) return { status: 'bad', detail: 'nothing verifies receipts' };
  const reading = await inTime(core, () => platform.verifyReceipt(receipt), {
    kind: 'receipt',
    timeoutMs: PORT_LIMITS_MS.receipt,
  }).catch(() => undefined);
  if (reading === undefined) return { status: 'bad', detail: 'it could not be verified' };
  if (reading.status === 'rejected') return { status: 'bad', detail: `the receipt is rejected: ${reading.reason}` };
  const { answerId, receivedAt, answerSha256: theirs } = reading;
  if (answerId !== answer.answerId) return { status: 'bad', detail: 'the receipt is of another answer' };
  const ours = answerSha256(jws);
  if (theirs === ours) return { status: 'good', receivedAt };
  const detail = `under ${answerId} the platform has an answer with the SHA-256 ${theirs}; the one here has ${ours}`;
  return { status: 'other-bytes', detail };
}

/** Steps of one request in a row: then it is the turn of the others. Match, sign, deliver, file, and the same for a revision or two. */
const MOST_STEPS = 16;

/**
 * Takes a request as far as it can go in one lane, one durable step after the other; where it goes on in another it is handed over, and people
 * are told of what became of it: of that too where a step failed. Never rejects: what fails is counted and tried again.
 */
export async function advanceEntry(
  core: ResponderCore,
  requestId: string,
  lane: Exclude<ResponderLane, 'tell'>,
): Promise<void> {
  const { journal, work } = core;
  await attempted(core, { requestId, retries: core.retries }, () => takeSteps(core, requestId, lane));
  if (journal.summaries.get(requestId)?.isUntold === true) work.enqueue(requestId, 'tell');
  forgetClosed(core, requestId);
}

async function attempted(
  core: ResponderCore,
  { requestId, retries }: { readonly requestId: string; readonly retries: Retries },
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (core.stop.signal.aborted) return;
    const { kind, cause } = error instanceof StepFailure ? error : new StepFailure('storage', error);
    noteProblem(core, { kind, requestId, cause });
    retries.later(requestId);
  }
}

/** Of what needs nobody any more, nothing is kept in memory. */
function forgetClosed({ journal, retries, noticeRetries, health }: ResponderCore, requestId: string): void {
  if (journal.open.has(requestId)) return;
  retries.forget(requestId);
  noticeRetries.forget(requestId);
  health.forget(requestId);
}

async function takeSteps(core: ResponderCore, requestId: string, lane: Exclude<ResponderLane, 'tell'>): Promise<void> {
  const { journal, retries, stop, work } = core;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (stop.signal.aborted) return;
    const entry = await journal.durable(requestId);
    if (entry === undefined) return;
    const wanted = laneOf(entry);
    if (wanted !== lane) {
      if (wanted !== undefined) work.enqueue(requestId, wanted);
      return;
    }
    const next = await nextEntry(core, entry);
    if (next === undefined) return;
    await save(core, entry, next);
    // It goes well: the next failure is the first.
    retries.forget(requestId);
    countStep(core, next, entry.answers.length);
  }
  work.enqueue(requestId, lane);
}

/** Where the next step is taken; undefined where none is left. */
function laneOf(entry: ResponderEntry): Exclude<ResponderLane, 'tell'> | undefined {
  const state = stateOfEntry(entry);
  if (state === 'signed' || state === 'sent') return 'deliver';
  return state === 'received' || state === 'decided' || entry.answers.some(isUnfiled) ? 'answer' : undefined;
}

/** Where the journal will never have what was signed, a person is asked: signed anew it would be as long. */
async function save(core: ResponderCore, entry: ResponderEntry, next: ResponderEntry): Promise<void> {
  try {
    await core.journal.save(next);
  } catch (error) {
    if (entry.pending === undefined || !isForGood(error)) throw error;
    await core.journal.save(setBack(core, entry, new StepFailure('storage', error)));
  }
}

/** The entry after its next step; undefined where there is none that can be taken now. */
async function nextEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  switch (stateOfEntry(entry)) {
    case 'received':
      return matchEntry(core, entry);
    case 'decided':
      return signEntry(core, entry);
    case 'signed':
    case 'sent':
      return deliverEntry(core, entry);
    default:
      return fileEntry(core, entry);
  }
}

/**
 * Tells people what they have not been told, one after the other, each taken off once it was told: at least once. Only of what is durable.
 * Meanwhile the request goes on. Never rejects.
 */
export async function notifyReviewers(core: ResponderCore, requestId: string): Promise<void> {
  await attempted(core, { requestId, retries: core.noticeRetries }, async () => {
    const entry = await core.journal.durable(requestId);
    if (entry === undefined || core.stop.signal.aborted) return;
    const { notify } = core.options;
    if (notify === undefined) return change(core, requestId, quietEntry);
    for (const event of entry.untold) {
      await inTime(core, () => notify(event), { kind: 'notify', timeoutMs: PORT_LIMITS_MS.notify });
      await change(core, requestId, (current) => noticedEntry(current, event.eventId));
      core.noticeRetries.forget(requestId);
    }
  });
  forgetClosed(core, requestId);
}

/** As it stands when it is its turn. */
async function change(
  { journal, work }: ResponderCore,
  requestId: string,
  changed: (entry: ResponderEntry) => ResponderEntry,
): Promise<void> {
  await work.exclusively(requestId, async () => {
    const entry = journal.get(requestId);
    if (entry !== undefined && entry.untold.length > 0) await journal.save(changed(entry));
  });
}

/** After it is durable: what was counted and not done would not come right again. */
function countStep({ counts, clock }: ResponderCore, entry: ResponderEntry, answersBefore: number): void {
  const last = entry.answers.at(-1);
  if (last === undefined) return;
  if (entry.answers.length > answersBefore) {
    const { finding, answeredBy, revision } = last.answer;
    counts.arms.set(finding.arm, (counts.arms.get(finding.arm) ?? 0) + 1);
    if (revision > 1) counts.totals.amended += 1;
    if (answeredBy.kind === 'person') counts.totals.byPerson += 1;
    else {
      counts.totals.automatic += 1;
      counts.automaticMs.observe(last.signedAtMs - entry.receivedAtMs);
    }
  }
  const isNews = last.filed === undefined && stateOfEntry(entry) === 'acknowledged';
  if (isNews && last.answer.revision === 1) counts.margin.observe((entry.deadline.dueAtMs - clock.nowMs()) / 1_000);
}
