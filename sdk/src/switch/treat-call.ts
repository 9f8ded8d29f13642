import { HopbackError } from '../errors.js';
import type { CallVerdict, AttestationFacts } from '../stir/index.js';
import type { CallFacts } from './call-facts.js';

/** What a verdict was that is no good one. `unsigned`: no Identity header that counts. `indeterminate`: something could not be checked. */
type PoorVerdict = TrunkPolicy['rejects'][number];

/**
 * How a call is refused by an analytics block of the United States: whoever is blocked is told where it was, and whom to turn to by at least one of
 * `url`, `tel` and `email`.
 * @see 47 CFR 64.1200(k)(9), ATIS-1000099
 */
export type NetworkBlock = Exclude<TrunkPolicy['rejectWith'], 'stir'>;

/** What is done with the calls of a trunk. Made by {@link trunkPolicy}, which knows the defaults of each role. */
export interface TrunkPolicy {
  /** What the provider is for the calls that come in by the trunk. */
  readonly role: AttestationFacts['role'];
  /**
   * `always`: unsigned calls are told so. `when-signed`: what has no Identity header is no fault. `off`: nothing is verified. Default `always`
   * for `terminating`, `when-signed` for the others: nobody signs towards an originating provider, and much of what comes from abroad is not
   * signed at all.
   */
  readonly verify: 'always' | 'when-signed' | 'off';
  /**
   * What a poor verdict does. `continue`: the call goes on with its verstat. `continue_return_reason`: it does, and the caller's side is told by
   * Reason header fields. `reject_request`: it ends. Default `continue_return_reason`; an `intermediate` may not reject for a verdict.
   * @see RFC 9410
   */
  readonly failureAction: 'continue' | 'continue_return_reason' | 'reject_request';
  /** Which poor verdicts `reject_request` is for. Default `failed` alone: that something could not be checked is no fault of the caller. */
  readonly rejects: readonly ('failed' | 'unsigned' | 'indeterminate')[];
  /** How it ends: by the response of the verdict (RFC 8224 section 6.2.2), or by 603 Network Blocked. Default `stir`. */
  readonly rejectWith:
    | 'stir'
    | {
        /** An absolute `https` URL of at most 256 characters. */
        readonly url?: string;
        /** A telephone number: `+` and up to 15 digits. */
        readonly tel?: string;
        /** An address of at most 256 characters. */
        readonly email?: string;
        /**
         * Which network blocked it, as ISUP names it: `LN` the network that serves the callee locally, `RLN` the same seen from afar, `TN` transit, `INTL`
         * international, `RPN` and `LPN` private networks, `U` the user, `BI` beyond an interworking point.
         * @see RFC 8606 section 4, ITU-T Q.850 section 2.2.3
         */
        readonly location: 'U' | 'LPN' | 'LN' | 'TN' | 'RLN' | 'RPN' | 'INTL' | 'BI';
      };
  /** A calling number whose holder makes no calls from it: nothing, a mark, or the end of the call. Default `mark`. */
  readonly doNotOriginate: 'off' | 'mark' | 'reject';
  /**
   * The upstream provider has no filing in the Robocall Mitigation Database, or was removed from it: nothing, a mark, or the end of the call.
   * Default `mark`. @see 47 CFR 64.6305(g)
   */
  readonly upstreamFiling: 'off' | 'mark' | 'reject';
  /** A request that cannot be read, so that nothing of it was looked at: a mark, or 400. Default `mark`. */
  readonly unreadable: 'mark' | 'reject';
  /**
   * Whether header fields make an emergency call, as `Priority: psap-callback` does, or only where it is headed. Anybody can write them: `ignored`
   * for trunks from which no answering point calls. Default `believed`. @see RFC 7090 section 6
   */
  readonly emergencyMarks: 'believed' | 'ignored';
}

