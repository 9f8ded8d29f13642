/** What can be wrong with what is sent to the record and traceback half, as a word that does not change between releases. */
export type IntakeProblemCode =
  | 'body-malformed'
  | 'body-too-large'
  | 'busy'
  | 'internal'
  | 'media-type-unknown'
  | 'not-found'
  | 'not-stored'
  | 'source-unknown';

/** By code: status and title. */
const KINDS: Readonly<Record<IntakeProblemCode, readonly [status: number, title: string]>> = {
  'body-malformed': [400, 'The body cannot be read'],
  'body-too-large': [413, 'The body is too large'],
  busy: [503, 'Too much is being taken in'],
  internal: [500, 'Something broke'],
  'media-type-unknown': [415, 'The body is of another media type'],
  'not-found': [404, 'There is no such thing here'],
  'not-stored': [503, 'It could not be stored now'],
  'source-unknown': [404, 'No such source is sent here'],
};

/** Seconds after which what was refused for want of room or of a disk may come again. */
const RETRY_AFTER_SECONDS = 5;

/**
 * A refusal as a response, `application/problem+json`.
 * @param code - what is wrong
 * @param detail - what was wrong this time, for people; without numbers of people
 * @see RFC 9457 section 3; RFC 9110 section 10.2.3 for `Retry-After`, which every 503 has
 */
export function problem(code: IntakeProblemCode, detail?: string): Response {
  const [status, title] = KINDS[code];
  const document = { type: 'about:blank', title, status, code, ...(detail === undefined ? {} : { detail }) };
  return new Response(JSON.stringify(document), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}),
    },
  });
}
