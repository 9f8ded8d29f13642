import { TEST_DEST_TN, TEST_ORIG_TN } from './passport.js';
import { TEST_NOW_MS } from './manual-clock.js';

/** Settings of {@link sampleInvite}. */
export interface SampleInviteOptions {
  /** Values of the Identity header fields, in order; none by default. A value may hold CRLF and a space: a folded line. */
  readonly identityHeaders?: readonly string[];
  /** Caller; default {@link TEST_ORIG_TN}. */
  readonly origTn?: string;
  /** Callee; default {@link TEST_DEST_TN}. */
  readonly destTn?: string;
  /** Whole From value up to its tag, such as `"Anonymous" <sip:anonymous@anonymous.invalid>`. */
  readonly from?: string;
  /** Whole To value. */
  readonly to?: string;
  readonly requestUri?: string;
  /** Values of P-Asserted-Identity; default none. */
  readonly assertedIdentities?: readonly string[];
  /** Instant of the Date header, milliseconds since the epoch; default {@link TEST_NOW_MS}; `'absent'` writes none. */
  readonly dateMs?: number | 'absent';
  readonly callId?: string;
  /** Further header fields as written: `Name: value`. */
  readonly headers?: readonly string[];
  /** Default a session description of one audio stream. */
  readonly body?: string;
  /** `y` for the compact form of Identity. */
  readonly identityHeaderName?: string;
}

/**
 * The text of a SIP INVITE as it arrives from an originating carrier, CRLF line ends and a right Content-Length. Checks nothing, and
 * never throws.
 * @param options - what is to be otherwise than default; header values as they are to stand
 * @returns the request, body included
 * @see RFC 3261 section 7, RFC 8224 section 4
 * @example
 * ```ts
 * const parsed = parseSipRequest(sampleInvite({ origTn: '12025550166' }));
 * if (parsed.status === 'parsed') console.log(verificationRequestOf(parsed.request).from); // <sip:+12025550166@originating.example;user=phone>;tag=1928301774
 * ```
 */
export function sampleInvite(options: SampleInviteOptions = {}): string {
  const orig = options.origTn ?? TEST_ORIG_TN;
  const dest = options.destTn ?? TEST_DEST_TN;
  const body = options.body ?? SESSION_DESCRIPTION;
  const dateMs = options.dateMs ?? TEST_NOW_MS;
  const identityName = options.identityHeaderName ?? 'Identity';
  const lines = [
    `INVITE ${options.requestUri ?? `sip:+${dest}@terminating.example;user=phone`} SIP/2.0`,
    'Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK-524287-1-0',
    'Max-Forwards: 68',
    `From: ${options.from ?? `<sip:+${orig}@originating.example;user=phone>`};tag=1928301774`,
    `To: ${options.to ?? `<sip:+${dest}@terminating.example;user=phone>`}`,
    `Call-ID: ${options.callId ?? 'a84b4c76e66710@originating.example'}`,
    'CSeq: 314159 INVITE',
    'Contact: <sip:192.0.2.10:5060;transport=tcp>',
    ...(dateMs === 'absent' ? [] : [`Date: ${new Date(dateMs).toUTCString()}`]),
    ...(options.assertedIdentities ?? []).map((value) => `P-Asserted-Identity: ${value}`),
    ...(options.identityHeaders ?? []).map((value) => `${identityName}: ${value}`),
    ...(options.headers ?? []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const SESSION_DESCRIPTION = [
  'v=0',
  'o=- 2890844526 2890844526 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 49170 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');
