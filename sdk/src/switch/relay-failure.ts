import { readResponseLike } from './call-facts.js';
import type { SipResponseLike } from './call-facts.js';
import type { SipMiddleware } from './verify-identity.js';

/**
 * Header fields of a failure that are meant for the caller's side, whatever stands between. Reason and Call-Info name who blocked a call and whom to
 * turn to.
 * @see RFC 3326, RFC 8688 section 3, RFC 3261 section 20
 */
const RELAYED_FIELDS: readonly string[] = ['Reason', 'Call-Info', 'Error-Info', 'Warning', 'Retry-After'];

/**
 * Takes from a response of the callee's side what the caller's side is to have, as it came: each Reason header field as one of its own, so that
 * `603 Network Blocked` goes on unchanged. For the option `responseHeaders` of `createB2BUA`.
 * @param answer - the response that came, as drachtio-srf has it; read is `raw`, what was on the wire
 * @param options - `reasonHeaders`: Reason values of our own, as `treatment.reasonHeaders` has them, which stand behind those that came
 * @returns header fields; none where the response cannot be read. Never throws for peer input
 * @see 47 CFR 64.1200(k)(9), RFC 8688 section 3, RFC 9410 section 4
 * @example
 * ```ts
 * // As it stands in an application: srf.createB2BUA(req, res, uri, { headers, responseHeaders: relayedHeaders });
 * const raw = 'SIP/2.0 603 Network Blocked\r\nReason: SIP;cause=603;text="v=analytics1;url=https://a.example";location=LN\r\n\r\n';
 * console.log(relayedHeaders({ raw })['Reason']?.slice(0, 13)); // SIP;cause=603
 * ```
 */
export function relayedHeaders(
  answer: { readonly raw?: unknown },
  options: { readonly reasonHeaders?: readonly string[] } = {},
): Record<string, string> {
  const own = ownReasons(options.reasonHeaders);
  const read = readResponseLike(answer);
  if (read === undefined) return reasonAlone(own);
  // A redirection that names nobody leads nowhere. @see RFC 3261 section 21.3
  const names = read.status >= 300 && read.status < 400 ? [...RELAYED_FIELDS, 'Contact'] : RELAYED_FIELDS;
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = [...read.values(name), ...(name === 'Reason' ? own : [])];
      // One text with names and line ends in it: drachtio-srf would join several by commas.
      return values.length === 0 ? [] : [[name, values.join(`\r\n${name}: `)]];
    }),
  );
}

/** drachtio-srf hands over options of its own in their place. */
const ownReasons = (reasons: unknown): readonly string[] =>
  Array.isArray(reasons) ? (reasons as readonly string[]) : [];

const reasonAlone = (reasons: readonly string[]): Record<string, string> =>
  reasons.length === 0 ? {} : { Reason: reasons.join('\r\nReason: ') };

/** What is said where the other leg failed without a response. @see RFC 3261 section 21.5.1 */
const INTERNAL_ERROR = { status: 500, reasonPhrase: 'Server Internal Error' } as const;

/**
 * Ends a call as the leg towards the callee ended: the same status, 607 and 608 too, the same reason phrase, and the header fields of
 * {@link relayedHeaders}. For applications that have `passFailure: false`, or place legs by `createUAC`. A failure without a response of the peer
 * becomes 500.
 * @param response - what the caller waits for
 * @param failure - what `createUAC` or `createB2BUA` was rejected with, a response, or anything else
 * @param options - `reasonHeaders`: Reason values of our own
 * @returns whether a response was handed over; false where the caller has one, or it could not be sent. Never throws
 * @see RFC 8197, RFC 8688, 47 CFR 64.1200(k)(9)
 * @example
 * ```ts
 * // As it stands in an application: await srf.createUAC(uri, { headers }).catch((error) => relayFailure(res, error));
 * const sent: unknown[] = [];
 * const response = { send: (...parts: readonly unknown[]) => void sent.push(...parts) };
 * relayFailure(response, { status: 603, res: { raw: 'SIP/2.0 603 Network Blocked\r\n\r\n' } });
 * console.log(sent[0], sent[1]); // 603 Network Blocked
 * ```
 */
export function relayFailure(
  response: SipResponseLike,
  failure: unknown,
  options: { readonly reasonHeaders?: readonly string[] } = {},
): boolean {
  try {
    if (response.finalResponseSent === true) return false;
    const answer = answerIn(failure);
    const read = answer === undefined ? undefined : readResponseLike(answer);
    const { status, reasonPhrase } =
      read === undefined || read.status < 300 ? (statusIn(failure) ?? INTERNAL_ERROR) : read;
    const headers =
      answer === undefined ? reasonAlone(ownReasons(options.reasonHeaders)) : relayedHeaders(answer, options);
    // Without a phrase the one of the table stands.
    sendAny(response, response.send, [status, ...(reasonPhrase === '' ? [] : [reasonPhrase]), { headers }]);
    return true;
  } catch {
    return false;
  }
}

