import { NORTH_AMERICAN_PLAN, readParties } from '@hopback/sdk/stir';
import type { PartyOptions, Verstat } from '@hopback/sdk/stir';
import { headerTexts, secondWord, unfolded } from './header-text.js';
import { verstatOf } from './verstat.js';

/** What an INVITE says of a call, as the called phone got it. Nothing of it has been verified. */
export interface InviteFacts {
  readonly callId: string;
  readonly requestUri: string;
  /** Value of the From header, on one line. */
  readonly from: string;
  /** Value of the To header, on one line. */
  readonly to: string;
  /**
   * Digits of the calling number, country code first: that of P-Asserted-Identity where there is one, else that of From. Absent where
   * the caller is no telephone number, or two readers could see two.
   */
  readonly callingNumber?: string;
  /** Digits of the called number, country code first: that of the Request-URI, else that of To. */
  readonly calledNumber?: string;
  /** Whether the caller wants to stay unnamed: From names nobody, or nothing of the call does. */
  readonly isAnonymous: boolean;
  /** What the network found out about the calling number, of P-Asserted-Identity before From. */
  readonly verstat?: Verstat;
  /** Values of P-Asserted-Identity, each on one line, in their order. */
  readonly assertedIdentities: readonly string[];
  /** Identity headers in their order, exactly as they stood in the message, line ends of folded ones included. */
  readonly identityHeaders: readonly string[];
  /** The whole message as received. */
  readonly text: string;
}

/**
 * Reads the facts of an INVITE out of its text. Never throws for peer input: what cannot be read is absent or empty.
 * @param text - of the message, lines ending in CRLF
 * @returns the facts, untrusted
 * @see RFC 3261 section 20, RFC 3325 section 9.1, RFC 8224 section 4
 * @example
 * ```ts
 * const facts = inviteFacts('INVITE sip:12025550199@b.example SIP/2.0\r\nFrom: <sip:+12025550101@a.example>;tag=1\r\n\r\n');
 * console.log(facts.callingNumber, facts.calledNumber, facts.isAnonymous); // 12025550101 12025550199 false
 * ```
 */
export function inviteFacts(text: string): InviteFacts {
  const requestUri = secondWord(text);
  const [from = ''] = headerTexts(text, 'From', 'f').map(unfolded);
  const [to = ''] = headerTexts(text, 'To', 't').map(unfolded);
  const assertedIdentities = headerTexts(text, 'P-Asserted-Identity').map(unfolded);
  const { orig, target, dest } = readParties({ from, to, requestUri, pAssertedIdentity: assertedIdentities }, PARTIES);
  const called = target ?? dest[0];
  const verstat = verstatOf(assertedIdentities.join(', ')) ?? verstatOf(from);
  return {
    ...{ callId: headerTexts(text, 'Call-ID', 'i')[0] ?? '', requestUri, from, to },
    ...(orig?.kind === 'tn' ? { callingNumber: orig.value } : undefined),
    ...(called?.kind === 'tn' ? { calledNumber: called.value } : undefined),
    isAnonymous: orig === undefined || readParties({ from }, PARTIES).orig === undefined,
    ...(verstat === undefined ? undefined : { verstat }),
    ...{ assertedIdentities, identityHeaders: headerTexts(text, 'Identity', 'y'), text },
  };
}

/** Numbers without `+` are read as dialled in North America, as everywhere in this test network. */
const PARTIES: PartyOptions = {
  originatingIdentity: ['p-asserted-identity', 'from'],
  destination: 'request-uri',
  numberingPlan: NORTH_AMERICAN_PLAN,
};
