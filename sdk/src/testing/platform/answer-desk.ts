import { createHash } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';
import type { TracebackAnswer } from '../../core/traceback-request.js';
import { createTestKey } from '../test-key.js';
import type { TestKey } from '../test-key.js';
import {
  ANSWER_RECEIPT_JWS_TYPE,
  MAX_ANSWER_JWS_CHARS,
  problemAnswer,
  readWireBody,
  WIRE_SCHEMAS,
  TRACEBACK_ANSWER_JWS_TYPE,
} from '../../platform/index.js';
import type { AnswerReceipt, AnswerSubmission, PlatformProblem, SignedReceipt } from '../../platform/index.js';
import type { RegisteredProvider } from './registered-clients.js';

/** An answer that was believed, and the bytes that it came in. */
export interface VerifiedAnswer {
  readonly answer: TracebackAnswer;
  readonly jws: string;
  /** Of the JWS, lower-case hex. */
  readonly sha256: string;
}

/** A public key of the platform, as a JWK (RFC 7517). */
export type PlatformJwk = Readonly<Record<string, unknown>>;

/** Verifies answers, and signs receipts. */
export interface AnswerDesk {
  /** The platform's public keys: for `createReceiptVerifier`. */
  readonly keys: { readonly keys: readonly PlatformJwk[] };
  readonly verify: (
    submission: AnswerSubmission,
    provider: RegisteredProvider,
  ) => Promise<VerifiedAnswer | PlatformProblem>;
  readonly receipt: (receipt: AnswerReceipt) => Promise<SignedReceipt>;
  /** The same receipt under a key that is none of the platform's. */
  readonly forged: (receipt: SignedReceipt) => Promise<SignedReceipt>;
}

const RECEIPT_KEY_ID = 'test-platform-receipts';

/** Makes the desk with a key of its own. */
export function createAnswerDesk(): AnswerDesk {
  const key = createTestKey();
  const other = createTestKey();
  return {
    keys: { keys: [{ ...key.publicKeyJwk, kid: RECEIPT_KEY_ID, alg: 'ES256', use: 'sig' }] },
    verify,
    receipt: async (receipt) => ({
      answerId: receipt.answerId,
      receipt: await signedReceipt(Buffer.from(JSON.stringify(receipt)), key),
    }),
    forged: async ({ answerId, receipt }) => ({
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
