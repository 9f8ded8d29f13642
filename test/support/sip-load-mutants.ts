import { createSeededRandom, type SeededRandom } from '../../harness/src/faults/index.js';
import { sdp, writeSip } from './drachtio-sip-text.js';
import { mutated, sipCorpus, type SipMutation } from './sip-mutations.js';

/** How many are sent: by the test, by the bench, and by the bench at night. */
export const MUTANTS_SENT = { inTests: 50_000, quick: 10_000, short: 50_000, full: 1_000_000 } as const;

export type MutantSource = ReturnType<typeof createMutantSource>;

/** The To tag that an application gives the calls of mutants, so that mutants of later requests find their dialogs. */
export const OUR_TAG = 'ours';

/**
 * Whether an application may accept a call: its first hop is the discard port of this machine and nothing else, so that whatever the
 * server sends in the call goes there. Any other goes wherever a flipped bit points, for a Contact may change with every request.
 */
export function staysHere(recordRoute: string | undefined): boolean {
  return recordRoute !== undefined && /^<sip:127\.0\.0\.1:9;lr>$/.test(recordRoute);
}

/** Largest message: what fits into a datagram. */
const MAX_MESSAGE_CHARS = 65_000;
/** Calls whose later requests are mutated as well: those that began last. */
const RECENT_CALLS = 64;
/** Of 16 messages so many start from the torture vectors, the others from a call as it should be. */
const TORTURE_PARTS = 5;

/** Makes mutants of torture messages and of calls that the server would take, or has taken: the same ones for the same seed. */
export function createMutantSource(seed: number, stream = 'mutants') {
  const random = createSeededRandom(seed, stream);
  const corpus = sipCorpus();
  const others = [...corpus, ...METHODS.map((method) => request(method, `${stream}-other`))];
  let calls = 0;
  const base = (): string => {
    if (random.int(16) < TORTURE_PARTS) return random.pick(corpus);
    const method = random.pick(METHODS);
    if (BEGINS.has(method)) calls += 1;
    return request(method, `${stream}-${Math.max(0, calls - (BEGINS.has(method) ? 0 : random.int(RECENT_CALLS)))}`);
  };
  return {
    /** The next message, one character per octet. */
    next: (): string => {
      let text = base();
      const steps = 1 + random.int(3);
      for (let step = 0; step < steps; step += 1) text = changed(random, text, others);
      return text.slice(0, MAX_MESSAGE_CHARS);
    },
  };
}

