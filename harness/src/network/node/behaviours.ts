import { randomUUID } from 'node:crypto';
import { canonicalTelephoneNumber } from '@hopback/sdk/stir';
import type { AttestationFacts, SigningOutcome } from '@hopback/sdk/stir';
import type { ServerFault } from '@hopback/sdk/testing';
import type { AnsweredCall, TracebackAnswer, TracebackFinding } from '@hopback/sdk/traceback';
import type { Behaviour, BehaviourKind } from '../../scenario/index.js';
import type { PlannedCall } from '../plan/index.js';

/** The behaviour of a kind, with its members. */
type BehaviourOf<Kind extends BehaviourKind> = Extract<Behaviour, { readonly kind: Kind }>;

/** A leg that is about to be sent on. */
export interface Leg {
  /** Header fields, names in lower case; several Identity header fields are one text, as `outboundHeaders` makes it. */
  readonly headers: Readonly<Record<string, string>>;
  /** User part of the Request-URI. */
  readonly target: string;
  /** What became of our own signature, for the record. */
  readonly signing?: SigningOutcome;
  /** How many INVITEs are sent at once. */
  readonly branches: number;
}

/** What a behaviour may ask of its provider. */
interface LegSurroundings {
  readonly call: PlannedCall;
  /** Signs a call with an attestation of its own choice, in the name of a provider: by id, default itself. */
  readonly signAs: (
    parties: { readonly origTn: string; readonly destTn: string },
    order: { readonly attestation: 'A' | 'B' | 'C'; readonly provider?: string },
  ) => Promise<SigningOutcome>;
  /** Adds a div PASSporT to Identity header values. */
  readonly divert: (
    identity: readonly string[],
    numbers: { readonly from: string; readonly to: string },
  ) => Promise<readonly string[]>;
  /** What the provider remembers between calls, by the behaviour itself. */
  readonly memory: Map<Behaviour, unknown>;
}

/** What an answer is changed by. */
interface AnswerSurroundings {
  /** Name and id in the registry of a provider of the network, by the id of the scenario. */
  readonly provider: (id: string) => { readonly providerId: string; readonly name: string };
}

/**
 * What one kind of behaviour makes a node do, beside the SDK. Whatever is left out stays as it is with an honest provider.
 */
export interface NodeBehaviour<Kind extends BehaviourKind> {
  /** What it says that it knows of a customer, when it signs. */
  readonly facts?: (facts: AttestationFacts, behaviour: BehaviourOf<Kind>) => AttestationFacts;
  /** Whether it refuses a call for overload. `arrivedMs`: when those came that it took in, the newest last; it may change the list. */
  readonly isTooMuch?: (arrivedMs: number[], nowMs: number, behaviour: BehaviourOf<Kind>) => boolean;
  /** Changes what is sent on. */
  readonly sends?: (leg: Leg, behaviour: BehaviourOf<Kind>, around: LegSurroundings) => Leg | Promise<Leg>;
  /** Whether it signs with its faulty credential. */
  readonly hasFaultyCredential?: true;
  /** How its repository of certificates fails. */
  readonly serves?: (behaviour: BehaviourOf<Kind>) => ServerFault;
  /** Whether records of the calls are missing, and of the time. */
  readonly losesRecords?: true;
  /** Whether records are removed before anybody asks. */
  readonly purgesRecords?: true;
  /** By how much its clock is ahead, milliseconds. */
  readonly skewMs?: (behaviour: BehaviourOf<Kind>) => number;
  /** Whether its switch is down. */
  readonly isDown?: true;
  /** Whether it does not answer at all. */
  readonly isSilent?: true;
  /** How long after the request it answers, milliseconds of the platform's clock. */
  readonly answersAfterMs?: (behaviour: BehaviourOf<Kind>) => number;
  /** What it says in place of what it found. */
  readonly says?: (
    answer: TracebackAnswer,
    behaviour: BehaviourOf<Kind>,
    around: AnswerSurroundings,
  ) => TracebackAnswer;
}

const JOINT = '\r\nIdentity: ';

/** Identity header values of a leg. */
function identityOf({ headers }: Leg): readonly string[] {
  const { identity } = headers;
  return identity === undefined ? [] : identity.split(JOINT);
}

/** A leg with other Identity header values; none: without the field. */
function withIdentity(leg: Leg, values: readonly string[]): Leg {
  const { identity: _identity, ...headers } = leg.headers;
  return { ...leg, headers: values.length === 0 ? headers : { ...headers, identity: values.join(JOINT) } };
}