/** Longest URL or address of a redress: what fits into a Reason header beside the rest in any switch. */
const MAX_REDRESS_CHARS = 256;
const REDRESS: Readonly<Record<'url' | 'tel' | 'email', RegExp>> = {
  // Without what would end a parameter or its quotes.
  url: /^https:\/\/[\w.~:/?#[\]@!$&()*+,=%-]+$/,
  tel: /^\+\d{1,15}$/,
  email: /^[\w.+-]+@[\w.-]+$/,
};
const ISUP_LOCATIONS: readonly NetworkBlock['location'][] = ['U', 'LPN', 'LN', 'TN', 'RLN', 'RPN', 'INTL', 'BI'];

/**
 * Fills a policy up with the defaults of its role.
 * @param partial - `role` and whatever is to differ from its defaults
 * @returns a whole policy, checked
 * @throws {@link HopbackError} `invalid-configuration` for a member that is unknown, misspelled or out of range, and for an intermediate that
 * would reject calls for their verdict
 * @see 47 CFR 64.6302
 * @example
 * ```ts
 * const policy = trunkPolicy({ role: 'terminating', failureAction: 'reject_request' });
 * console.log(policy.verify, policy.rejects.join()); // always failed
 * ```
 */
export function trunkPolicy(partial: Pick<TrunkPolicy, 'role'> & Partial<TrunkPolicy>): TrunkPolicy {
  const given = Object.fromEntries(Object.entries(partial).filter(([, value]) => value !== undefined));
  const policy: TrunkPolicy = {
    verify: partial.role === 'terminating' ? 'always' : 'when-signed',
    failureAction: 'continue_return_reason',
    rejects: ['failed'],
    rejectWith: 'stir',
    ...({ doNotOriginate: 'mark', upstreamFiling: 'mark', unreadable: 'mark', emergencyMarks: 'believed' } as const),
    ...(given as typeof partial),
  };
  for (const name of Object.keys(given))
    if (!Object.hasOwn(CHOICES, name) && name !== 'rejects' && name !== 'rejectWith')
      throw invalid(`${name} is no member of a trunk policy`);
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value: unknown = policy[name as keyof typeof CHOICES];
    if (!(choices as readonly unknown[]).includes(value)) throw invalid(`${name} must be one of ${choices.join(', ')}`);
  }
  const { rejects, rejectWith, role, failureAction } = policy;
  if (
    !Array.isArray(rejects) ||
    rejects.length === 0 ||
    !rejects.every((one: unknown) => (POOR_VERDICTS as readonly unknown[]).includes(one))
  )
    throw invalid(`rejects must name one or more of ${POOR_VERDICTS.join(', ')}`);
  if (rejectWith !== 'stir' && !isNetworkBlock(rejectWith))
    throw invalid('rejectWith must be stir, or have url (https), tel or email, and a location as in RFC 8606');
  if (role === 'intermediate' && failureAction === 'reject_request')
    throw invalid('an intermediate provider hands calls on whatever their verdict is: failureAction must be another');
  return policy;
}

const POOR_VERDICTS: readonly PoorVerdict[] = ['failed', 'unsigned', 'indeterminate'];

const CHOICES = {
  role: ['originating', 'gateway', 'intermediate', 'terminating'],
  verify: ['always', 'when-signed', 'off'],
  failureAction: ['continue', 'continue_return_reason', 'reject_request'],
  doNotOriginate: ['off', 'mark', 'reject'],
  upstreamFiling: ['off', 'mark', 'reject'],
  unreadable: ['mark', 'reject'],
  emergencyMarks: ['believed', 'ignored'],
} as const satisfies { readonly [Name in keyof TrunkPolicy]?: readonly TrunkPolicy[Name][] };

function isNetworkBlock(value: unknown): value is NetworkBlock {
  if (typeof value !== 'object' || value === null) return false;
  const { location, ...redress } = value as Readonly<Record<string, unknown>>;
  const stated = Object.entries(redress).filter(([, one]) => one !== undefined);
  const isGood = ([name, one]: readonly [string, unknown]): boolean =>
    Object.hasOwn(REDRESS, name) &&
    typeof one === 'string' &&
    one.length <= MAX_REDRESS_CHARS &&
    REDRESS[name as keyof typeof REDRESS].test(one);
  return stated.length > 0 && stated.every(isGood) && (ISUP_LOCATIONS as readonly unknown[]).includes(location);
}

