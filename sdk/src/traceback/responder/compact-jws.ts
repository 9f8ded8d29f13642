import { createHash } from 'node:crypto';
import type { TracebackAnswer } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import { MAX_ANSWER_JWS_CHARS, TRACEBACK_ANSWER_JWS_TYPE } from '../../platform/wire/traceback-exchange.js';
import type { AnswerSigner } from './answer-signer.js';

/**
 * Signs an answer as a compact JWS. The `typ` says what it is, so that no other thing that the provider signed can be taken for it.
 * @param answer - what is said
 * @param signer - with the key that answers are signed with
 * @returns header, payload and signature in base64url, with points between
 * @throws {@link HopbackError} `signer-failed` where the signer refuses; `invalid-argument` for an answer longer than a platform has to take
 * @see RFC 7515 section 7.1, RFC 8725 section 3.11
 * @example
 * ```ts
 * const { privateKeyPem } = createTestKey();
 * const signer = await createLocalAnswerSigner({ privateKeyPem, keyId: 'answers-2026' });
 * const answer: TracebackAnswer = {
 *   format: 'hopback.traceback-answer.1', answerId: 'a-1', requestId: 'r-1', tracebackId: 't-1', revision: 1,
 *   answeredAt: '2026-11-02T16:00:00Z', provider: { name: 'Example Telecom LLC' }, answeredBy: { kind: 'automatic', policyId: 'p' },
 *   finding: { arm: 'not-found' }, searched: { windows: [], keys: [], coverage: [], recordsConsidered: 0 },
 * };
 * console.log((await signAnswer(answer, signer)).split('.').length); // 3
 * ```
 */
export async function signAnswer(answer: TracebackAnswer, signer: AnswerSigner): Promise<string> {
  const header = { alg: signer.algorithm, kid: signer.keyId, typ: TRACEBACK_ANSWER_JWS_TYPE };
  const input = `${base64url(header)}.${base64url(answer)}`;
  let signature: Uint8Array;
  try {
    signature = await signer.sign(Buffer.from(input));
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    throw new HopbackError('signer-failed', 'the signer of answers did not sign', { retryable: true, cause });
  }
  const jws = `${input}.${Buffer.from(signature).toString('base64url')}`;
  if (jws.length <= MAX_ANSWER_JWS_CHARS) return jws;
  throw new HopbackError('invalid-argument', `an answer has at most ${String(MAX_ANSWER_JWS_CHARS)} characters`);
}

/**
 * The hash by which a receipt names what was submitted. Never throws.
 * @param jws - compact JWS of an answer, as it was sent
 * @returns SHA-256 of its characters, lower-case hex
 * @see FIPS 180-4
 * @example
 * ```ts
 * console.log(answerSha256('e30.e30.AA').length); // 64
 * ```
 */
export function answerSha256(jws: string): string {
  return createHash('sha256').update(jws).digest('hex');
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
