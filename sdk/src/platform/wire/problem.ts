/**
 * What can be wrong with a call of the platform, as a word that does not change between releases. Whoever receives one that he does not
 * know acts on the HTTP status: later releases may add some.
 * - `invalid-body`, `invalid-parameter`: not in the form of the contract; `errors` says where.
 * - `too-large`, `unsupported-media-type`: the body is not read at all.
 * - `unauthenticated`, `forbidden`: no valid token; a token that does not reach as far.
 * - `not-found`, `gone`: there is none, or none that the caller may see; there was one, and it is not kept any longer.
 * - `conflict`: what is there already does not allow it.
 * - `idempotency-key-reused`: the same key came with another body. `idempotency-in-progress`: with the same one, which is still worked on.
 * - `request-cancelled`: the traceback request was withdrawn, no answer is wanted.
 * - `answer-signature-invalid`: the JWS of an answer does not verify under a key of the provider that was asked.
 * - `answer-mismatch`: an answer names another request, traceback or provider than the one that it is sent for.
 * - `answer-out-of-sequence`: its `revision` does not follow the last one, or it amends another than the last one.
 * - `document-unreadable`: the PDF of a demand is none, or its bytes do not have the hash that was stated.
 * - `scope-unusable`: the scope of a demand or decision does not end later than it begins.
 * - `demand-not-open`: there is a decision about it already.
 * - `production-not-ready`: it is being prepared.
 * - `webhook-url-refused`: not an HTTPS address that the platform will post to.
 * - `rate-limited`: too many calls; `Retry-After` says when.
 * - `internal`, `unavailable`: the platform's own trouble; the same call may be made again.
 */
export type ProblemCode =
  | 'invalid-body'
  | 'invalid-parameter'
  | 'too-large'
  | 'unsupported-media-type'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'gone'
  | 'conflict'
  | 'idempotency-key-reused'
  | 'idempotency-in-progress'
  | 'request-cancelled'
  | 'answer-signature-invalid'
  | 'answer-mismatch'
  | 'answer-out-of-sequence'
  | 'document-unreadable'
  | 'scope-unusable'
  | 'demand-not-open'
  | 'production-not-ready'
  | 'webhook-url-refused'
  | 'rate-limited'
  | 'internal'
  | 'unavailable';

/** Where a body or parameter is not in its form. */
export interface ProblemLocation {
  /** JSON Pointer into the body (RFC 6901), or the name of the parameter. */
  readonly pointer: string;
  /** The rule that is broken, as a word. */
  readonly code: string;
}

/**
 * Why the platform did not do what was asked, `application/problem+json`. Holds no telephone numbers and no tokens.
 * @see RFC 9457 section 3.1
 */
export interface ProblemDetails {
  /** URI that names the kind of problem. */
  readonly type: string;
  /** The kind of problem in a few words. */
  readonly title: string;
  /** HTTP status. */
  readonly status: number;
  /** A {@link ProblemCode}, or one that a later release has added. */
  readonly code: string;
  /** What was wrong this time, for people. */
  readonly detail?: string;
  /** URI reference of this occurrence. */
  readonly instance?: string;
  /** What the platform calls this HTTP exchange in its logs; also in the field `Request-Id` of every response. */
  readonly httpRequestId?: string;
  /** Places that are not in the form of the contract. */
  readonly errors?: readonly ProblemLocation[];
}
