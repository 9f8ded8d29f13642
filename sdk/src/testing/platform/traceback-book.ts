import { createHash } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';
import type { ProviderReference } from '../../contract/common.js';
import type { Traceback, TracebackOpening, TracebackRequestStatus } from '../../platform/index.js';
import type {
  SignedReceipt,
  AnswerSubmission,
  AnswerReceipt,
  TracebackAnswer,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import type { TracebackHopState, TracebackHop } from '../../contract/traceback.js';
import { viewTraceback } from '../../traceback/lifecycle/traceback-view.js';
import type { TracebackState } from '../../traceback/lifecycle/traceback-state.js';
import type { HopView, TracebackView } from '../../traceback/lifecycle/traceback-view.js';
import { createTestKey } from '../test-key.js';
import type { TestKey } from '../test-key.js';
import type { RegisteredProvider } from './registered-clients.js';
import {
  ANSWER_RECEIPT_JWS_TYPE,
  TRACEBACK_ANSWER_JWS_TYPE,
  MAX_ANSWER_JWS_CHARS,
} from '../../contract/traceback-exchange.js';
import type { PlatformProblem } from '../../contract/platform-answer.js';
import { problemAnswer } from '../../contract/platform-answer.js';
import { readWireBody } from '../../contract/read-platform-request.js';
import { WIRE_SCHEMAS } from '../../contract/bodies.js';

/** An answer that was believed, and the bytes that it came in. */
export interface VerifiedAnswer {
  readonly answer: TracebackAnswer;
  readonly jws: string;
  /** Of the JWS, lower-case hex. */
  readonly sha256: string;
}

/** Verifies answers, and signs receipts. */
export type KitAnswers = ReturnType<typeof createKitAnswers>;

const RECEIPT_KEY_ID = 'test-platform-receipts';

/** Has a key of its own. */
export function createKitAnswers() {
  const key = createTestKey();
  const other = createTestKey();
  return {
    /** The platform's public keys: for `createReceiptVerifier`. */
    keys: { keys: [{ ...key.publicKeyJwk, kid: RECEIPT_KEY_ID, alg: 'ES256', use: 'sig' }] },
    verify,
    receipt: async (receipt: AnswerReceipt): Promise<SignedReceipt> => ({
      answerId: receipt.answerId,
      receipt: await signedReceipt(Buffer.from(JSON.stringify(receipt)), key),
    }),
    /** The same receipt, signed with a key that does not belong to the platform. */
    forged: async ({ answerId, receipt }: SignedReceipt): Promise<SignedReceipt> => ({
      answerId,
      receipt: await signedReceipt(Buffer.from(receipt.split('.')[1] ?? '', 'base64url'), other),
    }),
  };
}

function signedReceipt(payload: Uint8Array, { privateKey }: TestKey): Promise<string> {
  return new CompactSign(payload)
    .setProtectedHeader({ alg: 'ES256', kid: RECEIPT_KEY_ID, typ: ANSWER_RECEIPT_JWS_TYPE })
    .sign(privateKey);
}

/** Signs an answer as its provider does. */
export function signedAnswer(answer: TracebackAnswer, provider: RegisteredProvider): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(answer)))
    .setProtectedHeader({ alg: 'ES256', kid: provider.answerKeyId, typ: TRACEBACK_ANSWER_JWS_TYPE })
    .sign(provider.answerKey.privateKey);
}

async function verify(
  { answer: jws, evidence }: AnswerSubmission,
  provider: RegisteredProvider,
): Promise<VerifiedAnswer | PlatformProblem> {
  if (jws.length > MAX_ANSWER_JWS_CHARS) return problemAnswer('too-large');
  let payload: unknown;
  try {
    const verified = await compactVerify(
      jws,
      ({ kid, typ }) => {
        if (kid !== provider.answerKeyId) throw new Error('another key');
        if (typ !== TRACEBACK_ANSWER_JWS_TYPE) throw new Error('another type');
        return provider.answerKey.publicKey;
      },
      { algorithms: ['ES256', 'ES384', 'EdDSA'] },
    );
    payload = JSON.parse(Buffer.from(verified.payload).toString('utf8'));
  } catch {
    return problemAnswer('answer-signature-invalid');
  }
  const { value, errors, surplus } = readWireBody(WIRE_SCHEMAS.TracebackAnswer, payload);
  const wrong = [...errors, ...surplus].map(({ pointer, code }) => ({ pointer: `/answer${pointer}`, code }));
  if (value === undefined || wrong.length > 0) return problemAnswer('invalid-body', { errors: wrong });
  const answer = value as TracebackAnswer;
  if (evidence !== undefined && (evidence.answerId !== answer.answerId || evidence.requestId !== answer.requestId))
    return problemAnswer('answer-mismatch', { detail: 'The evidence is of another answer.' });
  return { answer, jws, sha256: createHash('sha256').update(jws).digest('hex') };
}

/** An answer as the platform has it. */
export interface StoredAnswer extends VerifiedAnswer {
  readonly provider: RegisteredProvider;
  /** RFC 3339 in UTC. */
  readonly receivedAt: string;
  readonly isLate: boolean;
}