const METHODS: readonly string[] = [
  ...['INVITE', 'INVITE', 'INVITE', 'ACK', 'CANCEL', 'BYE', 'PRACK', 'UPDATE', 'reINVITE', 'response'],
  ...['OPTIONS', 'REGISTER', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'INFO', 'PUBLISH'],
];
/** Those that are the first of a call. */
const BEGINS: ReadonlySet<string> = new Set(['INVITE', 'OPTIONS', 'REGISTER', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH']);
/** Those that come within one. */
const IN_DIALOG: ReadonlySet<string> = new Set([
  'ACK',
  'BYE',
  'PRACK',
  'UPDATE',
  'reINVITE',
  'NOTIFY',
  'REFER',
  'INFO',
]);

/** A message of a call, as it should be. */
function request(what: string, call: string): string {
  if (what === 'response') return response(call);
  const method = what === 'reINVITE' ? 'INVITE' : what;
  const isInDialog = IN_DIALOG.has(what);
  // CANCEL and the ACK of a refusal go by the branch of their INVITE.
  const branch = what === 'CANCEL' || what === 'INVITE' ? `z9hG4bK-${call}` : `z9hG4bK-${call}-${what}`;
  const body = method === 'INVITE' || method === 'UPDATE' ? sdp() : '';
  const fields = [
    `Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=${branch}`,
    'Max-Forwards: 70',
    `From: "M" <sip:m@127.0.0.1>;tag=${call}`,
    `To: <sip:app@127.0.0.1>${isInDialog ? `;tag=${OUR_TAG}` : ''}`,
    `Call-ID: ${call}`,
    `CSeq: ${isInDialog && what !== 'ACK' ? 2 : 1} ${method}`,
    'Contact: <sip:m@127.0.0.1:9>',
    'Supported: 100rel, timer',
    ...(MORE_LINES[what] ?? []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
  ];
  return writeSip(`${method} sip:app@127.0.0.1 SIP/2.0`, fields, body);
}

/** A response to nothing: the server has asked nobody. */
function response(call: string): string {
  return writeSip('SIP/2.0 200 OK', [
    `Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK-${call}`,
    `From: <sip:app@127.0.0.1>;tag=${OUR_TAG}`,
    `To: <sip:m@127.0.0.1>;tag=${call}`,
    `Call-ID: ${call}`,
    'CSeq: 1 INVITE',
    'Contact: <sip:m@127.0.0.1:9>',
  ]);
}

const MORE_LINES: Readonly<Record<string, readonly string[]>> = {
  INVITE: [
    'Record-Route: <sip:127.0.0.1:9;lr>',
    'Identity: a.b.c;info=<https://127.0.0.1/c.pem>;alg=ES256;ppt=shaken',
    'Allow: INVITE, ACK, BYE, CANCEL',
  ],
  PRACK: ['RAck: 1 1 INVITE'],
  SUBSCRIBE: ['Event: presence', 'Expires: 60'],
  NOTIFY: ['Event: presence', 'Subscription-State: terminated;reason=timeout'],
  REFER: ['Refer-To: <sip:other@127.0.0.1:9>'],
  PUBLISH: ['Event: presence'],
};

function changed(random: SeededRandom, text: string, others: readonly string[]): string {
  const kind = random.pick(KINDS);
  const at = random.int(2 ** 31);
  const how = random.int(2 ** 31);
  const own = OWN[kind];
  return own === undefined
    ? mutated(text, [{ kind: kind as SipMutation['kind'], at, how }], others)
    : own(text, at, how);
}

type Change = (text: string, at: number, how: number) => string;

const OWN: Readonly<Record<string, Change>> = {
  'giant-header': (text, at, how) => {
    const lineEnd = text.indexOf('\r\n', at % (text.length + 1));
    const line = `X-Giant-${how % 7}: ${'a, b;c="d" '.repeat(1 + ((how >>> 3) % (how % 7 === 0 ? 5_500 : 900)))}`;
    return lineEnd < 0 ? text + line : `${text.slice(0, lineEnd + 2)}${line}\r\n${text.slice(lineEnd + 2)}`;
  },
  'huge-number': (text, at, how) => {
    const start = text.slice(at % (text.length + 1)).search(/\d/);
    if (start < 0) return text;
    const from = (at % (text.length + 1)) + start;
    const digits = /^\d+/.exec(text.slice(from, from + 20))?.[0].length ?? 0;
    return text.slice(0, from) + (NUMBERS[how % NUMBERS.length] ?? '') + text.slice(from + digits);
  },
  nuls: (text, at, how) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + '\0'.repeat(1 + (how % 64)) + text.slice(index + ((how >>> 8) % 8));
  },
  noise: (_text, at, how) =>
    Array.from({ length: how % 200 }, (_none, index) =>
      String.fromCharCode((at * (index + 1) + (how >>> 4)) % 256),
    ).join(''),
};

const NUMBERS: readonly string[] = [
  ...['0', '-1', '+1', '2147483647', '2147483648', '4294967295', '4294967296', '9007199254740993'],
  ...['99999999999999999999', '1e9', '0x7f', '00000000000000000001', '9'.repeat(400)],
];

const SHARED = [
  ...(['bit-flip', 'other-octet', 'insertion', 'deletion', 'duplication', 'repetition', 'truncation'] as const),
  ...(['beheading', 'splice', 'join', 'line-in', 'line-out', 'line-twice', 'lines-many', 'line-empty'] as const),
  ...(['fold', 'line-ends', 'case'] as const),
] satisfies readonly SipMutation['kind'][];

const KINDS: readonly string[] = [...SHARED, ...Object.keys(OWN)];
