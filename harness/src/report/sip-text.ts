/** What a report shows of a SIP message. It is peer text: every member may be anything. */
export interface SipText {
  readonly startLine: string;
  /** Method of a request; empty for a response. */
  readonly method: string;
  /** Status of a response; undefined for a request. */
  readonly status?: number;
  readonly callId: string;
  /** As in `1 INVITE`. */
  readonly cseq: string;
  readonly identities: readonly string[];
}

/** Header lines that are looked at; what comes behind them is not read. */
const MAX_LINES = 512;

/** Reads as much of a message as a ladder needs. Returns for any text, never throws. */
export function readSipText(text: string): SipText {
  const lines = text.split('\n', MAX_LINES).map((line) => line.replace(/\r$/, ''));
  const [startLine = ''] = lines;
  let [callId, cseq] = ['', ''];
  const identities: string[] = [];
  for (const line of lines.slice(1)) {
    if (line === '') break;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'call-id' || name === 'i') callId ||= value;
    else if (name === 'cseq') cseq ||= value;
    else if (name === 'identity' || name === 'y') identities.push(value);
  }
  const status = /^SIP\/2\.0 (\d{3})/.exec(startLine)?.[1];
  const method = status === undefined ? (startLine.split(' ', 1)[0] ?? '') : '';
  return {
    startLine,
    method,
    ...(status !== undefined && { status: Number(status) }),
    callId,
    cseq,
    identities,
  };
}

/** Call-ID of a message, or an empty text: what messages are kept by. Cheaper than {@link readSipText}. */
export function callIdOf(text: string): string {
  return /\r?\n(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]{1,256})/i.exec(text)?.[1]?.trim() ?? '';
}

/** An Identity header field taken apart for people to read: nothing of it is verified. */
export interface IdentityText {
  readonly header: string;
  readonly claims: string;
  readonly parameters: string;
}

/** Longest token that is taken apart, octets: one of a full chain of div PASSporTs is shorter. */
const MAX_TOKEN = 16_384;

/** Decodes the token of an Identity header field (RFC 8224 section 4). Undefined where there is no token to decode; never throws. */
export function readIdentityText(value: string): IdentityText | undefined {
  const semicolon = value.indexOf(';');
  const token = semicolon < 0 ? value : value.slice(0, semicolon);
  const [header, claims, signature, ...more] = token.split('.');
  if (header === undefined || claims === undefined || signature === undefined || more.length > 0) return undefined;
  if (token.length > MAX_TOKEN) return undefined;
  return {
    header: decoded(header),
    claims: decoded(claims),
    parameters: semicolon < 0 ? '' : value.slice(semicolon + 1),
  };
}

function decoded(segment: string): string {
  if (segment === '') return '(left out: compact form)';
  const text = Buffer.from(segment, 'base64url').toString('utf8');
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return `not JSON: ${text}`;
  }
}