/** Of an error of drachtio-srf the response that it stands for; of a response that one. */
function answerIn(failure: unknown): { readonly raw?: unknown } | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const { res, raw } = failure as { readonly res?: unknown; readonly raw?: unknown };
  if (typeof res === 'object' && res !== null) return res;
  return typeof raw === 'string' ? { raw } : undefined;
}

function statusIn(failure: unknown): { readonly status: number; readonly reasonPhrase: string } | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const { status, reason } = failure as { readonly status?: unknown; readonly reason?: unknown };
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 300 || status > 699) return undefined;
  return { status, reasonPhrase: typeof reason === 'string' ? reason.replace(/[\r\n]/g, ' ') : '' };
}

/**
 * Phrases of statuses that the table of drachtio-srf lacks, so that its `send` throws for them.
 * @see RFC 8197, RFC 8688
 */
const UNLISTED: ReadonlyMap<number, string> = new Map([
  [607, 'Unwanted'],
  [608, 'Rejected'],
]);
/** What stands for a phrase that nobody has given. */
const ANY_FAILURE = 'Call Failed';

/** What of a response of drachtio-srf is made use of to send what its `send` refuses. */
interface AgentResponse extends SipResponseLike {
  status: number;
  reason: string;
  finished: boolean;
  readonly agent: {
    readonly sendResponse: (response: unknown, options: object, callback?: unknown, onPrack?: unknown) => void;
  };
  readonly emit: (event: 'end', told: { readonly status: number; readonly reason: string }) => unknown;
}

function isAgentResponse(response: SipResponseLike): response is AgentResponse {
  const { agent, emit } = response as Partial<AgentResponse>;
  return typeof agent?.sendResponse === 'function' && typeof emit === 'function';
}

/** Sends by the `send` of drachtio-srf, and past it what it throws for: it looks at the status before it does anything. */
function sendAny(response: SipResponseLike, send: SipResponseLike['send'], parts: readonly unknown[]): unknown {
  const wasSent = isSent(response);
  try {
    return (send as (...all: readonly unknown[]) => unknown).call(response, ...parts);
  } catch (error) {
    const [status] = parts;
    const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 300 && status <= 699;
    if (!isStatus || !isAgentResponse(response)) throw error;
    // It has gone: somebody who was told of it threw.
    if (!wasSent && isSent(response)) throw error;
    sendPast(response, status, sendArguments(parts));
    return undefined;
  }
}

const isSent = ({ finalResponseSent }: SipResponseLike): boolean => finalResponseSent === true;

/** As its `send` does it. */
function sendPast(
  response: AgentResponse,
  status: number,
  { reason, options, callback, onPrack }: SendArguments,
): void {
  if (response.finalResponseSent === true) {
    callback?.(new Error('the final response was sent already'));
    return;
  }
  response.status = status;
  response.reason = reason ?? UNLISTED.get(status) ?? ANY_FAILURE;
  response.agent.sendResponse(response, options, callback, onPrack);
  response.finished = true;
  response.emit('end', { status, reason: response.reason });
}

interface SendArguments {
  readonly reason?: string | undefined;
  readonly options: object;
  readonly callback?: ((error: unknown) => void) | undefined;
  readonly onPrack?: unknown;
}

/** Phrase and options may be left out, in that order. */
function sendArguments([, ...rest]: readonly unknown[]): SendArguments {
  const reason = typeof rest[0] === 'string' ? rest[0] : undefined;
  const behind = typeof rest[0] === 'string' || rest[0] === undefined ? rest.slice(1) : rest;
  const options = typeof behind[0] === 'object' && behind[0] !== null ? behind[0] : {};
  const [callback, onPrack] = typeof behind[0] === 'function' ? behind : behind.slice(1);
  return {
    reason,
    options,
    onPrack,
    callback: typeof callback === 'function' ? (callback as (error: unknown) => void) : undefined,
  };
}

/**
 * Middleware for `srf.use('invite', …)` that lets the responses of an application have every status: the table of drachtio-srf lacks 607 Unwanted and
 * 608 Rejected, among others, and its `send` throws for them. A `createB2BUA` whose callee says so leaves the caller without any final response
 * then. Never throws.
 * @param _request - is not looked at
 * @param response - what the application answers by
 * @param next - is called at once
 * @returns nothing
 * @see RFC 8197, RFC 8688
 * @example
 * ```ts
 * // As it stands in an application: srf.use('invite', everyStatus);
 * const response = { send: () => undefined };
 * everyStatus({ raw: sampleInvite() }, response, () => console.log('handed on')); // handed on
 * ```
 */
export const everyStatus: SipMiddleware = (_request, response, next) => {
  const { send } = response;
  const taught = (...parts: readonly unknown[]): unknown => sendAny(response, send, parts);
  Object.assign(response, { send: taught });
  (next as () => unknown)();
};
