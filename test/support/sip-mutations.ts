import * as fc from 'fast-check';
import { requestText, responseText, tortureVectors } from './sip-samples.js';

/** One step of a mutation: what to do, and two numbers that decide where and how. */
export interface SipMutation {
  readonly kind: keyof typeof MUTATORS;
  readonly at: number;
  readonly how: number;
}

const body = 'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\n';

/** Messages that mutations start from, one character per octet: torture messages, and at least as often plain ones. */
export function sipCorpus(): readonly string[] {
  const torture = tortureVectors().map(({ text }) => text);
  const plain = [
    requestText('INVITE', {
      body,
      lines: ['Content-Type: application/sdp', 'Identity: a.b.c;info=<https://x.example/c.pem>'],
    }),
    requestText('INVITE', {
      lines: ['Route: <sip:192.0.2.1;lr>, <sip:r2;lr>', 'Record-Route: <sip:r0;lr>', 'Require: 100rel'],
    }),
    requestText('ACK', { to: '"B" <sip:bob@example.com>;tag=b1' }),
    requestText('REGISTER', {
      requestUri: 'sip:example.com',
      contact: '<sip:a@192.0.2.9>;q=0.5, sip:b@192.0.2.9;expires=9',
    }),
    requestText('OPTIONS', {
      via: 'SIP/2.0/UDP [2001:db8::9]:5060;rport;branch=z9hG4bKv6, SIP/2.0/TCP h;received=192.0.2.7',
    }),
    responseText(180),
    responseText(200, {
      reason: 'OK',
      lines: ['Contact: <sip:bob@192.0.2.9;transport=tcp>', 'Record-Route: <sip:r;lr>'],
    }),
    responseText(302, { lines: ['m: <sip:a>;q=0.1, <sip:b>'] }),
  ];
  return [...torture, ...Array.from({ length: torture.length }, (_none, index) => plain[index % plain.length] ?? '')];
}

/** Applies mutations one after the other; the same numbers give the same text. */
export function mutated(text: string, mutations: readonly SipMutation[], others: readonly string[]): string {
  return mutations.reduce((before, { kind, at, how }) => MUTATORS[kind](before, { at, how, others }), text);
}

interface Draw {
  readonly at: number;
  readonly how: number;
  readonly others: readonly string[];
}

type Mutator = (text: string, draw: Draw) => string;

/** Longest text that mutations build up: no more than tests can afford. */
const MAX_CHARS = 20_000;

export const pick = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
export const place = (text: string, at: number): number => at % (text.length + 1);
export const replaced = (text: string, at: number, deleted: number, inserted: string): string =>
  (text.slice(0, at) + inserted + text.slice(at + deleted)).slice(0, MAX_CHARS);

/** Mutations of any text. */
export const TEXT_MUTATORS = {
  'bit-flip': (text, { at, how }) => {
    const index = place(text, at);
    return replaced(text, index, 1, String.fromCharCode((text.charCodeAt(index) || 0) ^ (1 << (how % 8))));
  },
  deletion: (text, { at, how }) => replaced(text, place(text, at), 1 + (how % 40), ''),
  duplication: (text, { at, how }) => {
    const index = place(text, at);
    return replaced(text, index, 0, text.slice(index, index + 1 + (how % 400)));
  },
  repetition: (text, { at, how }) => {
    const index = place(text, at);
    return replaced(text, index, 0, (text.charAt(index) || 'A').repeat(1 + (how % 9_000)));
  },
  truncation: (text, { at }) => text.slice(0, place(text, at)),
  beheading: (text, { at }) => text.slice(place(text, at)),
} satisfies Record<string, (text: string, draw: Pick<Draw, 'at' | 'how'>) => string>;

const ODD_TEXTS = [
  ...['"', '<', '>', ';', ',', '=', ':', '@', '?', '/', '\\', '%', '[', ']', '*', '|', '#', '(', ')'],
  ...[
    '\0',
    '\r',
    '\n',
    '\r\n',
    '\r\n ',
    '\r\n\t',
    '\r\n\r\n',
    '\n\n',
    '\r\r',
    ' ',
    '\t',
    '  ',
    '\x7f',
    '\x80',
    '\xa0',
    '\xff',
  ],
  ...['SIP/2.0', ' SIP/2.0\r\n', 'SIP/2.0 200 OK\r\n', 'INVITE sip:x@y SIP/2.0\r\n', 'sip:', 'sips:', 'tel:'],
  ...[
    ';tag=x',
    ';lr',
    ';branch=',
    ';branch=z9hG4bK',
    ';rport',
    ';received=1.2.3.4',
    ';;',
    ',,',
    '""',
    '"\\',
    '\\"',
    '<>',
  ],
  ...['-1', '0', '00000000000', '2147483648', '4294967296', '99999999999999999999', '1e9', '0x10', '255', '256'],
];
const ODD_LINES = [
  ...[
    'Via: SIP/2.0/UDP x',
    'v: SIP/2.0/TCP [::1]:1;branch=z9hG4bKa',
    'Via:',
    'From: <sip:x>;tag=y',
    'f: "',
    'To: x',
    't:',
  ],
  ...['Call-ID: other', 'i:', 'CSeq: 1 INVITE', 'CSeq: 4294967297 INVITE', 'Max-Forwards: 0', 'Max-Forwards: 300'],
  ...[
    'Content-Length: 0',
    'l: 5',
    'Content-Length: -1',
    'Content-Length: 99999',
    'Content-Type: x/y',
    'Route: <sip:x;lr>',
  ],
  ...[
    'Contact: *',
    'm: <',
    'no colon',
    ': no name',
    ' folded',
    '\tfolded',
    'A:\nVia: x',
    'B:\r',
    'C: \0',
    'D :e',
    '',
    ' ',
  ],
];

