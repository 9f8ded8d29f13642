import { formatSipDate, readSipDate } from '../verification/sip-date.js';
import { refused } from './signing-outcome.js';
import type { RefusedSigning } from './signing-outcome.js';
import type { SigningRequest } from './signing-request.js';

/** How far a Date that a request has may be from the present, seconds, to be left as it is. @see RFC 8224 section 6.1 step 3 */
export const MAX_DATE_SKEW_SECONDS = 60;

/**
 * How far an `iat` that a request asks for may be from the present, seconds. Verifiers give a PASSporT sixty from its `iat` on
 * (RFC 8224 section 6.2): the other half remains for the call to get there, and for clocks that differ.
 */
export const MAX_IAT_SKEW_SECONDS = 30;

/** When and under which name a PASSporT is issued, and the Date that goes with it. */
export type Issue =
  | {
      readonly status: 'issued';
      readonly iatSeconds: number;
      /** A UUID. */
      readonly origId: string;
      /** Value that the Date header must get; undefined when the request has one that is right. */
      readonly date: string | undefined;
    }
  | RefusedSigning;

/** What the issue of a PASSporT needs of its service. */
export interface IssueContext {
  readonly randomUuid: () => string;
  /** A Date header value. @param epochSeconds - the instant */
  readonly sipDate: (epochSeconds: number) => string;
}

/**
 * Decides when and under which origid a PASSporT is issued.
 * @param request - may ask for both, and have a Date
 * @param nowMs - milliseconds since the epoch, finite
 * @param context - ids and dates
 * @returns the issue, or why there is none; never throws
 * @see RFC 8224 section 6.1 step 3, RFC 8588 section 5
 */
export function issueOf(request: SigningRequest, nowMs: number, context: IssueContext): Issue {
  const nowSeconds = Math.floor(nowMs / 1000);
  const iatSeconds = ('iatSeconds' in request ? request.iatSeconds : undefined) ?? nowSeconds;
  // Not "greater than": a number that is none at all must not pass.
  if (!(Number.isInteger(iatSeconds) && Math.abs(iatSeconds - nowSeconds) <= MAX_IAT_SKEW_SECONDS)) {
    const values = { expected: String(nowSeconds), actual: printable(iatSeconds) };
    return refused(
      'iat-not-current',
      `The time of issue is more than ${String(MAX_IAT_SKEW_SECONDS)} s from now.`,
      values,
    );
  }
  const origId = origIdOf(request, context.randomUuid);
  if (typeof origId !== 'string') return origId;
  const dateSeconds = typeof request.date === 'string' ? readSipDate(request.date) : undefined;
  const isDateRight = dateSeconds !== undefined && Math.abs(dateSeconds - nowSeconds) <= MAX_DATE_SKEW_SECONDS;
  return { status: 'issued', iatSeconds, origId, date: isDateRight ? undefined : context.sipDate(iatSeconds) };
}

/**
 * Tells whether a value is a UUID in its usual spelling.
 * @param value - anything
 * @returns whether it is; never throws
 * @see RFC 9562 section 4
 */
export function isUuid(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== UUID_CHARS) return false;
  // By hand: it is asked in every call, and a regular expression takes several times as long.
  for (let at = 0; at < UUID_CHARS; at += 1) {
    const code = value.charCodeAt(at);
    const isHyphen = at === 8 || at === 13 || at === 18 || at === 23;
    if (isHyphen ? code !== HYPHEN : !isHexDigit(code)) return false;
  }
  return true;
}

/**
 * Makes a function that writes Date values, and remembers the last one: all calls of one second have the same.
 * @returns the function, of epoch seconds
 * @see RFC 3261 section 20.17
 */
export function rememberedSipDate(): (epochSeconds: number) => string {
  let lastSeconds = Number.NaN;
  let lastDate = '';
  return (epochSeconds) => {
    if (epochSeconds !== lastSeconds) {
      lastDate = formatSipDate(epochSeconds);
      lastSeconds = epochSeconds;
    }
    return lastDate;
  };
}

const UUID_CHARS = 36;
const HYPHEN = 0x2d;

/** In either case. */
function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** Looked at in every call: a generator can break long after it was tried, and what it makes is signed. */
function origIdOf(request: SigningRequest, randomUuid: () => string): string | RefusedSigning {
  const given = request.origId;
  if (given !== undefined) {
    return isUuid(given) ? given : refused('request-invalid', 'The origid is not a UUID.', { expected: 'a UUID' });
  }
  const made = attempted(randomUuid);
  return isUuid(made) ? made : refused('orig-id-unusable', 'randomUuid made no UUID.', { expected: 'a UUID' });
}

function attempted(randomUuid: () => unknown): unknown {
  try {
    return randomUuid();
  } catch {
    return undefined;
  }
}

const printable = (value: unknown): string => (typeof value === 'number' ? String(value) : `a ${typeof value}`);
