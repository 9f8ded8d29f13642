import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonObject, JsonValue } from '../../core/json-text.js';
import { HopbackError } from '../../errors.js';
import type { HopbackErrorCode } from '../../errors.js';
import { retryAfterMs, retryClassOf } from '../retry.js';
import type { UnreadableReason } from './platform-call.js';

/** Why one attempt came to nothing. */
export interface CallFailure {
  readonly code: HopbackErrorCode;
  /** The same call may succeed if it is made again. */
  readonly isPassing: boolean;
  /** More closely than `code`, as a word. */
  readonly reason: string;
  readonly httpStatus?: number;
  /** What the platform calls the exchange in its logs. */
  readonly requestId?: string;
  /** Of the problem document. */
  readonly problemCode?: string;
  /** Of the problem document, for people. */
  readonly detail?: string;
  /** Where in the body that was sent, or in the answer, something is not in its form. */
  readonly place?: string;
  /** How long the platform asks to be left alone. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Octets of a problem document that are read: more than it takes to name fifty places. */
export const MAX_PROBLEM_BYTES = 16_384;

/** Characters of a detail, of an id or of a place that go into an error. */
const MAX_TEXT_LENGTH = 200;

const PROBLEM_JSON_LIMITS = { maxChars: MAX_PROBLEM_BYTES, maxDepth: 8, maxEntries: 1_024 };

/**
 * What a response that says no means. Never throws: a problem document that is none takes nothing from the status.
 * @param response - status and fields
 * @param body - its body, cut at {@link MAX_PROBLEM_BYTES}
 * @param nowMs - milliseconds since the epoch, which a Retry-After date is held against
 * @see RFC 9457, RFC 9110 section 15
 */
export function failureOfResponse(response: Response, body: Uint8Array, nowMs: number): CallFailure {
  const { status: httpStatus, headers } = response;
  const problem = problemOf(body);
  const requestId = requestIdOf(response) ?? wordIn(problem, 'httpRequestId', /^[!-~]{1,200}$/);
  const waitMs = retryAfterMs(headers.get('retry-after'), nowMs);
  const detail = textIn(problem, 'detail');
  const place = placeOf(problem);
  const problemCode = wordIn(problem, 'code', /^[a-z0-9][a-z0-9-]{0,63}$/);
  return {
    ...CLASSES[retryClassOf(httpStatus)],
    httpStatus,
    ...(requestId === undefined ? {} : { requestId }),
    ...(problemCode === undefined ? {} : { problemCode }),
    ...(detail === undefined ? {} : { detail }),
    ...(place === undefined ? {} : { place }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  };
}

/** What the platform calls the exchange; undefined where it does not say, or says what no log should hold. Never throws. */
export function requestIdOf(response: Response): string | undefined {
  const value = response.headers.get('request-id');
  return value !== null && /^[!-~]{1,200}$/.test(value) ? value : undefined;
}

/** A response that says yes in no form of the contract. It is not asked again: the next answer would be in the same. */
export function failureOfReading(
  response: Response,
  reading: { readonly reason: UnreadableReason; readonly place?: string },
): CallFailure {
  const requestId = requestIdOf(response);
  return {
    ...{ code: 'response-unreadable', isPassing: false, reason: reading.reason, httpStatus: response.status },
    ...(requestId === undefined ? {} : { requestId }),
    ...(reading.place === undefined ? {} : { place: maskedDigits(reading.place) }),
  };
}

/** The error that a caller gets for the last failure of a call. */
export function errorOfFailure(
  failure: CallFailure,
  { method, route, attempts }: { readonly method: string; readonly route: string; readonly attempts: number },
): HopbackError {
  const { code, isPassing, reason, httpStatus, requestId, problemCode, detail, place, cause } = failure;
  const what = [httpStatus, problemCode ?? reason].filter((part) => part !== undefined).join(' ');
  const where = place === undefined ? '' : ` at "${place}"`;
  const which = requestId === undefined ? '' : ` (request ${requestId})`;
  return new HopbackError(code, `${method} ${route}: ${SAYINGS[code] ?? code}: ${what}${where}${which}`, {
    retryable: isPassing,
    cause,
    details: {
      ...{ method, route, attempts, reason },
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(problemCode === undefined ? {} : { problemCode }),
      ...(detail === undefined ? {} : { detail }),
      ...(place === undefined ? {} : { place }),
      ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
    },
  });
}

const SAYINGS: Readonly<Partial<Record<HopbackErrorCode, string>>> = {
  'network-failed': 'no answer of the platform',
  unavailable: 'the platform cannot answer now',
  unauthorized: 'the platform refuses the credential',
  'request-refused': 'the platform refuses the request',
  'response-unreadable': 'the answer is in no form of the contract',
};

type ClassOfFailure = Pick<CallFailure, 'code' | 'isPassing' | 'reason'>;

/** `done` among them: a status of 2xx that nobody asked for comes to the same as an answer that cannot be read. */
const CLASSES: Readonly<Record<ReturnType<typeof retryClassOf>, ClassOfFailure>> = {
  done: { code: 'response-unreadable', isPassing: false, reason: 'schema-drift' },
  retry: { code: 'unavailable', isPassing: true, reason: 'unavailable' },
  refused: { code: 'request-refused', isPassing: false, reason: 'refused' },
  'too-large': { code: 'request-refused', isPassing: false, reason: 'too-large' },
  unauthorized: { code: 'unauthorized', isPassing: false, reason: 'credential-refused' },
  misdirected: { code: 'request-refused', isPassing: false, reason: 'misdirected' },
};

function problemOf(body: Uint8Array): JsonObject | undefined {
  const reading = parseBoundedJson(Buffer.from(body).toString('utf8'), PROBLEM_JSON_LIMITS);
  return reading.status === 'parsed' ? objectIn(reading.value) : undefined;
}

function objectIn(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function wordIn(object: JsonObject | undefined, name: string, form: RegExp): string | undefined {
  const value = object?.[name];
  return typeof value === 'string' && form.test(value) ? value : undefined;
}

function textIn(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  if (typeof value !== 'string' || value === '') return undefined;
  return maskedDigits(value.slice(0, MAX_TEXT_LENGTH).replaceAll(/[\p{Cc}\p{Cf}]/gu, ' '));
}

function placeOf(problem: JsonObject | undefined): string | undefined {
  const errors = problem?.['errors'];
  return Array.isArray(errors) ? textIn(objectIn((errors as readonly JsonValue[])[0]), 'pointer') : undefined;
}

/** The contract keeps telephone numbers out of problems; a platform that does not must not get them into our logs. */
function maskedDigits(text: string): string {
  return text.replaceAll(/\d{7,}/g, (digits) => 'X'.repeat(digits.length));
}
