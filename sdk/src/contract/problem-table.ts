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

/** Status and title of every problem of the contract. @see RFC 9457; RFC 9110 section 15 */
export const PROBLEM_KINDS: Readonly<Record<ProblemCode, ProblemKind>> = {
  'invalid-body': {
    status: 400,
    title: 'The body is not in the form of the contract',
    remedy: 'Put right the places that errors names.',
  },
  'invalid-parameter': {
    status: 400,
    title: 'A parameter is not in the form of the contract',
    remedy: 'Put right the parameters that errors names.',
  },
  unauthenticated: { status: 401, title: 'No valid token', remedy: 'Get a token, and send the call once more.' },
  forbidden: {
    status: 403,
    title: 'The token does not reach as far',
    remedy: 'Ask the platform for the scope, or the organization that the resource belongs to.',
  },
  'not-found': { status: 404, title: 'There is none that the caller may see', remedy: 'Check the id.' },
  conflict: {
    status: 409,
    title: 'What is there already does not allow it',
    remedy: 'Fetch what is there; the same call fails again.',
  },
  'request-cancelled': { status: 409, title: 'No answer is wanted any longer', remedy: 'Give the request up.' },
  'answer-out-of-sequence': {
    status: 409,
    title: 'The revision does not follow the last answer',
    remedy: 'Fetch the answers that are there, and amend the last one.',
  },
  'demand-not-open': {
    status: 409,
    title: 'There is a decision about the demand already',
    remedy: 'Fetch the demand.',
  },
  'production-not-ready': { status: 409, title: 'The production is being prepared', remedy: 'Wait for its event.' },
  gone: { status: 410, title: 'It is not kept any longer', remedy: 'Do not ask again.' },
  'too-large': { status: 413, title: 'The body is too large', remedy: 'Send less at once.' },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of a type that is not taken here',
    remedy: 'Send one of the types of the contract.',
  },
  'answer-signature-invalid': {
    status: 422,
    title: 'The signature of the answer does not verify',
    remedy: 'Sign with a key that is registered for the provider, named by kid.',
  },
  'answer-mismatch': {
    status: 422,
    title: 'The answer is of another request or provider, or mixes companies',
    remedy: 'Send it to the request that it names, and name each provider as the registry does.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The key came with another body before',
    remedy: 'Use a new key for a new call.',
  },
  'document-unreadable': {
    status: 422,
    title: 'The document is no PDF, or not the one that was stated',
    remedy: 'Send the PDF whose SHA-256 the structured part states.',
  },
  'scope-unusable': {
    status: 422,
    title: 'The scope ends before it begins',
    remedy: 'Correct `from` or `to` of the scope, and send the demand or decision again.',
  },
  'webhook-url-refused': {
    status: 422,
    title: 'The platform will not post to this address',
    remedy: 'Name an https: address on the open Internet.',
  },
  'rate-limited': { status: 429, title: 'Too many calls', remedy: 'Wait as long as Retry-After says.' },
  internal: { status: 500, title: 'Trouble at the platform', remedy: 'Send the same call once more, later.' },
  // Not 409, which says that the same call fails again: a batch that is sent again too soon would be given up.
  'idempotency-in-progress': {
    status: 503,
    title: 'The first call with this key is still worked on',
    remedy: 'Wait as long as Retry-After says, and send the same call once more.',
  },
  unavailable: { status: 503, title: 'The platform is not able to', remedy: 'Send the same call once more, later.' },
};

/** What every route with a token may answer, whatever else. */
export const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'unauthenticated',
  'forbidden',
  'rate-limited',
  'internal',
  'unavailable',
];
