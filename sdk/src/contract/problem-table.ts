import type { ProblemCode } from './common.js';

/** What a code means over HTTP. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What whoever gets it can do. */
  readonly remedy: string;
}

/** Authority and date of the URIs that name kinds of problems. They are names, and lead nowhere. @see RFC 4151; RFC 9457 section 4 */
const PROBLEM_TYPE_PREFIX = 'tag:hopback.org,2026:problem/';

/**
 * URI that names a kind of problem, the `type` of its document. Never throws.
 * @param code - of the kind
 * @returns a tag URI
 * @see RFC 9457 section 3.1.1, RFC 4151
 * @example
 * ```ts
 * console.log(problemType('not-found')); // tag:hopback.org,2026:problem/not-found
 * ```
 */
export function problemType(code: ProblemCode): string {
  return `${PROBLEM_TYPE_PREFIX}${code}`;
}

const kind = (status: number, title: string, remedy: string): ProblemKind => ({ status, title, remedy });

/** Status and title of every problem of the contract. @see RFC 9457; RFC 9110 section 15 */
export const PROBLEM_KINDS: Readonly<Record<ProblemCode, ProblemKind>> = {
  'invalid-body': kind(400, 'The body does not match the contract', 'Correct the places listed in errors.'),
  'invalid-parameter': kind(400, 'A parameter does not match the contract', 'Correct the parameters listed in errors.'),
  unauthenticated: kind(401, 'No valid token', 'Get a token, then send the call again.'),
  forbidden: kind(
    403,
    'The token does not cover this call',
    'Ask the platform for the scope, or ask the organization that owns the resource.',
  ),
  'not-found': kind(404, 'It does not exist, or the caller may not see it', 'Check the id.'),
  conflict: kind(
    409,
    'The request conflicts with what is stored',
    'Fetch the stored state first. The same call will fail again.',
  ),
  'request-cancelled': kind(409, 'The answer is no longer needed', 'Stop working on the request.'),
  'answer-out-of-sequence': kind(
    409,
    'The revision does not follow the last answer',
    'Fetch the stored answers, and amend the last one.',
  ),
  'demand-not-open': kind(409, 'The demand has already been decided', 'Fetch the demand.'),
  'production-not-ready': kind(409, 'The production is being prepared', 'Wait for its event.'),
  gone: kind(410, 'It is no longer kept', 'Do not ask again.'),
  'too-large': kind(413, 'The body is too large', 'Send less at once.'),
  'unsupported-media-type': kind(
    415,
    'The media type of the body is not supported',
    'Use a media type from the contract.',
  ),
  'answer-signature-invalid': kind(
    422,
    'The signature of the answer does not verify',
    'Sign with a key that is registered for the provider, named by kid.',
  ),
  'answer-mismatch': kind(
    422,
    'The answer is for another request or provider, or mixes companies',
    'Send it to the request that it names, and name each provider as the registry does.',
  ),
  'idempotency-key-reused': kind(422, 'The key was already used with another body', 'Use a new key for a new call.'),
  'document-unreadable': kind(
    422,
    'The document is not a PDF, or not the one stated',
    'Send the PDF whose SHA-256 the structured part states.',
  ),
  'scope-unusable': kind(
    422,
    'The scope ends before it begins',
    'Correct `from` or `to` of the scope, and send the demand or decision again.',
  ),
  'webhook-url-refused': kind(
    422,
    'The platform will not post to this address',
    'Use an https: address on the public Internet.',
  ),
  'rate-limited': kind(429, 'Too many calls', 'Wait as long as Retry-After says.'),
  internal: kind(500, 'Internal error at the platform', 'Send the same call again later.'),
  // Not 409, which says that the same call fails again: a batch that is sent again too soon would be given up.
  'idempotency-in-progress': kind(
    503,
    'The first call with this key is still in progress',
    'Wait as long as Retry-After says, then send the same call again.',
  ),
  unavailable: kind(503, 'The platform cannot handle the request now', 'Send the same call again later.'),
};

/** What every route with a token may answer, whatever else. */
export const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'unauthenticated',
  'forbidden',
  'rate-limited',
  'internal',
  'unavailable',
];