/** A request that went out, and what was said to it. */
export interface RequestRecord {
  readonly place: number;
  readonly request: TracebackRequest;
  readonly provider: RegisteredProvider;
  readonly dueAtMs: number;
  acknowledgedAt?: string;
  cancelled?: { readonly cancelledAt: string; readonly reason: string };
  reminders: number;
  readonly answers: StoredAnswer[];
}

/** A traceback with all that the platform keeps of it. */
export interface TracebackRecord {
  readonly place: number;
  readonly tracebackId: string;
  readonly opening: TracebackOpening;
  readonly openedBy?: string;
  readonly openedAtMs: number;
  updatedAtMs: number;
  state: TracebackState;
  readonly requests: RequestRecord[];
}

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** A request as its provider sees it. */
export function statusOf({
  request,
  dueAtMs,
  acknowledgedAt,
  cancelled,
  answers,
}: RequestRecord): TracebackRequestStatus {
  const received = answers.map(({ answer: { answerId, revision }, receivedAt }) => ({
    answerId,
    revision,
    receivedAt,
  }));
  const state =
    received.length > 0
      ? 'answered'
      : cancelled !== undefined
        ? 'cancelled'
        : acknowledgedAt !== undefined
          ? 'acknowledged'
          : 'open';
  return {
    request,
    state,
    dueAt: iso(dueAtMs),
    ...(acknowledgedAt !== undefined && { acknowledgedAt }),
    ...(cancelled !== undefined && { cancelled }),
    answers: received,
  };
}

/**
 * A traceback as it crosses the wire.
 * @param record - what the platform has
 * @param viewer - id of the provider that is shown it: of the hops it sees its own and those beside it, and of who was named only what
 * concerns it. Absent: all is shown, as to staff.
 */
export function tracebackOf(record: TracebackRecord, viewer?: string): Traceback {
  const { tracebackId, opening, openedAtMs, updatedAtMs } = record;
  const view = viewTraceback(record.state);
  const hops = hopsOf(record, view);
  const own = hops.filter(({ provider }) => provider.providerId === viewer).map(({ hop }) => hop);
  const isShown = ({ hop }: TracebackHop): boolean => own.some((mine) => Math.abs(mine - hop) <= 1);
  return {
    format: 'hopback.traceback.1',
    tracebackId,
    direction: opening.direction,
    ...standing(view, updatedAtMs),
    requester: opening.requester ?? { kind: 'itg', name: 'Test traceback group' },
    ...(opening.campaign !== undefined && { campaign: opening.campaign }),
    call: opening.call,
    openedAt: iso(openedAtMs),
    updatedAt: iso(updatedAtMs),
    hops: viewer === undefined ? hops : hops.filter(isShown).map((hop) => withoutOthers(hop, viewer)),
  };
}

function standing(
  { status, outcome }: TracebackView,
  updatedAtMs: number,
): Pick<Traceback, 'state' | 'outcome' | 'closedAt'> {
  const reached = outcome === undefined ? {} : { outcome: outcome.kind };
  const closedAt = iso(updatedAtMs);
  if (status === 'cancelled') return { state: 'withdrawn', closedAt };
  if (status !== 'closed' && status !== 'concluded') return { state: 'open', ...reached };
  return { state: 'closed', ...reached, closedAt };
}

function hopsOf({ requests }: TracebackRecord, view: TracebackView): readonly TracebackHop[] {
  return [...view.path, ...view.left]
    .flatMap((hop) => {
      const record = requests.find(({ request }) => request.requestId === hop.requestId);
      const provider = record?.request.provider ?? hop.provider;
      return hop.state === 'planned' || provider === undefined ? [] : [hopOf(hop, hop.state, { provider, record })];
    })
    .sort((one, other) => one.hop - other.hop);
}

function hopOf(
  { hop, requestId, current }: HopView,
  state: TracebackHopState,
  { provider, record }: { readonly provider: ProviderReference; readonly record: RequestRecord | undefined },
): TracebackHop {
  const last = record?.answers.at(-1);
  const customerAction = current?.callerAction ?? current?.upstreamAction;
  return {
    hop,
    requestId,
    provider,
    state,
    ...(record !== undefined && { issuedAt: record.request.issuedAt, dueAt: iso(record.dueAtMs) }),
    ...(last !== undefined && { answeredAt: last.receivedAt, answerId: last.answer.answerId }),
    ...(last !== undefined && { arm: last.answer.finding.arm }),
    ...(current?.upstream !== undefined && { upstream: current.upstream }),
    ...(customerAction !== undefined && { customerAction }),
  };
}

/** Hand-off details are for the two sides of the hand-off alone. */
function withoutOthers(hop: TracebackHop, viewer: string): TracebackHop {
  const { upstream, ...rest } = hop;
  const isConcerned = hop.provider.providerId === viewer || upstream?.providerId === viewer;
  return isConcerned ? hop : rest;
}