const invalid = (message: string): HopbackError => new HopbackError('invalid-configuration', message);

/** What the Robocall Mitigation Database has of an upstream provider. `unknown`: nobody has looked. @see 47 CFR 64.6305(d) */
export type UpstreamFiling = 'present' | 'absent' | 'removed' | 'unknown';

/** What a call is judged by. */
export interface CallToTreat {
  readonly facts: CallFacts;
  /** Absent where nothing was verified, or could be. */
  readonly verdict?: CallVerdict;
  /** The request could not be read; `facts` are what its first line says. */
  readonly isUnreadable?: boolean;
  /** Whether a number that the request states is on the do-not-originate list; absent where no list is there. */
  readonly isDoNotOriginate?: boolean;
  readonly filing?: UpstreamFiling;
}

/** What speaks against a call: a poor verdict, what it looks like, its calling number, or whom it comes from. */
export type CallConcern =
  TrunkPolicy['rejects'][number] | 'unreadable' | 'do-not-originate' | 'upstream-not-filed' | 'upstream-removed';

/** Why a call goes on that would have been refused. */
export type Exemption = NonNullable<Extract<CallTreatment, { readonly exemption?: unknown }>['exemption']>;

/** What is done with a call. */
export type CallTreatment =
  | {
      readonly action: 'continue';
      /** Values of Reason header fields, for the next provisional response but 100, or for the final one. @see RFC 9410 section 4 */
      readonly reasonHeaders: readonly string[];
      readonly concerns: readonly CallConcern[];
      /** There where it would have been refused otherwise. */
      readonly exemption?: 'emergency' | 'anonymous';
    }
  | {
      readonly action: 'reject';
      readonly status: number;
      readonly reasonPhrase: string;
      readonly reasonHeaders: readonly string[];
      readonly concerns: readonly CallConcern[];
      /** The concern that it is refused for. */
      readonly because: CallConcern;
    };

/**
 * Decides what becomes of a call. Without an explicit policy every call goes on. Emergency calls always do, whatever the policy is; those of
 * callers who are not named do whatever their verdict is.
 * @param call - what is known of it
 * @param policy - of the trunk that it came in by; made by {@link trunkPolicy}
 * @returns to go on or to refuse, with what is told the caller's side; never throws
 * @see RFC 8224 section 6.2.2, RFC 9410 section 4, 47 CFR 64.1200(k)
 * @example
 * ```ts
 * const policy = trunkPolicy({ role: 'terminating', doNotOriginate: 'reject' });
 * const facts = { statedNumbers: ['18005550100'], isEmergency: false, isMarkedEmergency: false, isAnonymous: false, isSigned: false };
 * const treatment = treatCall({ facts, isDoNotOriginate: true }, policy);
 * if (treatment.action === 'reject') console.log(treatment.status, treatment.because); // 603 do-not-originate
 * ```
 */
export function treatCall(call: CallToTreat, policy: TrunkPolicy): CallTreatment {
  const { verdict, facts } = call;
  const poor = poorVerdictOf(call, policy);
  const concerns: CallConcern[] = poor === undefined ? [] : [poor];
  if (call.isUnreadable === true) concerns.push('unreadable');
  if (call.isDoNotOriginate === true && policy.doNotOriginate !== 'off') concerns.push('do-not-originate');
  const filing = policy.upstreamFiling === 'off' ? undefined : FILING_CONCERNS[call.filing ?? 'unknown'];
  if (filing !== undefined) concerns.push(filing);
  // Also beside a good header one that is not good is named. What has no Identity that counts is no fault where only signed calls are verified.
  const isTold = policy.failureAction !== 'continue' && (poor !== undefined || verdict?.status === 'passed');
  const refusals = concerns.filter((concern) => isRefusal(concern, policy));
  const exempted = exemptionOf(facts, policy);
  const because = refusals.find(
    (concern) => exempted === undefined || (exempted === 'anonymous' && !isVerdict(concern)),
  );
  if (because !== undefined) return refused(call, policy, { because, concerns });
  return {
    action: 'continue',
    reasonHeaders: isTold ? (verdict?.reasonHeaders ?? []) : [],
    concerns,
    ...(exempted !== undefined && refusals.length > 0 && { exemption: exempted }),
  };
}

