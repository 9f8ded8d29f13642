import type { CallRecord } from '../../core/call-record.js';
import type { FindingArm } from '../../core/traceback-request.js';
import { isHopbackError } from '../../errors.js';
import { EVIDENCE_RECORDS } from '../evidence/evidence-material.js';
import type { EvidenceMaterial } from '../evidence/evidence-material.js';
import type { MatchCandidate } from '../match-outcome.js';
import { candidateId, candidatesOf } from '../review/review-subject.js';
import { signAnswer } from './compact-jws.js';
import { answerOfEntry, filedEntry, setBackEntry, signedEntry } from './entry-steps.js';
import { inTime, isForGood, PORT_LIMITS_MS } from './in-time.js';
import { noteProblem, StepFailure } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';
import { isUnfiled } from './responder-entry.js';
import type { ResponderEntry, SetBack, SignedEntry } from './responder-entry.js';

/**
 * Writes the evidence of the answer that was decided on, and signs it; where one of them will never have it, a person is asked.
 * @throws StepFailure `evidence`, `signing`: not now
 */
export async function signEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  try {
    return await signed(core, entry);
  } catch (error) {
    if (!(error instanceof StepFailure) || !isForGood(error)) throw error;
    return setBack(core, entry, error);
  }
}

/** The answer can never be given as it was decided: that is noted, and a person is asked. */
export function setBack(core: ResponderCore, entry: ResponderEntry, { kind, cause }: StepFailure): ResponderEntry {
  const { options, clock } = core;
  noteProblem(core, { kind, requestId: entry.requestId, cause });
  const why: SetBack = {
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

async function signed(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  const { options, clock } = core;
  const { provider, evidence: writer, signer } = options;
  const bare = answerOfEntry(entry, { provider });
  if (bare === undefined) return undefined;
  const evidence =
    writer === undefined
      ? undefined
      : await inTime(core, () => writer.write(materialOf(core, entry, bare)), {
          kind: 'evidence',
          timeoutMs: PORT_LIMITS_MS.evidence,
        });
  const answer = answerOfEntry(entry, { provider, ...(evidence === undefined ? {} : { evidence }) }) ?? bare;
  const jws = await inTime(core, () => signAnswer(answer, signer), {
    kind: 'signing',
    timeoutMs: PORT_LIMITS_MS.signing,
  });
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
    ...(candidate === undefined ? {} : { reasons: candidate.reasons }),
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
export async function attachAnswer(
  core: ResponderCore,
  requestId: string,
  { answer, jws }: SignedEntry,
): Promise<void> {
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
export async function fileEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  const { options, clock } = core;
  const { evidence } = options;
  const settled = entry.answers.find(isUnfiled);
  const reference = settled?.answer.evidence;
  if (evidence === undefined || settled === undefined || reference === undefined) return undefined;
  const { answer, jws, delivery } = settled;
  const receipt = delivery.state === 'acknowledged' ? { receiptJws: delivery.receipt } : {};
  try {
    await inTime(core, () => evidence.attachAnswer(reference.packId, { answerJws: jws, ...receipt }), {
      kind: 'evidence',
      timeoutMs: PORT_LIMITS_MS.evidence,
    });
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
