import { parseNameAddr, splitHeaderList } from '../../core/sip-request.js';
import { headerValues, parseSipRequest, splitIdentityHeader } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../../core/sip-uri.js';
import type { NumberingPlan } from '../../core/telephone-number.js';
import type { LegMessage } from '../../records/index.js';
import type { SipRequestLike } from '../sip-request-like.js';

/** What an INVITE tells about its leg. Untrusted text throughout. */
export interface CallInvite {
  readonly callId?: string | undefined;
  /** URI of From. */
  readonly calling?: string | undefined;
  /** First URI of P-Asserted-Identity. */
  readonly asserted?: string | undefined;
  /** The Request-URI where it has a number, else the URI of To where that has one, else the Request-URI. */
  readonly called?: string | undefined;
  /** Address of the other end, with its port. */
  readonly address?: string | undefined;
  /** Values of Identity header fields, one PASSporT each. */
  readonly identities: readonly string[];
  /** It belongs to a dialog that is there already. @see RFC 3261 section 12.2 */
  readonly isWithinDialog: boolean;
  /** Absent where it was not seen. */
  readonly message?: LegMessage;
}

/** Identity header fields of a request that are kept: shaken, rph and some diversions. */
const MAX_IDENTITIES = 8;

/** Octets of an INVITE that are taken for one: what is read of a request at most. */
const MAX_RAW_CHARS = 65_536;

/**
 * Reads what a record is to say of an INVITE. What cannot be read is left out: an INVITE that is none makes a record too.
 * Never throws for peer input.
 * @param message - what makes the hash of it
 */
export function readInvite(
  invite: SipRequestLike,
  { message, plan }: { readonly message: (text: string) => LegMessage; readonly plan?: NumberingPlan | undefined },
): CallInvite {
  const raw = typeof invite.raw === 'string' ? invite.raw : '';
  const taken = message(raw.slice(0, MAX_RAW_CHARS));
  const parsed = parseSipRequest(raw);
  const address = addressOf(invite);
  if (parsed.status === 'malformed') return { address, identities: [], isWithinDialog: false, message: taken };
  const { request } = parsed;
  const asserted = splitHeaderList(headerValues(request, 'p-asserted-identity')[0] ?? '')[0];
  const to = parseNameAddr(headerValues(request, 'to')[0] ?? '');
  return {
    callId: headerValues(request, 'call-id')[0],
    calling: uriIn(headerValues(request, 'from')[0]),
    asserted: uriIn(asserted),
    called: calledUri(request, to.status === 'parsed' ? to.uri : undefined, plan),
    address,
    identities: headerValues(request, 'identity')
      .flatMap((value) => splitIdentityHeader(value))
      .slice(0, MAX_IDENTITIES),
    isWithinDialog: to.status === 'parsed' && to.params.has('tag'),
    message: taken,
  };
}

function calledUri({ requestUri }: SipRequestText, to: string | undefined, plan: NumberingPlan | undefined): string {
  return !hasNumber(requestUri, plan) && to !== undefined && hasNumber(to, plan) ? to : requestUri;
}

function hasNumber(uri: string, plan: NumberingPlan | undefined): boolean {
  const parsed = parseSipUri(uri);
  return parsed.status === 'parsed' && telephoneNumberOfUri(parsed.uri, plan).kind !== 'none';
}

function uriIn(value: string | undefined): string | undefined {
  const address = value === undefined ? undefined : parseNameAddr(value);
  return address?.status === 'parsed' ? address.uri : undefined;
}

/** Address and port of whoever sent a request, as a record has them. */
export function addressOf({ source_address: address, source_port: port }: SipRequestLike): string | undefined {
  if (typeof address !== 'string' || address === '') return undefined;
  if (port === undefined || port === '') return address;
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * The server's own name of the transaction, which no peer can choose: whoever sends two INVITEs with one Call-ID at the same instant does not get the
 * record of one for both.
 */
export function transactionOf(request: SipRequestLike | undefined): string | undefined {
  const { stackTxnId } = (request ?? {}) as { readonly stackTxnId?: unknown };
  return typeof stackTxnId === 'string' && stackTxnId !== '' ? stackTxnId : undefined;
}
