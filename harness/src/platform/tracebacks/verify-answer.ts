import { createHash } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import {
  MAX_ANSWER_JWS_CHARS,
  problemAnswer,
  readWireBody,
  TRACEBACK_ANSWER_JWS_TYPE,
  WIRE_SCHEMAS,
} from '@hopback/sdk/platform';
import type { AnswerSubmission, PlatformProblem } from '@hopback/sdk/platform';
import type { TracebackAnswer } from '@hopback/sdk/traceback';
import type { RegisteredProvider } from '../core/index.js';

/** An answer that was believed, and the characters that it came in. */
export interface VerifiedAnswer {
  readonly answer: TracebackAnswer;
  readonly jws: string;
  /** Of the JWS, lower-case hex. */
  readonly sha256: string;
}

/** What answers may be signed with: the contract says ES256 or EdDSA, and larger curves are no weaker. RFC 8725 section 3.1 */
const ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'Ed25519'];

/** Verifies answers of providers. */
export type AnswerVerifier = (
  submission: AnswerSubmission,
  signer: { readonly provider: RegisteredProvider; readonly atMs: number },
) => Promise<VerifiedAnswer | PlatformProblem>;

/** Keys that were imported last: one for each provider of the registry, and room. */
const REMEMBERED_KEYS = 10_000;

type Key = Awaited<ReturnType<typeof importJWK>>;

/** Makes the verifier. It never throws for peer input. */
export function createAnswerVerifier(): AnswerVerifier {
  const keys = new Map<string, Key>();
  const imported = async (jwk: Readonly<Record<string, unknown>>): Promise<Key> => {
    const text = JSON.stringify(jwk);
    const known = keys.get(text);
    if (known !== undefined) return known;
    const key = await importJWK(jwk, typeof jwk['alg'] === 'string' ? jwk['alg'] : algorithmOf(jwk));
    if (keys.size >= REMEMBERED_KEYS) keys.clear();
    keys.set(text, key);
    return key;
  };
  return async ({ answer: jws, evidence }, { provider, atMs }) => {
    if (jws.length > MAX_ANSWER_JWS_CHARS) return problemAnswer('too-large');
    let payload: unknown;
    try {
      const verified = await compactVerify(
        jws,
        ({ kid, typ }) => {
          if (typ !== TRACEBACK_ANSWER_JWS_TYPE) throw new TypeError('another type');
          const key = provider.answerKeys.find(
            ({ jwk, untilMs }) => jwk['kid'] === kid && (untilMs === undefined || atMs < untilMs),
          );
          if (kid === undefined || key === undefined) throw new TypeError('another key');
          return imported(key.jwk);
        },
        { algorithms: ALGORITHMS },
      );
      payload = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(verified.payload));
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
    return { answer, jws, sha256: createHash('sha256').update(jws).digest('hex') };
  };
}

/** By the curve, where a key does not say it. RFC 7518 section 3.4, RFC 8037 section 3.1 */
function algorithmOf({ crv }: Readonly<Record<string, unknown>>): string {
  return crv === 'P-256' ? 'ES256' : crv === 'P-384' ? 'ES384' : 'EdDSA';
}
