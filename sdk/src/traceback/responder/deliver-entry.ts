import { answerSha256 } from './compact-jws.js';
import { deliveredEntry, unwantedEntry } from './entry-steps.js';
import { inTime, PORT_LIMITS_MS } from './in-time.js';
import type { AnswerDelivery } from './ports.js';
import { noteProblem } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';
import type { EntryDelivery, ResponderEntry, SignedEntry } from './responder-entry.js';
import { attachAnswer } from './sign-entry.js';

/**
 * Hands the platform the first answer that it does not have: revisions arrive in their order.
 * @returns undefined where nothing has changed: it is tried again later
 * @throws StepFailure `delivery`
 */
export async function deliverEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
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
      if (entry.cancelledAtMs === undefined) counts.cancelled += 1;
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
  said: Pick<Extract<EntryDelivery, { state: 'refused' }>, 'reason' | 'detail'> & { readonly signed: SignedEntry },
): ResponderEntry {
  const { signed, reason } = said;
  noteProblem(core, { kind: 'delivery', requestId: entry.requestId, cause: `refused: ${reason}` });
  const detail = said.detail.slice(0, MAX_DETAIL_CHARS);
  return deliveredEntry(entry, signed.answer.answerId, {
    state: 'refused',
    atMs: core.clock.nowMs(),
    reason,
    detail,
  });
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
