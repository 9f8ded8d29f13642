import type { Mutant } from './mutant.js';

const AT = 'sdk/dist/traceback';

/** Defects of whoever answers tracebacks for a carrier. */
export const ANSWER_MUTANTS: readonly Mutant[] = [
  {
    name: 'responder-off-by-one-hop',
    suffers: 'The carrier names whom it sent the call to as the one that sent it.',
    file: `${AT}/policy/decide-traceback.js`,
    text: 'return candidate.upstream === undefined ? undefined : findingOfParty(candidate.upstream, policy.customers);',
    replacement: `if (candidate.upstream?.kind === 'provider' && request.downstream !== undefined) return { arm: 'received-from', upstream: request.downstream }; return candidate.upstream === undefined ? undefined : findingOfParty(candidate.upstream, policy.customers);`,
    needsPlatform: true,
    scenarios: ['three-hops', 'five-hops'],
  },
  {
    name: 'responder-takes-the-other-call',
    suffers: 'Of two calls that fit, the carrier answers for the one that was not meant.',
    file: `${AT}/match/match-call.js`,
    text: 'candidate: best.candidate,\n            others:',
    replacement: 'candidate: (weighed[1] ?? best).candidate,\n            others:',
    needsPlatform: true,
    scenarios: ['neighbour', 'rewritten-numbers', 'everything'],
  },
  {
    name: 'responder-ignores-the-calling-number',
    suffers: 'Whoever was called twice within a minute has a traceback that ends at somebody else.',
    file: `${AT}/match/weigh-candidates.js`,
    text: 'const equal = parties.find(isEqual);',
    replacement: 'const equal = parties.find((party) => isEqual(party) || true);',
    needsPlatform: true,
    scenarios: ['wangiri', 'neighbour', 'everything'],
  },
  {
    name: 'responder-denies-what-it-has-purged',
    suffers: 'Records that were removed are answered as a call that never was.',
    file: `${AT}/policy/decide-traceback.js`,
    text: `finding: { arm: 'not-retained', retainedFrom: utcText(outcome.retainedFromUs) },`,
    replacement: `finding: { arm: 'not-found' },`,
    needsPlatform: true,
    scenarios: ['purged-records'],
  },
  {
    name: 'responder-claims-origin',
    suffers: 'A wholesaler accuses itself of every call that it carried.',
    file: `${AT}/policy/decide-traceback.js`,
    text: `return { arm: 'received-from', upstream: party.provider };`,
    replacement: `return { arm: 'origin', customer: customerStatement(undefined, customers) };`,
    needsPlatform: true,
    scenarios: ['three-hops', 'five-hops'],
  },
  {
    name: 'responder-hides-the-border',
    suffers: 'A gateway answers like the originator of foreign calls.',
    file: `${AT}/policy/decide-traceback.js`,
    text: `return { arm: 'point-of-entry', upstream: party.contact };`,
    replacement: `return { arm: 'origin', customer: customerStatement(undefined, customers) };`,
    needsPlatform: true,
    scenarios: ['gateway'],
  },
  {
    name: 'responder-states-local-times',
    suffers: 'The next carrier is asked for a call of five hours ago.',
    file: `${AT}/policy/decide-traceback.js`,
    text: 'startedAt: utcText(ingressLeg.inviteAtUs),',
    replacement: 'startedAt: utcText(ingressLeg.inviteAtUs - 18_000_000_000),',
    needsPlatform: true,
    scenarios: ['three-hops', 'five-hops'],
  },
  {
    name: 'deadline-a-day-too-late',
    suffers: 'Who answers after thirty hours passes for punctual: the rule has 24.',
    file: `${AT}/deadline/traceback-deadline.js`,
    text: `return { status: 'due', zone: calendar.clock.zone, dueAtMs: earliestMs };`,
    replacement: `return { status: 'due', zone: calendar.clock.zone, dueAtMs: earliestMs + 86_400_000 };`,
    needsPlatform: true,
    scenarios: ['late-answers'],
  },
];