const FILING_CONCERNS: Readonly<Record<UpstreamFiling, 'upstream-not-filed' | 'upstream-removed' | undefined>> = {
  present: undefined,
  unknown: undefined,
  absent: 'upstream-not-filed',
  removed: 'upstream-removed',
};

function poorVerdictOf({ verdict, facts }: CallToTreat, { verify }: TrunkPolicy): PoorVerdict | undefined {
  if (verdict === undefined || verify === 'off' || verdict.status === 'passed') return undefined;
  if (verdict.status === 'failed') return 'failed';
  const isUnsigned = !facts.isSigned || verdict.outcomes.every(({ status }) => status === 'ignored');
  if (isUnsigned) return verify === 'always' ? 'unsigned' : undefined;
  return 'indeterminate';
}

function exemptionOf(facts: CallFacts, { emergencyMarks }: TrunkPolicy): Exemption | undefined {
  if (facts.isEmergency || (facts.isMarkedEmergency && emergencyMarks === 'believed')) return 'emergency';
  return facts.isAnonymous ? 'anonymous' : undefined;
}

const isVerdict = (concern: CallConcern): concern is PoorVerdict =>
  concern === 'failed' || concern === 'unsigned' || concern === 'indeterminate';

function isRefusal(concern: CallConcern, policy: TrunkPolicy): boolean {
  if (concern === 'do-not-originate') return policy.doNotOriginate === 'reject';
  if (concern === 'unreadable') return policy.unreadable === 'reject';
  if (!isVerdict(concern)) return policy.upstreamFiling === 'reject';
  return policy.failureAction === 'reject_request' && policy.rejects.includes(concern);
}

/** A response of a verdict names what to mend; where it has none there is nothing to mend. @see RFC 3261 section 21.4.4 */
const FORBIDDEN = { status: 403, reasonPhrase: 'Forbidden' } as const;
/** @see RFC 3261 section 21.4.1 */
const BAD_REQUEST = { status: 400, reasonPhrase: 'Bad Request' } as const;
/** @see RFC 3261 section 21.6.2 */
const DECLINE = { status: 603, reasonPhrase: 'Decline' } as const;

function refused(
  { verdict }: CallToTreat,
  { rejectWith }: TrunkPolicy,
  { because, concerns }: { readonly because: CallConcern; readonly concerns: readonly CallConcern[] },
): CallTreatment {
  const refusal = { action: 'reject', concerns, because } as const;
  // A number that nobody calls from is nobody's: there is no one to turn to anybody. Such blocks need no redress.
  if (because === 'do-not-originate') return { ...refusal, ...DECLINE, reasonHeaders: [] };
  if (because === 'unreadable') return { ...refusal, ...BAD_REQUEST, reasonHeaders: [] };
  if (!isVerdict(because)) return { ...refusal, ...FORBIDDEN, reasonHeaders: [] };
  if (rejectWith !== 'stir')
    return { ...refusal, status: 603, reasonPhrase: 'Network Blocked', reasonHeaders: [networkBlocked(rejectWith)] };
  const { status, reasonPhrase } = verdict?.sipResponse ?? FORBIDDEN;
  return { ...refusal, status, reasonPhrase, reasonHeaders: [] };
}

/** @see ATIS-1000099, 47 CFR 64.1200(k)(9) */
function networkBlocked({ url, tel, email, location }: NetworkBlock): string {
  const redress = Object.entries({ url, tel, email }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return `SIP;cause=603;text="${['v=analytics1', ...redress].join(';')}";location=${location}`;
}
