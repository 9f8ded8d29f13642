import type { SentCall } from '../case.js';
import type { ReasonSeen } from '../observed.js';

/** A SIP message, as far as a test looks at it. */
export interface SipMessage {
  /** Status of a response, 0 for a request. */
  readonly status: number;
  /** Method of a request, or of the request that a response is for. */
  readonly method: string;
  /** Values in their order, folded lines joined. */
  readonly values: (name: string) => readonly string[];
}

/** @see RFC 3261 section 7.3.3, RFC 8224 section 4 */
const COMPACT: Readonly<Record<string, string>> = {
  ...{ i: 'call-id', m: 'contact', f: 'from', t: 'to', v: 'via', l: 'content-length', c: 'content-type' },
  y: 'identity',
};

/** Reads a message. @returns undefined for what is none; never throws for peer input */
export function readSipMessage(text: string): SipMessage | undefined {
  const [head = ''] = text.split('\r\n\r\n', 1);
  const [startLine = '', ...lines] = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const [, digits] = /^SIP\/2\.0 (\d{3})(?: |$)/.exec(startLine) ?? [];
  const [, method] = /^([A-Z]+) \S+ SIP\/2\.0$/.exec(startLine) ?? [];
  if (digits === undefined && method === undefined) return undefined;
  const fields = lines.flatMap((line): readonly (readonly [string, string])[] => {
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim().toLowerCase();
    return at < 0 ? [] : [[COMPACT[name] ?? name, line.slice(at + 1).trim()]];
  });
  const values = (name: string): readonly string[] =>
    fields.flatMap(([field, value]) => (field === name.toLowerCase() ? [value] : []));
  const ofResponse = values('cseq')[0]?.split(/\s+/)[1] ?? '';
  return { status: Number(digits ?? 0), method: method ?? ofResponse, values };
}

/** Where an INVITE goes, and where its answer comes to. */
export interface InvitePlace {
  /** Host and port of the Request-URI. */
  readonly domain: string;
  /** `address:port` of the sender. */
  readonly sentBy: string;
  readonly callId: string;
  readonly branch: string;
  readonly tag: string;
  /** Further header fields, whole lines. */
  readonly lines?: readonly string[];
}

/** An INVITE with a session description, as it comes to a switch. */
export function inviteText(call: SentCall, { domain, sentBy, callId, branch, tag, lines = [] }: InvitePlace): string {
  const { identity, origTn, destTn, targetTn = destTn, dateSeconds, asserted = [] } = call;
  const from = call.from ?? `<sip:${plus(origTn)}@originating.example;user=phone>`;
  const to = call.to ?? `<sip:${plus(destTn)}@terminating.example;user=phone>`;
  const body = SESSION.join('\r\n');
  const head = [
    `INVITE sip:${plus(targetTn)}@${domain};user=phone SIP/2.0`,
    `Via: SIP/2.0/UDP ${sentBy};branch=${branch};rport`,
    ...['Max-Forwards: 70', `From: ${from};tag=${tag}`, `To: ${to}`, `Call-ID: ${callId}`, 'CSeq: 1 INVITE'],
    `Contact: <sip:${sentBy}>`,
    `Date: ${new Date(dateSeconds * 1000).toUTCString()}`,
    ...asserted.map((value) => `P-Asserted-Identity: ${value}`),
    ...identity.map((value) => `Identity: ${value}`),
    ...lines,
    'Content-Type: application/sdp',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

const plus = (tn: string): string => (/^\d/.test(tn) ? `+${tn}` : tn);

const SESSION: readonly string[] = [
  ...['v=0', 'o=- 1 1 IN IP4 192.0.2.10', 's=-', 'c=IN IP4 192.0.2.10', 't=0 0', 'm=audio 49170 RTP/AVP 0', ''],
];

/** ACK of a final response; that of a 2xx has a branch of its own. @see RFC 3261 sections 13.2.2.4, 17.1.1.3 */
export function ackText(invite: string, response: SipMessage, branch: string): string {
  return followUp('ACK', invite, { response, branch, cseq: 1 });
}

/** BYE of a call that was accepted. */
export const byeText = (invite: string, response: SipMessage, branch: string): string =>
  followUp('BYE', invite, { response, branch, cseq: 2 });

function followUp(
  method: 'ACK' | 'BYE',
  invite: string,
  { response, branch, cseq }: { readonly response: SipMessage; readonly branch: string; readonly cseq: number },
): string {
  const sent = readSipMessage(invite);
  const [uri = ''] = /(?<=^INVITE )\S+/.exec(invite) ?? [];
  const via = sent?.values('via')[0] ?? '';
  return `${[
    `${method} ${uri} SIP/2.0`,
    `Via: ${response.status < 300 ? via.replace(/branch=[^;]+/, `branch=${branch}`) : via}`,
    'Max-Forwards: 70',
    `From: ${sent?.values('from')[0] ?? ''}`,
    `To: ${response.values('to')[0] ?? ''}`,
    `Call-ID: ${sent?.values('call-id')[0] ?? ''}`,
    `CSeq: ${String(cseq)} ${method}`,
    'Content-Length: 0',
  ].join('\r\n')}\r\n\r\n`;
}

/** What the callee of the tests answers: it has seen what it wanted to see. */
export function calleeResponse(request: SipMessage, tag: string): string {
  const to = request.values('to')[0] ?? '';
  return `${[
    'SIP/2.0 480 Temporarily Unavailable',
    ...request.values('via').map((value) => `Via: ${value}`),
    `From: ${request.values('from')[0] ?? ''}`,
    `To: ${to}${to.includes(';tag=') ? '' : `;tag=${tag}`}`,
    `Call-ID: ${request.values('call-id')[0] ?? ''}`,
    `CSeq: ${request.values('cseq')[0] ?? ''}`,
    'Content-Length: 0',
  ].join('\r\n')}\r\n\r\n`;
}

/** The STIR values among Reason header field values, several of which may stand in one. @see RFC 9410 section 4, RFC 3326 */
export function stirReasons(values: readonly string[]): readonly ReasonSeen[] {
  return values
    .flatMap((value) => splitList(value))
    .flatMap((value) => {
      const [protocol = '', ...parameters] = splitOutsideQuotes(value, ';').map((part) => part.trim());
      if (protocol.toUpperCase() !== 'STIR') return [];
      const parameter = (name: string): string | undefined =>
        parameters
          .find((one) => one.toLowerCase().startsWith(`${name}=`))
          ?.slice(name.length + 1)
          .replaceAll('"', '');
      const [cause, text, ppi] = [Number(parameter('cause')), parameter('text'), parameter('ppi')];
      if (!Number.isInteger(cause)) return [];
      return [{ cause, ...(text !== undefined && { text }), ...(ppi !== undefined && { ppi }) }];
    });
}

/** The first verstat parameter of callers: P-Asserted-Identity before From. @see 3GPP TS 24.229 section 7.2A.20 */
export function verstatIn(message: SipMessage): string | undefined {
  const callers = [...message.values('p-asserted-identity'), ...message.values('from')];
  return callers.map((value) => /;verstat=([A-Za-z-]+)/i.exec(value)?.[1]).find((one) => one !== undefined);
}

const splitList = (value: string): readonly string[] => splitOutsideQuotes(value, ',');

function splitOutsideQuotes(value: string, separator: ',' | ';'): readonly string[] {
  const parts: string[] = [''];
  let isQuoted = false;
  for (const character of value) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === separator && !isQuoted) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}
