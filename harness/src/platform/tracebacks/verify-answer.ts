import type { KeyObject } from 'node:crypto';
import type { WireBodies } from '@hopback/sdk/platform';
import type { PlatformProblem } from '@hopback/sdk/internal';
import {
  ANSWER_RECEIPT_JWS_TYPE,
  MAX_ANSWER_JWS_CHARS,
  problemAnswer,
  readWireBody,
  TRACEBACK_ANSWER_JWS_TYPE,
  answerSha256,
} from '@hopback/sdk/internal';
import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import type { TracebackAnswer } from '@hopback/sdk/traceback';
import type { RegisteredProvider } from '../core/index.js';
import type { VerifyingKey } from './compact-jws.js';
import { createJwsSigner, isSignedBy, readCompactJws, verifyingKey } from './compact-jws.js';

type AnswerReceipt = WireBodies['AnswerReceipt'];

type AnswerSubmission = WireBodies['AnswerSubmission'];

/** An answer that was believed, and the characters that it came in. */
export interface VerifiedAnswer {
  readonly answer: TracebackAnswer;
  readonly jws: string;
  /** Of the JWS, lower-case hex. */
  readonly sha256: string;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Verifies answers of providers. */
export type AnswerVerifier = ReturnType<typeof createAnswerVerifier>;

/** Makes the verifier. It never throws for peer input. */
export function createAnswerVerifier() {
  /** Keys, for as long as the registry is remembered that they are in. */
  const keys = new WeakMap<object, VerifyingKey | 'none'>();
  const keyOf = (jwk: Readonly<Record<string, unknown>>): VerifyingKey | undefined => {
    const known = keys.get(jwk) ?? verifyingKey(jwk) ?? 'none';
    keys.set(jwk, known);
    return known === 'none' ? undefined : known;
  };
  return (
    { answer: jws, evidence }: AnswerSubmission,
    provider: RegisteredProvider,
    atMs: number,
  ): VerifiedAnswer | PlatformProblem => {
    if (jws.length > MAX_ANSWER_JWS_CHARS) return problemAnswer('too-large');
    const read = readCompactJws(jws);
    const stated = provider.answerKeys.find(
      ({ jwk, untilMs }) => jwk['kid'] === read?.header['kid'] && (untilMs === undefined || atMs < untilMs),
    );
    const key = stated?.jwk['kid'] === undefined ? undefined : keyOf(stated.jwk);
    const isType = read?.header['typ'] === TRACEBACK_ANSWER_JWS_TYPE;
    if (read === undefined || key === undefined || !isType || !isSignedBy(read, key))
      return problemAnswer('answer-signature-invalid');
    let payload: unknown;
    try {
      payload = JSON.parse(UTF8.decode(read.payload));
    } catch {
      return problemAnswer('answer-signature-invalid');
    }
    const { value, errors } = readWireBody(WIRE_SCHEMAS.TracebackAnswer, payload);
    if (value === undefined)
      return problemAnswer('invalid-body', {
        errors: errors.map(({ pointer, code }) => ({ pointer: `/answer${pointer}`, code })),
      });
    const answer = value as TracebackAnswer;
    if (evidence !== undefined && (evidence.answerId !== answer.answerId || evidence.requestId !== answer.requestId))
      return problemAnswer('answer-mismatch', { detail: 'The evidence is of another answer.' });
    return { answer, jws, sha256: answerSha256(jws) };
  };
}

/**
 * Makes a signer of receipts of a key in this process.
 * @param key - private key with its id, as carriers know it from the platform's key set
 * @see RFC 7515 section 7.1, RFC 8725 section 3.11
 */
export function createReceiptSigner(key: {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly algorithm: 'ES256' | 'EdDSA';
}): (receipt: AnswerReceipt) => string {
  const { keyId, privateKey, algorithm } = key;
  return createJwsSigner({ alg: algorithm, kid: keyId, typ: ANSWER_RECEIPT_JWS_TYPE }, privateKey);
}
