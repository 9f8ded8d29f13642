import type { Behaviour, BehaviourKind } from '../../scenario/index.js';
import type { Attestation, GivenAnswer, TrueFault, TrueIdentity } from './truth.js';

/** The behaviour of a kind. */
export type BehaviourOf<Kind extends BehaviourKind> = Extract<Behaviour, { readonly kind: Kind }>;

/** A call between two providers: numbers and Identity, as they are on the wire. */
export interface Leg {
  readonly calling: string;
  readonly called: string;
  readonly identity: readonly TrueIdentity[];
}

/** The provider at which something is done to a call, as far as behaviours look at it. */
export interface BehaviourHop {
  readonly provider: string;
  readonly callIndex: number;
  /** Whether it takes part in STIR/SHAKEN. */
  readonly isSigner: boolean;
  /** Makes a shaken PASSporT for the numbers of a leg, with the certificate of a provider: its own, or that of another. */
  readonly sign: (leg: Leg, certificateOf: string, attestation: Attestation) => TrueIdentity;
  /** Makes a div PASSporT from one number to another. */
  readonly divert: (leg: Leg, to: string) => TrueIdentity;
  /** Identities of earlier calls, of which this provider has kept one, it is not known which; undefined: it may have kept none yet. */
  readonly keptIdentities: () => readonly (readonly TrueIdentity[] | undefined)[];
}

/** How a provider fares with a call that comes in. */
export interface Reception {
  /** Whether it is refused for certain; else it depends on the instant. */
  readonly isCertain: boolean;
  /** What the caller may get then. */
  readonly status: readonly number[];
}

/** What follows from a behaviour, as far as something does. */
export interface BehaviourEffects {
  /** What is sent in place of what would be. */
  readonly sends?: (leg: Leg, hop: BehaviourHop) => Leg;
  /** With what it signs, where it signs. */
  readonly attestation?: Attestation;
  /** `perSecond`: calls that the provider is sent in the busiest of the seconds around this one. */
  readonly receives?: (load: () => number) => Reception | undefined;
  /** What is wrong with signatures under its certificate: in any case, and for some. */
  readonly certificate?: { readonly faults: readonly TrueFault[]; readonly doubtful: readonly TrueFault[] };
  readonly record?: 'gone' | 'none';
  /** How far its clock is ahead, seconds. */
  readonly clockSeconds?: number;
  /** What it says in place of the truth. */
  readonly says?: GivenAnswer;
  /** How long after the request it says it, hours. */
  readonly afterHours?: number;
  /** Who says that it sent the call, though it did not. */
  readonly colluder?: string;
  /** Whether it keeps an Identity to send it with other calls. */
  readonly isReplaying?: boolean;
  /** Whether the next provider gets the call several times. */
  readonly isForked?: boolean;
}

const FAULTS = {
  expired: 'certificate-expired',
  revoked: 'certificate-revoked',
  'wrong-spc': 'certificate-wrong-spc',
  untrusted: 'certificate-untrusted',
} as const satisfies Record<BehaviourOf<'certificate'>['fault'], TrueFault>;

/**
 * Nobody gets the certificate from a dead server. From a slow one some get it, and have it from then on. From a hostile one comes anything, another
 * certificate too.
 */
function certificateServer({ fault }: BehaviourOf<'certificate-server'>): BehaviourEffects {
  if (fault === 'slow') return { certificate: { faults: [], doubtful: ['certificate-not-fetched'] } };
  const doubtful: readonly TrueFault[] = fault === 'hostile' ? ['certificate-untrusted'] : [];
  return { certificate: { faults: ['certificate-not-fetched'], doubtful } };
}

/** The Identity of the first call under it that had any, in place of that of this one. */
function replayed(leg: Leg, hop: BehaviourHop): Leg {
  const kept = hop.keptIdentities();
  const [first] = kept;
  if (kept.length === 0) return leg;
  const fitting = kept.filter((identity) => identity === undefined || isAbout(identity, leg));
  if (fitting.length === kept.length || fitting.length === 0) return { ...leg, identity: first ?? leg.identity };
  // It depends on which came first, so that what was sent may be about this call, or about another.
  return { ...leg, identity: (fitting[0] ?? leg.identity).map(perhapsOfAnother) };
}

function isAbout(identity: readonly TrueIdentity[], { calling, called }: Leg): boolean {
  return identity.every(({ orig, dest }) => orig === calling && dest === called);
}

function perhapsOfAnother(one: TrueIdentity): TrueIdentity {
  return { ...one, doubtful: [...one.doubtful, 'callee-differs'] };
}

/** In front of a called number where nothing else is said. */
const PREFIX = '1234';

/** Ten digits, of a number of North America; others have no such form. */
function national(number: string): string {
  return /^1[0-9]{10}$/.test(number) ? number.slice(1) : number;
}

