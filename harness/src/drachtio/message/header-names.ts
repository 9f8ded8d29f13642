/** Numbers of the header fields that the server itself looks at; 0 stands for every other one. */
export const HEADER = {
  other: 0,
  via: 1,
  from: 2,
  to: 3,
  callId: 4,
  cseq: 5,
  contact: 6,
  recordRoute: 7,
  route: 8,
  maxForwards: 9,
  contentLength: 10,
  contentType: 11,
  require: 12,
  supported: 13,
  proxyRequire: 14,
  rseq: 15,
  rack: 16,
  event: 17,
  expires: 18,
  subscriptionState: 19,
  identity: 20,
  reason: 21,
  path: 22,
  retryAfter: 23,
  pAssertedIdentity: 24,
  date: 25,
  userAgent: 26,
  allow: 27,
} as const;

/** One of the numbers of {@link HEADER}. */
export type HeaderId = (typeof HEADER)[keyof typeof HEADER];

/** How each known header field is written, by its number. @see RFC 3261 section 20 */
const WRITTEN: readonly string[] = [
  '',
  'Via',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Contact',
  'Record-Route',
  'Route',
  'Max-Forwards',
  'Content-Length',
  'Content-Type',
  'Require',
  'Supported',
  'Proxy-Require',
  'RSeq',
  'RAck',
  'Event',
  'Expires',
  'Subscription-State',
  'Identity',
  'Reason',
  'Path',
  'Retry-After',
  'P-Asserted-Identity',
  'Date',
  'User-Agent',
  'Allow',
];

/** Compact forms of the fields above. @see RFC 3261 section 7.3.3, IANA SIP Parameters */
const COMPACT: ReadonlyMap<string, HeaderId> = new Map<string, HeaderId>([
  ['v', HEADER.via],
  ['f', HEADER.from],
  ['t', HEADER.to],
  ['i', HEADER.callId],
  ['m', HEADER.contact],
  ['l', HEADER.contentLength],
  ['c', HEADER.contentType],
  ['k', HEADER.supported],
  ['o', HEADER.event],
  ['y', HEADER.identity],
]);

const BY_NAME: ReadonlyMap<string, HeaderId> = new Map<string, HeaderId>([
  ...WRITTEN.slice(1).map((name, index) => [name.toLowerCase(), (index + 1) as HeaderId] as const),
  ...COMPACT,
]);

const KEYS = 4_096;

/**
 * Known names under a key of two characters and the length. Names differ in it, so that one comparison decides; the
 * comparison itself keeps made-up names with the same key apart.
 */
const BY_KEY: readonly (HeaderId | undefined)[] = tableOfKeys();

/** The number of a header field by its name, long or compact, in any case. Never throws. */
export function headerId(name: string): HeaderId {
  return BY_NAME.get(name.toLowerCase()) ?? HEADER.other;
}

/** How a known header field is written; empty for {@link HEADER}.other. */
export function headerName(id: HeaderId): string {
  return WRITTEN[id] ?? '';
}

/** As {@link headerIdAt}, for a name that is written as RFC 3261 writes it; 0 for one that is not, known or not. Never throws. */
export function usualHeaderIdAt(text: string, start: number, end: number): HeaderId {
  const id = BY_KEY[keyOf(text.charCodeAt(start), text.charCodeAt(end - 1), end - start)];
  if (id === undefined) return HEADER.other;
  const name = WRITTEN[id] ?? '';
  return name.length === end - start && text.startsWith(name, start) ? id : HEADER.other;
}

/**
 * The number of the header field whose name stands at `start` to `end` in a text, without making a string of it.
 * Never throws.
 */
export function headerIdAt(text: string, start: number, end: number): HeaderId {
  const length = end - start;
  if (length === 1) return COMPACT.get(text.charAt(start).toLowerCase()) ?? HEADER.other;
  const id = BY_KEY[keyOf(text.charCodeAt(start), text.charCodeAt(end - 1), length)];
  if (id === undefined) return HEADER.other;
  const name = WRITTEN[id] ?? '';
  if (name.length !== length) return HEADER.other;
  for (let at = 0; at < length; at += 1) {
    const difference = name.charCodeAt(at) ^ text.charCodeAt(start + at);
    // Letters may differ in their case bit; nothing else may differ.
    if (difference !== 0 && (difference !== 0x20 || !isLetter(name.charCodeAt(at)))) return HEADER.other;
  }
  return id;
}

/**
 * How a header field that an application names is written on the wire: known names as the RFC writes them, others with each
 * word capitalised, and what begins with `X-` as it came.
 */
export function writtenName(name: string): string {
  // Compact names are an application's own choice: `y` stays `y`.
  if (name.length === 1) return name;
  const known = headerId(name);
  if (known !== HEADER.other) return headerName(known);
  if (/^x-/i.test(name)) return name;
  return name.replace(/(^|-)[a-z]/g, (initial) => initial.toUpperCase());
}

function keyOf(first: number, last: number, length: number): number {
  return ((first & 0x1f) * 37 + (last & 0x1f) * 5 + length * 211) % KEYS;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function tableOfKeys(): readonly (HeaderId | undefined)[] {
  const table: (HeaderId | undefined)[] = Array.from({ length: KEYS });
  for (const [index, name] of WRITTEN.entries()) {
    if (name === '') continue;
    const key = keyOf(name.charCodeAt(0), name.charCodeAt(name.length - 1), name.length);
    if (table[key] !== undefined) throw new Error(`${name} and ${WRITTEN[table[key]]} have the same key`);
    table[key] = index as HeaderId;
  }
  return table;
}
