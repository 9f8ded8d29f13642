import { readVerstat } from '../observed.js';
import type { Observed } from '../observed.js';
import { stirReasons, verstatIn } from './sip-text.js';
import type { SipMessage } from './sip-text.js';

/** What came of an INVITE. */
export interface SipExchange {
  /** Responses to the caller, provisional ones first; the last one is final unless the time was over. */
  readonly responses: readonly SipMessage[];
  /** The request as it came out at the callee. */
  readonly delivered?: SipMessage;
}

/** Responses that refuse a request for its Identity. @see RFC 8224 section 6.2.2 */
const STIR_CODES: ReadonlySet<number> = new Set([403, 428, 436, 437, 438]);
const STALL = 'no final response in time';

/** Where redirect servers write a signature. */
const IDENTITY_FIELDS = ['identity', 'x-identity'];
const ATTESTATION_FIELDS = ['attestation-info', 'p-attestation-indicator', 'attestation'];

/** Reads what a redirect server answered to a call to be verified. */
export function readRedirectVerdict({ responses }: SipExchange): Observed {
  const final = finalOf(responses);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  const { status } = final;
  if (status === 300 || status === 302) return verdictOf(final, responses, String(status));
  // 404: nothing to say, the call goes on as it is. 503: another server may be asked. 400 and others: it cannot be read.
  if ((status >= 400 && status < 500) || status === 503 || status === 603) return refusalOf(final, responses);
  return { kind: 'not-understood', said: `SIP ${String(status)}` };
}

/** Reads what a device made of a call that was to go through it. */
export function readDeviceVerdict({ responses, delivered }: SipExchange): Observed {
  if (delivered !== undefined && verstatIn(delivered) !== undefined)
    return verdictOf(delivered, responses, 'the callee got it with');
  const final = finalOf(responses);
  if (delivered !== undefined) return accepted('the callee got it without verstat', responses);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  if (final.status < 300) return accepted(`SIP ${String(final.status)}`, responses);
  if (final.status >= 500 && final.status < 600) return { kind: 'not-understood', said: `SIP ${String(final.status)}` };
  return refusalOf(final, responses);
}

/** Reads what a redirect server answered to a call to be signed. */
export function readRedirectSignature({ responses }: SipExchange): Observed {
  const final = finalOf(responses);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  return signatureOf(final, final.status);
}

/** Reads what came out at the callee of a call to be signed. */
export function readDeviceSignature({ responses, delivered }: SipExchange): Observed {
  const final = finalOf(responses);
  if (delivered !== undefined) return signatureOf(delivered, final?.status ?? 0);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  return { kind: 'not-signed', status: final.status, said: `SIP ${String(final.status)}` };
}

const finalOf = (responses: readonly SipMessage[]): SipMessage | undefined =>
  responses.find(({ status }) => status >= 200);

type Verified = Extract<Observed, { readonly kind: 'verified' }>;

function verdictOf(message: SipMessage, responses: readonly SipMessage[], said: string): Observed {
  const text = verstatIn(message);
  const told = toldIn(responses, message);
  if (text === undefined) return { kind: 'verified', isPassed: false, ...told, said: `${said} without verstat` };
  const read = readVerstat(text);
  if (read === undefined) return { kind: 'not-understood', said: `verstat ${text}` };
  const attestation =
    read.attestation ?? ATTESTATION_FIELDS.flatMap((field) => message.values(field)).find((one) => /^[ABC]$/.test(one));
  return {
    kind: 'verified',
    isPassed: read.verstat === 'TN-Validation-Passed',
    verstat: read.verstat,
    ...told,
    ...(attestation !== undefined && { attestation }),
    said: [said, read.verstat, ...told.codes].join(' '),
  };
}

function refusalOf(final: SipMessage, responses: readonly SipMessage[]): Verified {
  const { codes, reasons } = toldIn(responses);
  const all = STIR_CODES.has(final.status) ? [...new Set([final.status, ...codes])] : codes;
  const said = [`SIP ${String(final.status)}`, ...codes.map((code) => `Reason ${String(code)}`)].join(', ');
  return { kind: 'verified', isPassed: false, codes: all, reasons, isFinalResponse: true, said };
}

function accepted(said: string, responses: readonly SipMessage[]): Verified {
  return { kind: 'verified', isPassed: true, ...toldIn(responses), said };
}

/** What the caller's side was told in Reason; a redirect server tells it in the response that has the verdict. */
function toldIn(responses: readonly SipMessage[], also?: SipMessage): Pick<Verified, 'codes' | 'reasons'> {
  const messages = also === undefined || responses.includes(also) ? responses : [...responses, also];
  const reasons = stirReasons(messages.flatMap((message) => message.values('reason')));
  return { codes: [...new Set(reasons.map(({ cause }) => cause))], reasons };
}

function signatureOf(message: SipMessage, status: number): Observed {
  const identity = IDENTITY_FIELDS.flatMap((field) => message.values(field));
  if (identity.length === 0) return { kind: 'not-signed', status, said: `SIP ${String(status)} without Identity` };
  return { kind: 'signed', identity, said: 'signed' };
}
