import type { TracebackFinding } from '../../core/traceback-request.js';
import { isOneCompany } from '../directory/one-company.js';
import { decideTraceback } from './decide-traceback.js';
import type { PolicyDecision } from './policy-decision.js';
import type { PolicyInput } from './policy-input.js';

/** A request of the past, with what was found then. */
export interface PastRequest extends Pick<PolicyInput, 'request' | 'outcome' | 'hold' | 'sources' | 'nowUs'> {
  /** What was answered, and by whom, where it was. */
  readonly given?: { readonly finding: TracebackFinding; readonly by: 'automatic' | 'person' };
}

/** What a policy would have made of one request. */
export interface PolicyTrialCase {
  readonly requestId: string;
  readonly decision: PolicyDecision;
  readonly given?: PastRequest['given'];
  /**
   * Of an answer that a person gave and the policy would have given: whether it says the same, and names the same. A policy that would have said
   * something else than a person who looked is too bold.
   */
  readonly agrees?: boolean;
}

/** What a policy would have made of all of them. */
export interface PolicyTrial {
  readonly policyId: string;
  readonly requests: number;
  readonly automatic: number;
  readonly review: number;
  /** Answers that a person gave, and the policy would have given otherwise. */
  readonly disagreements: number;
  readonly byArm: Readonly<Record<string, number>>;
  readonly byQueue: Readonly<Record<string, number>>;
  /** How many requests each rule held back, and how many it alone did: what loosening it would let through. */
  readonly byRule: Readonly<Record<string, { readonly held: number; readonly alone: number }>>;
  readonly cases: readonly PolicyTrialCase[];
}

/**
 * Tries a policy on requests of the past, with what was found then: nothing is answered. Pure; never throws.
 * @param past - requests, with their outcomes
 * @param options - who answers, the policy to try, and the directory
 * @returns what would have been answered without a person and why not, in all and for each request
 * @see {@link decideTraceback}
 * @example
 * ```ts
 * const policy = readTracebackPolicy({ policyId: 'example-2' });
 * const directory = createTrunkDirectory({ directoryId: 'trunks-7', providers: [], entries: [] });
 * const trial = tryTracebackPolicy([], { provider: { name: 'Example Telecom LLC' }, policy, directory });
 * console.log(trial.policyId, trial.requests); // example-2 0
 * ```
 */
export function tryTracebackPolicy(
  past: readonly PastRequest[],
  options: Pick<PolicyInput, 'provider' | 'policy' | 'directory'>,
): PolicyTrial {
  const cases = past.map((one) => trialCase(one, options));
  const byRule = new Map<string, { held: number; alone: number }>();
  for (const { decision } of cases) {
    if (decision.kind === 'automatic') continue;
    for (const { rule } of decision.reasons) {
      const counts = byRule.get(rule) ?? { held: 0, alone: 0 };
      byRule.set(rule, counts);
      counts.held += 1;
      if (decision.reasons.length === 1) counts.alone += 1;
    }
  }
  const automatic = cases.flatMap(({ decision }) =>
    decision.kind === 'automatic' ? [decision.draft.finding.arm] : [],
  );
  const queues = cases.flatMap(({ decision }) => (decision.kind === 'review' ? [decision.queue] : []));
  return {
    policyId: options.policy.policyId,
    requests: cases.length,
    automatic: automatic.length,
    review: queues.length,
    disagreements: cases.filter(({ agrees }) => agrees === false).length,
    byArm: counted(automatic),
    byQueue: counted(queues),
    byRule: Object.fromEntries([...byRule].toSorted(([, one], [, other]) => other.held - one.held)),
    cases,
  };
}

function trialCase(one: PastRequest, options: Pick<PolicyInput, 'provider' | 'policy' | 'directory'>): PolicyTrialCase {
  const { given, request } = one;
  const decision = decideTraceback({ ...one, ...options });
  const isTold = given?.by === 'person' && decision.kind === 'automatic';
  return {
    requestId: request.requestId,
    decision,
    ...(given === undefined ? {} : { given }),
    ...(isTold ? { agrees: saysSame(decision.draft.finding, given.finding) } : {}),
  };
}

/** Whether two answers say the same of the same: who is another has been accused in place of another. */
function saysSame(one: TracebackFinding, other: TracebackFinding): boolean {
  if (one.arm === 'received-from' && other.arm === 'received-from') return isOneCompany(one.upstream, other.upstream);
  if (one.arm === 'received-from-unlisted' || one.arm === 'point-of-entry')
    return one.arm === other.arm && isOneCompany({ name: one.upstream.name }, { name: other.upstream.name });
  if (one.arm === 'origin' && other.arm === 'origin') {
    const [first, second] = [one.customer.customerId, other.customer.customerId];
    return first === undefined || second === undefined || first === second;
  }
  return one.arm === other.arm;
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, one], [, other]) => other - one));
}