/** A leg that nobody but the one that signed it now speaks for; unsigned where that could not be made. */
function signedAnew(leg: Leg, signing: SigningOutcome): Leg {
  const { date: _date, ...headers } = leg.headers;
  const date = signing.status === 'signed' && signing.date !== undefined ? { date: signing.date } : {};
  const bare = { ...leg, headers: { ...headers, ...date }, signing };
  return withIdentity(bare, signing.status === 'signed' ? signing.identityHeaders : []);
}

/** Digits of the number in a From or To. */
function numberIn(field: string | undefined): string {
  return /<sips?:\+?([^@;>]*)/i.exec(field ?? '')?.[1] ?? '';
}

/** A From or To with another user part. */
function withUser(field: string | undefined, user: string): string {
  return (field ?? '').replace(/(<sips?:)[^@;>]*/i, (_all, scheme: string) => scheme + user);
}

/** Caller and called number of a leg, digits, as they go out. */
function partiesOf({ headers }: Leg): { readonly origTn: string; readonly destTn: string } {
  return { origTn: numberIn(headers['from']), destTn: numberIn(headers['to']) };
}

/** An Identity header value with another payload; one that is no shaken PASSporT as it is. RFC 8224 section 4, RFC 8588 section 4 */
function altered(value: string): string {
  const [, header, payload, rest] = /^\s*([\w-]+)\.([\w-]+)(\.[\w-]+\s*;.*)$/s.exec(value) ?? [];
  if (header === undefined || payload === undefined || rest === undefined) return value;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>>;
  if (claims['attest'] === undefined) return value;
  const text = JSON.stringify({ ...claims, attest: 'A', origid: randomUUID() });
  return `${header}.${Buffer.from(text).toString('base64url')}${rest}`;
}

/** As much as nobody waits for. */
const HOSTILE_BYTES = 16_777_216;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/**
 * The answer with another finding. What the record says stays where a call is said to have been found: the lie is about whom it came from.
 * @param finding - what is said
 * @param hasCall - whether it is admitted that there was such a call
 */
export function withOtherFinding(
  { call, ...answer }: TracebackAnswer,
  finding: TracebackFinding,
  hasCall: boolean = true,
): TracebackAnswer {
  if (!hasCall || call === undefined) return { ...answer, finding };
  const { ingressTrunk: _trunk, ingressAddress: _address, ingressCallId: _callId, ...rest } = call;
  return { ...answer, finding, call: rest };
}

/** The number that was called, however the provider before has written it: a PASSporT has it in canonical form. @see RFC 8224 section 8.3 */
function dialled(target: string): string {
  const number = canonicalTelephoneNumber(target);
  return number.kind === 'none' ? target.replace('+', '') : number.tn;
}

function sixHoursLater({ startedAt, calling, called, disposition }: AnsweredCall): AnsweredCall {
  const later = new Date(Date.parse(startedAt) + 6 * HOUR_MS).toISOString();
  return {
    startedAt: later,
    disposition,
    ...(calling && { calling }),
    ...(called && { called }),
  };
}

/** In front of a called number where nothing else is said, as carriers tell routes apart. */
const PREFIX = '1234';

const withField = (leg: Leg, name: string, value: string): Leg => ({
  ...leg,
  headers: { ...leg.headers, [name]: value },
});

const national = (field: string): string => field.replace(/(<sips?:)\+1(?=\d{10}[@;>])/i, '$1');

