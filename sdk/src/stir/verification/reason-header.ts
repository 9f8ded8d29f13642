import type { SipResponse } from './failure-reasons.js';

/** What a Reason header says, and how it names the PASSporT it is about. */
export interface ReasonHeaderOptions {
  /** The response that would have refused the call. */
  readonly response: SipResponse;
  /** The PASSporT as it stood in the Identity header. */
  readonly token?: string;
  /** The whole token; its signature alone behind two dots; or nothing of it. */
  readonly ppi: 'full' | 'compact' | 'none';
}

/**
 * Writes the value of a Reason header field for one Identity header that did not verify. Several in one response can be too much for
 * UDP: the `reasonHeaders` of a {@link CallVerdict} are kept to 4,096 characters in all, by leaving ppi out of those beyond.
 * @param options - the response that is not sent, and the PASSporT it would have been about
 * @returns `STIR;cause=436;text="Bad Identity Info";ppi="…"`; ppi is left out when the token is not one that may be repeated:
 * longer than 4,096 characters, or of others than base64url has. Never throws for peer input
 * @see RFC 9410 sections 4 and 5
 * @example
 * ```ts
 * const response = { status: 438, reasonPhrase: 'Invalid Identity Header' } as const;
 * const value = formatReasonHeader({ response, token: 'eyJh.eyJk.c2ln', ppi: 'compact' });
 * console.log(value); // STIR;cause=438;text="Invalid Identity Header";ppi="..c2ln"
 * ```
 */
export function formatReasonHeader(options: ReasonHeaderOptions): string {
  const { response, token, ppi } = options;
  const reason = `STIR;cause=${String(response.status)};text="${response.reasonPhrase}"`;
  if (token === undefined || ppi === 'none' || token.length > MAX_PPI_CHARS || !isToken(token)) return reason;
  const shown = ppi === 'full' ? token : `..${token.slice(token.lastIndexOf('.') + 1)}`;
  return `${reason};ppi="${shown}"`;
}

/**
 * Most characters of all Reason header values of one response. A response that exceeds the path MTU goes over UDP in fragments, and is
 * lost as a whole with any of them: 4 KiB are three, name every one of six usual PASSporTs, and stay far from the 65,507 octets
 * where a datagram ends, whatever Via and Record-Route the response repeats. Without ppi 16 values take less than 800.
 * @see RFC 3261 section 18.1.1
 */
export const MAX_REASON_CHARS = 4096;

/**
 * Writes the Reason header values of one response: one for each Identity header that did not verify, in order. Together they have at
 * most {@link MAX_REASON_CHARS} characters: a ppi that would go beyond is left out, the cause never is, so that whoever calls cannot
 * make the response too long to arrive.
 * @param reasons - one for each Identity header; at most `MAX_IDENTITY_HEADERS`
 * @returns as many values; never throws for peer input
 * @see RFC 9410 section 5
 */
export function formatReasonHeaders(reasons: readonly ReasonHeaderOptions[]): readonly string[] {
  const causes = reasons.map((reason) => formatReasonHeader({ ...reason, ppi: 'none' }));
  let chars = causes.reduce((sum, cause) => sum + cause.length, 0);
  return reasons.map((reason, index) => {
    const cause = causes[index] ?? '';
    const value = formatReasonHeader(reason);
    const more = value.length - cause.length;
    if (chars + more > MAX_REASON_CHARS) return cause;
    chars += more;
    return value;
  });
}

/** A longer token would push a response over what UDP carries; the peer has it anyway. */
const MAX_PPI_CHARS = 4096;

/** Only what base64url and its dots consist of goes back out: a quote or a line break in it would forge header fields. */
function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const isSafe =
      (code >= 0x30 && code <= 0x39) || // 0-9
      (code >= 0x41 && code <= 0x5a) || // A-Z
      (code >= 0x61 && code <= 0x7a) || // a-z
      code === 0x2d || // -
      code === 0x2e || // .
      code === 0x5f; // _
    if (!isSafe) return false;
  }
  return text !== '';
}
