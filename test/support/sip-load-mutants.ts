import { SeededRandom } from '../../harness/src/faults/index.js';
import { sdp } from './drachtio-sip-text.js';
import { mutated, MUTATION_KINDS, sipCorpus } from './sip-mutations.js';
import { requestText, responseText } from './sip-samples.js';

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
  const random = new SeededRandom(seed, stream);
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
      for (let step = 0; step < steps; step += 1) {
        const mutation = { kind: random.pick(MUTATION_KINDS), at: random.int(2 ** 31), how: random.int(2 ** 31) };
        text = mutated(text, [mutation], others);
      }
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

/** A message of a call, as it should be; the response answers nothing, for the server has asked nobody. */
function request(what: string, call: string): string {
  if (what === 'response') return responseText(200, { branch: `z9hG4bK-${call}` });
  const method = what === 'reINVITE' ? 'INVITE' : what;
  const isInDialog = IN_DIALOG.has(what);
  // CANCEL and the ACK of a refusal go by the branch of their INVITE.
  const branch = what === 'CANCEL' || what === 'INVITE' ? `z9hG4bK-${call}` : `z9hG4bK-${call}-${what}`;
  const body = method === 'INVITE' || method === 'UPDATE' ? sdp() : '';
  return requestText(method, {
    ...{ requestUri: 'sip:app@127.0.0.1', via: `SIP/2.0/UDP 127.0.0.1:9;rport;branch=${branch}`, body },
    ...{ from: `"M" <sip:m@127.0.0.1>;tag=${call}`, callId: call, contact: '<sip:m@127.0.0.1:9>' },
    to: `<sip:app@127.0.0.1>${isInDialog ? `;tag=${OUR_TAG}` : ''}`,
    cseq: isInDialog && what !== 'ACK' ? 2 : 1,
    lines: [
      'Supported: 100rel, timer',
      ...(MORE_LINES[what] ?? []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ],
  });
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