/** What each kind makes a node do. */
export const NODE_BEHAVIOURS: { readonly [Kind in BehaviourKind]: NodeBehaviour<Kind> } = {
  /** A link that is not IP: number and time of the signature go with it. */
  'strips-identity': {
    sends: ({ headers, signing: _signing, ...leg }) => {
      const { identity: _identity, date: _date, ...rest } = headers;
      return { ...leg, headers: rest };
    },
  },
  /** It says of every number that a customer shows that it is the customer's own. */
  'signs-spoofed': {
    facts: (facts) =>
      facts.role === 'originating'
        ? { ...facts, customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' }
        : facts,
  },
  /** What came is thrown away, and the call signed with less. */
  downgrades: {
    sends: async (leg, { to }, { signAs }) => signedAnew(leg, await signAs(partiesOf(leg), { attestation: to })),
  },
  /** What came is thrown away, and the call signed with the key of another. */
  'signs-as': {
    sends: async (leg, { provider, attestation }, { signAs }) =>
      signedAnew(leg, await signAs(partiesOf(leg), { attestation, provider })),
  },
  /** Full attestation, and an origid that was never given out, under the signature of somebody who said neither. */
  'alters-identity': { sends: (leg) => withIdentity(leg, identityOf(leg).map(altered)) },
  /** The call goes to another number, To stays as it was dialled, and a div PASSporT says so. @see RFC 8946 section 4 */
  diverts: {
    sends: async (leg, { to, withoutDiv = false }, { divert }) => {
      const retargeted = { ...leg, target: `+${to}` };
      const identity = identityOf(leg);
      if (withoutDiv || identity.length === 0) return retargeted;
      return withIdentity(retargeted, await divert(identity, { from: dialled(leg.target), to }));
    },
  },
  /** Numbers leave otherwise than they came. A `#` cannot stand in a URI as it is. @see RFC 3986 section 2.1 */
  'rewrites-numbers': {
    sends: (leg, { how, value }) => {
      if (how === 'calling')
        return value === undefined ? leg : withField(leg, 'from', withUser(leg.headers['from'], `+${value}`));
      if (how === 'prefix') {
        const called = `${value ?? PREFIX}%23${leg.target.replace('+', '')}`;
        return { ...withField(leg, 'to', withUser(leg.headers['to'], called)), target: called };
      }
      const [from, to] = ['from', 'to'].map((name) => national(leg.headers[name] ?? ''));
      const headers = { ...leg.headers, ...(from && { from }), ...(to && { to }) };
      return { ...leg, headers, target: leg.target.replace(/^\+1(?=\d{10}$)/, '') };
    },
  },
  /** Several INVITEs to the next hop at once; the first answer counts. */
  forks: { sends: (leg, { branches }) => ({ ...leg, branches }) },
  /** The Identity of the first call that had one is kept, and goes with every later one. */
  'replays-identity': {
    sends: (leg, behaviour, { memory }) => {
      const kept = memory.get(behaviour) as readonly string[] | undefined;
      if (kept !== undefined) return withIdentity(leg, kept);
      const identity = identityOf(leg);
      if (identity.length > 0) memory.set(behaviour, identity);
      return leg;
    },
  },
  /** It takes so many calls in any second. */
  overloads: {
    isTooMuch: (arrivedMs, nowMs, { perSecond }) => {
      while ((arrivedMs[0] ?? nowMs) <= nowMs - SECOND_MS) arrivedMs.shift();
      if (arrivedMs.length >= perSecond) return true;
      arrivedMs.push(nowMs);
      return false;
    },
  },
  /** Its switch is gone, and back at the same address. */
  crashes: { isDown: true },
  /** It signs with the certificate that has the fault. */
  certificate: { hasFaultyCredential: true },
  /** Nobody is there, nobody answers, or more comes than anybody should read. */
  'certificate-server': {
    serves: ({ fault }) => {
      if (fault === 'dead') return { kind: 'reset' };
      return fault === 'slow'
        ? { kind: 'stall' }
        : { kind: 'compression-bomb', sizeBytes: HOSTILE_BYTES, encoding: 'gzip' };
    },
  },
  /**
   * Nothing of that time was written down, and it does not claim so. The sdk leaves such a request to a person, who may not say that there was no call;
   * what is said is that there are no records of then.
   */
  'record-gap': {
    losesRecords: true,
    says: (answer) =>
      answer.finding.arm === 'refused'
        ? withOtherFinding(answer, { arm: 'not-retained', retainedFrom: answer.answeredAt }, false)
        : answer,
  },
  /** Retention is over before anybody asks. */
  'purged-records': { purgesRecords: true },
  /** Its clock is ahead, or behind where the number is negative: of signatures and of records. */
  'clock-skew': { skewMs: ({ seconds }) => seconds * SECOND_MS },
  /** Nobody looks at requests. */
  silent: { isSilent: true },
  /** Requests lie for hours before anybody looks at them. */
  late: { answersAfterMs: ({ hours }) => hours * HOUR_MS },
  /** It will not say, for a reason. */
  refuses: { says: (answer, { reason }) => withOtherFinding(answer, { arm: 'refused', reason }, false) },
  /** It names a provider that did not send it the call, and may disclose another call with it. */
  'names-another': {
    says: (answer, { provider, otherCall = false }, around) => {
      const said = withOtherFinding(answer, { arm: 'received-from', upstream: around.provider(provider) });
      return otherCall && said.call !== undefined ? { ...said, call: sixHoursLater(said.call) } : said;
    },
  },
  /** It names somebody who is nowhere listed. */
  'names-nobody': {
    says: (answer, { name }) => withOtherFinding(answer, { arm: 'received-from-unlisted', upstream: { name } }),
  },
  /** It says that a customer of its own has called. */
  'claims-origin': { says: (answer) => withOtherFinding(answer, { arm: 'origin', customer: {} }) },
  /** It says that there was no such call. */
  denies: { says: (answer) => withOtherFinding(answer, { arm: 'not-found' }, false) },
};

/** What a behaviour makes a node do. Its functions are to be given that very behaviour. */
export function behaviourOf(behaviour: Behaviour): NodeBehaviour<BehaviourKind> {
  return NODE_BEHAVIOURS[behaviour.kind] as NodeBehaviour<BehaviourKind>;
}