const MUTATORS = {
  ...TEXT_MUTATORS,
  'other-octet': (text, { at, how }) => replaced(text, place(text, at), 1, String.fromCharCode(how % 256)),
  insertion: (text, { at, how }) => replaced(text, place(text, at), 0, pick(ODD_TEXTS, how)),
  splice: (text, { at, how, others }) => {
    const other = pick(others, how);
    return (text.slice(0, place(text, at)) + other.slice(place(other, at))).slice(0, MAX_CHARS);
  },
  join: (text, { how, others }) => (text + pick(others, how)).slice(0, MAX_CHARS),
  'line-in': (text, { at, how }) =>
    withLines(text, (lines) => lines.toSpliced(at % lines.length, 0, pick(ODD_LINES, how))),
  'line-out': (text, { at }) => withLines(text, (lines) => lines.toSpliced(at % lines.length, 1)),
  'line-twice': (text, { at, how }) =>
    withLines(text, (lines) => lines.toSpliced(how % lines.length, 0, pick(lines, at))),
  'lines-many': (text, { at, how }) =>
    withLines(text, (lines) => lines.toSpliced(1, 0, ...Array.from({ length: how % 300 }, () => pick(lines, at)))),
  'line-empty': (text, { at }) =>
    withLines(text, (lines) => lines.with(at % lines.length, (lines[at % lines.length] ?? '').replace(/:.*/s, ':'))),
  fold: (text, { at, how }) => replaced(text, place(text, at), 0, pick(['\r\n ', '\r\n\t', '\r\n \r\n '], how)),
  'line-ends': (text, { how }) =>
    text.replaceAll('\r\n', pick(['\n', '\r', '\n\r', '\r\r\n', '\r\n\r\n', '\r\n '], how)),
  case: (text, { at, how }) => {
    const index = place(text, at);
    const part = text.slice(index, index + 1 + (how % 40));
    return replaced(text, index, part.length, how % 2 === 0 ? part.toUpperCase() : part.toLowerCase());
  },
  'giant-header': (text, { at, how }) => {
    const lineEnd = text.indexOf('\r\n', place(text, at));
    const line = `X-Giant-${how % 7}: ${'a, b;c="d" '.repeat(1 + ((how >>> 3) % (how % 7 === 0 ? 5_500 : 900)))}`;
    return lineEnd < 0 ? text + line : replaced(text, lineEnd + 2, 0, `${line}\r\n`);
  },
  'huge-number': (text, { at, how }) => {
    const start = text.slice(place(text, at)).search(/\d/);
    if (start < 0) return text;
    const index = place(text, at) + start;
    const digits = /^\d+/.exec(text.slice(index, index + 20))?.[0].length ?? 0;
    return replaced(text, index, digits, pick(NUMBERS, how));
  },
  nuls: (text, { at, how }) => replaced(text, place(text, at), (how >>> 8) % 8, '\0'.repeat(1 + (how % 64))),
  noise: (_text, { at, how }) =>
    Array.from({ length: how % 200 }, (_none, index) =>
      String.fromCharCode((at * (index + 1) + (how >>> 4)) % 256),
    ).join(''),
} satisfies Record<string, Mutator>;

const NUMBERS: readonly string[] = [
  ...['0', '-1', '+1', '2147483647', '2147483648', '4294967295', '4294967296', '9007199254740993'],
  ...['99999999999999999999', '1e9', '0x7f', '00000000000000000001', '9'.repeat(400)],
];

export const MUTATION_KINDS = Object.keys(MUTATORS) as readonly SipMutation['kind'][];

/** Texts that are nearly messages. */
export function mutants(corpus: readonly string[]): fc.Arbitrary<string> {
  const mutation: fc.Arbitrary<SipMutation> = fc.record({
    kind: fc.constantFrom(...MUTATION_KINDS),
    at: fc.nat(),
    how: fc.nat(),
  });
  return fc
    .tuple(fc.nat(corpus.length - 1), fc.array(mutation, { minLength: 1, maxLength: 4, size: 'max' }))
    .map(([index, mutations]) => mutated(corpus[index] ?? '', mutations, corpus));
}

/** Any octets, and texts of pieces that SIP is made of. */
export const sipLike: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 120 }),
  fc
    .array(fc.constantFrom(...ODD_TEXTS, ...ODD_LINES, 'a', 'b', '1', 'Via: ', 'From: ', 'SIP/2.0/UDP ', 'h'), {
      maxLength: 16,
    })
    .map((pieces) => pieces.join('')),
);

function withLines(text: string, change: (lines: readonly string[]) => readonly string[]): string {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  return (change(head.split('\r\n')).join('\r\n') + text.slice(head.length)).slice(0, MAX_CHARS);
}