/** What each kind of behaviour makes true. Total: a kind that is new does not compile without its truth. */
export const BEHAVIOUR_TRUTHS: {
  readonly [Kind in BehaviourKind]: (behaviour: BehaviourOf<Kind>) => BehaviourEffects;
} = {
  /** A link that is not IP: neither what came nor what the provider signed survives. */
  'strips-identity': () => ({ sends: (leg) => ({ ...leg, identity: [] }) }),
  /** Whatever it signs, it signs with full attestation. */
  'signs-spoofed': () => ({ attestation: 'A' }),
  /** What came is thrown away; what goes on is signed by this provider, for the numbers that the call has now. */
  downgrades: ({ to }) => ({ sends: (leg, hop) => ({ ...leg, identity: [hop.sign(leg, hop.provider, to)] }) }),
  /** What came is thrown away; what goes on is signed by this provider with the key and certificate of another. */
  'signs-as': ({ provider, attestation }) => ({
    sends: (leg, hop) => ({ ...leg, identity: [hop.sign(leg, provider, attestation)] }),
  }),
  /** What was signed is not what is read any longer. The numbers stay. */
  'alters-identity': () => ({
    sends: ({ identity, ...leg }) => ({
      ...leg,
      identity: identity.map((one) =>
        one.ppt === 'shaken' ? { ...one, attestation: 'A', faults: [...one.faults, 'signature-false'] } : one,
      ),
    }),
  }),
  /** Another number is called; a div PASSporT says so where there is an Identity that it could belong to. RFC 8946 section 4 */
  diverts: ({ to, withoutDiv = false }) => ({
    sends: ({ calling, called, identity }, hop) => {
      const isUntold = withoutDiv || !hop.isSigner || identity.length === 0;
      const told = isUntold ? identity : [...identity, hop.divert({ calling, called, identity }, to)];
      return { calling, called: to, identity: told };
    },
  }),
  /** The numbers of the call are written otherwise, or are others; Identity goes on as it came. */
  'rewrites-numbers': ({ how, value }) => ({
    sends: ({ calling, called, identity }) => {
      if (how === 'national') return { calling: national(calling), called: national(called), identity };
      if (how === 'prefix') return { calling, called: `${value ?? PREFIX}#${called}`, identity };
      return { calling: value ?? calling, called, identity };
    },
  }),
  /** Each branch carries the same numbers and the same Identity: one way of them is the way of the plan. RFC 8224 section 12.1 */
  forks: () => ({ isForked: true }),
  'replays-identity': () => ({ isReplaying: true, sends: replayed }),
  /** What is more than it can carry gets 503; which calls these are depends on the instant. RFC 3261 section 21.5.4 */
  overloads: ({ perSecond }) => ({
    receives: (load) => (load() > perSecond ? { isCertain: false, status: [503] } : undefined),
  }),
  /** Nothing is answered: who sent the call gives up by timer B, or learns from its transport that nobody is there. RFC 3261 section 17.1.1.2 */
  crashes: () => ({
    receives: () => ({ isCertain: true, status: [408, 480, 500, 502, 503, 504] }),
  }),
  /** Signatures under this certificate prove nothing; that of another's code proves something else. ATIS-1000080 */
  certificate: ({ fault }) => ({ certificate: { faults: [FAULTS[fault]], doubtful: [] } }),
  'certificate-server': certificateServer,
  /** The call is carried, and nothing is written down. */
  'record-gap': () => ({ record: 'none' }),
  /** It was written down, and is gone when somebody asks. */
  'purged-records': () => ({ record: 'gone' }),
  /** Times that it writes, those of signatures too, are so many seconds late. */
  'clock-skew': ({ seconds }) => ({ clockSeconds: seconds }),
  /** Says nothing. */
  silent: () => ({ says: { kind: 'silent' } }),
  /** Says what is true, when the deadline may be over. */
  late: ({ hours }) => ({ afterHours: hours }),
  /** Will not say, and says why. */
  refuses: ({ reason }) => ({ says: { kind: 'refused', reason } }),
  /** Names a provider of the network that did not send it the call. */
  'names-another': ({ provider, colludes = false, otherCall = false }) => ({
    says: { kind: 'upstream', provider, ...(otherCall && { otherCall }) },
    ...(colludes && { colluder: provider }),
  }),
  /** Names somebody whom no registry has. */
  'names-nobody': ({ name }) => ({ says: { kind: 'unlisted', name } }),
  /** Says that the call began with it; with which customer, it does not say. */
  'claims-origin': () => ({ says: { kind: 'origin', caller: '' } }),
  /** Says that there was no such call. */
  denies: () => ({ says: { kind: 'not-found' } }),
};

/** What follows from a behaviour. */
export function effectsOf(behaviour: Behaviour): BehaviourEffects {
  // The table has under each kind the function of that kind.
  return (BEHAVIOUR_TRUTHS[behaviour.kind] as (behaviour: Behaviour) => BehaviourEffects)(behaviour);
}
