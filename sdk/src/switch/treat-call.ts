import type { CallVerdict } from '../stir/index.js';
import type { CallFacts } from './call-facts.js';
import type { NetworkBlock, PoorVerdict, TrunkPolicy } from './trunk-policy.js';

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
export type CallConcern = PoorVerdict | 'unreadable' | 'do-not-originate' | 'upstream-not-filed' | 'upstream-removed';

/** Why a call goes on that would have been refused. */
export type Exemption = 'emergency' | 'anonymous';

/** What is done with a call. */
export type CallTreatment =
  | {
      readonly action: 'continue';
      /** Values of Reason header fields, for the next provisional response but 100, or for the final one. @see RFC 9410 section 4 */
      readonly reasonHeaders: readonly string[];
      readonly concerns: readonly CallConcern[];
      /** There where it would have been refused otherwise. */
      readonly exemption?: Exemption;
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
