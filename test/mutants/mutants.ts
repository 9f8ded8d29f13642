/** A defect that somebody could have put into the product: one text of one compiled file is another. */
export interface Mutant {
  /** Says what is broken, and is what it is asked for by: `verify-skips-dest`. */
  readonly name: string;
  /** Compiled file that it is in, from the top of the repository. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly text: string;
  /** What is there instead. */
  readonly replacement: string;
  /** Whether it shows in tracebacks, campaigns, alerts or what reaches the platform alone. Absent: in calls, verdicts and records too. */
  readonly needsPlatform?: true;
  /** Shipped scenarios that have to notice, the likeliest first. */
  readonly scenarios: readonly [string, ...string[]];
}

const VERIFY = 'sdk/dist/stir/verification';
const SIGN = 'sdk/dist/stir/signing';
const SWITCH = 'sdk/dist/switch';
const RECORDS = 'sdk/dist/records';
const ANSWER = 'sdk/dist/traceback';
const PLATFORM = 'harness/dist/platform';
const LIFECYCLE = 'sdk/dist/traceback/lifecycle';

type Defect = Omit<Mutant, 'name' | 'needsPlatform'>;

/** Defects that show in calls, verdicts and records. */
const OF_CALLS: Readonly<Record<string, Defect>> = {
  'verify-skips-dest': {
    file: `${VERIFY}/steps.js`,
    text: `return fail('dest', 'dest-mismatch', { expected: listed(dest), actual: listed(claimed) });`,
    replacement: 'return undefined;',
    scenarios: ['replay', 'diverted'],
  },
  'verify-skips-orig': {
    file: `${VERIFY}/steps.js`,
    text: `return fail('orig', 'orig-mismatch', { expected: actual.value, actual: claimed.value });`,
    replacement: 'return undefined;',
    scenarios: ['rewritten-numbers', 'everything'],
  },
  'verify-skips-iat': {
    file: `${VERIFY}/steps.js`,
    text: `return fail('iat-fresh', iatSeconds < now ? 'iat-stale' : 'iat-in-future', values);`,
    replacement: 'return undefined;',
    scenarios: ['clock-skew'],
  },
  'verify-takes-redirected-calls': {
    file: `${VERIFY}/steps.js`,
    text: `if (context.policy.retargeting === 'accept' || target?.kind !== 'tn')`,
    replacement: 'if (context !== undefined)',
    scenarios: ['diverted'],
  },
  'verify-takes-expired-certificates': {
    file: 'sdk/dist/stir/certificates/path.js',
    text: 'if (atMs >= notAfterMs + 1000)',
    replacement: 'if (atMs >= notAfterMs + 1e15)',
    scenarios: ['expired-certificate'],
  },
  'verify-ignores-revocation': {
    file: 'sdk/dist/stir/certificates/revocation.js',
    text: `if (entry !== undefined && (entry.reason !== 'certificateHold' || isCurrent(trusted, atMs)))`,
    replacement: `if (entry?.reason === 'certificateHold')`,
    scenarios: ['revoked-certificate'],
  },
  'verify-skips-signature': {
    file: `${VERIFY}/core.js`,
    text: 'token.signatureValid = conclusion.signatures[index];',
    replacement: 'token.signatureValid = true;',
    scenarios: ['altered-identity', 'stolen-spc', 'replay', 'everything'],
  },
  'verify-forgets-replays': {
    file: `${VERIFY}/memory.js`,
    text: 'count: 1 + (before?.count ?? 0)',
    replacement: 'count: 1',
    scenarios: ['replay', 'everything'],
  },
  'verify-reads-first-identity-only': {
    file: `${VERIFY}/core.js`,
    text: 'values.slice(0, MAX_IDENTITY_HEADERS)',
    replacement: 'values.slice(0, 1)',
    scenarios: ['diverted'],
  },
  'verify-hides-failures': {
    file: `${VERIFY}/verdict.js`,
    text: `isTnFailed ? 'TN-Validation-Failed' : 'No-TN-Validation'`,
    replacement: `isTnFailed ? 'No-TN-Validation' : 'No-TN-Validation'`,
    scenarios: ['expired-certificate', 'replay'],
  },
  'verify-blames-unsigned-calls': {
    file: `${VERIFY}/verdict.js`,
    text: 'return { tokens: [], status: FAILURE_REASONS[reason].outcome, ...meaning(reason) };',
    replacement: `return { tokens: [], status: 'failed', ...meaning(reason), verstat: 'TN-Validation-Failed' };`,
    scenarios: ['tdm-gap', 'partial-adoption'],
  },
  'verify-reads-attestation-as-a': {
    file: `${VERIFY}/verdict.js`,
    text: 'out.attestation = attestation;',
    replacement: `out.attestation = 'A';`,
    scenarios: ['direct', 'gateway'],
  },
  'verify-forgets-signer': {
    file: `${VERIFY}/verdict.js`,
    text: 'return path.spc === undefined ? signer : { spc: path.spc, ...signer };',
    replacement: 'return signer;',
    scenarios: ['direct', 'stolen-spc'],
  },
  'sign-always-a': {
    file: `${SIGN}/authentication-service.js`,
    text: 'const { attestation, decidedBy, basis } = level;',
    replacement: `const { decidedBy, basis } = level; const attestation = 'A';`,
    scenarios: ['direct', 'gateway'],
  },
  'sign-another-origid-than-recorded': {
    file: 'sdk/dist/switch/calls/tracked-call.js',
    text: `...(claims.origId !== '' && { origId: claims.origId.slice(0, MAX_CAUSE_CHARS) }),`,
    replacement: `origId: '00000000-0000-4000-8000-000000000000',`,
    scenarios: ['direct', 'three-hops'],
  },
  'sign-one-origid-for-all': {
    file: `${SIGN}/signing-request.js`,
    text: 'const made = attempt(randomUuid);',
    replacement: `const made = '00000000-0000-4000-8000-000000000000';`,
    scenarios: ['direct', 'neighbour'],
  },
  'sign-dest-of-the-wrong-leg': {
    file: `${SIGN}/authentication-service.js`,
    text: 'const claims = { orig, divTn, dest, iatSeconds: Math.floor(credential.nowMs / 1000) };',
    replacement: `const claims = { orig, divTn: dest.value, dest: { kind: 'tn', value: divTn }, iatSeconds: Math.floor(credential.nowMs / 1000) };`,
    scenarios: ['diverted'],
  },
  'sign-div-is-lost': {
    file: `${SIGN}/authentication-service.js`,
    text: 'identityHeaders: [...identityHeaders, signed.identityHeader],',
    replacement: 'identityHeaders: [...identityHeaders],',
    scenarios: ['diverted'],
  },
  'sign-nothing-at-the-gateway': {
    file: `${SIGN}/attestation-policy.js`,
    text: `when: { role: 'gateway' },\n            attestation: 'C',`,
    replacement: `when: { role: 'gateway' },\n            attestation: 'do-not-sign',`,
    scenarios: ['gateway'],
  },
  'sign-with-a-slow-clock': {
    file: `${SIGN}/signing-request.js`,
    text: 'const nowSeconds = Math.floor(nowMs / 1000);',
    replacement: 'const nowSeconds = Math.floor(nowMs / 1000) - 75;',
    scenarios: ['direct'],
  },
  'switch-drops-identity': {
    file: `${SWITCH}/verify-identity.js`,
    text: `const identity = [...carried, ...added].filter((value) => value !== '');`,
    replacement: `const identity = [...added].filter((value) => value !== '');`,
    scenarios: ['three-hops', 'seven-hops'],
  },
  'switch-hands-on-one-identity': {
    file: `${SWITCH}/verify-identity.js`,
    text: `const identity = [...carried, ...added].filter((value) => value !== '');`,
    replacement: `const identity = [...carried, ...added].filter((value) => value !== '').slice(0, 1);`,
    scenarios: ['diverted'],
  },
  'switch-shows-no-verstat': {
    file: `${SWITCH}/verify-identity.js`,
    text: 'const value = stated === undefined ? undefined : withVerstat(stated.value, verstat);',
    replacement: 'const value = stated?.value;',
    scenarios: ['direct', 'replay'],
  },
  'switch-records-no-verstat': {
    file: `${SWITCH}/calls/tracked-call.js`,
    text: 'const received = { verstat: verdict.verstat };',
    replacement: 'const received = {};',
    scenarios: ['direct', 'replay'],
  },
  'switch-lets-refused-calls-through': {
    file: `${SWITCH}/treat-call.js`,
    text: `return policy.failureAction === 'reject_request' && policy.rejects.includes(concern);`,
    replacement: 'return false;',
    scenarios: ['everything', 'revoked-certificate'],
  },
  'tracker-loses-cancelled-calls': {
    file: `${SWITCH}/calls/call-state.js`,
    text: `return callEnded(call, { party: 'calling', message }, atUs);`,
    replacement: `callEnded(call, { party: 'calling', message }, atUs); return false;`,
    scenarios: ['wangiri', 'direct'],
  },
  'tracker-loses-refused-calls': {
    file: `${SWITCH}/calls/call-state.js`,
    text: 'return callEnded(call, {}, atUs);',
    replacement: '{ callEnded(call, {}, atUs); return false; }',
    scenarios: ['direct', 'wangiri'],
  },
  'tracker-loses-second-branch': {
    file: `${SWITCH}/calls/tracked-call.js`,
    text: 'const legs = call.branches.map((branch) => branchLeg(call, branch, received));',
    replacement: 'const legs = call.branches.slice(0, 1).map((branch) => branchLeg(call, branch, received));',
    scenarios: ['forked'],
  },
  'tracker-loses-trunk': {
    file: `${SWITCH}/calls/tracked-call.js`,
    text: 'ingress: call.ingress && sideOf(call.ingress, call.trunk),',
    replacement: 'ingress: call.ingress && sideOf(call.ingress, undefined),',
    scenarios: ['direct', 'three-hops'],
  },
  'records-in-local-time': {
    file: 'sdk/dist/switch/calls/call-tracker.js',
    text: '#nowUs = () => Math.max(0, Math.floor(this.#clock.nowMs())) * 1_000;',
    replacement: '#nowUs = () => Math.max(0, Math.floor(this.#clock.nowMs()) - 18_000_000) * 1_000;',
    scenarios: ['direct', 'three-hops'],
  },
  // A minute of an hour, where an hour is as short as a scenario is: each fifth second.
  'store-loses-a-minute': {
    file: `${RECORDS}/store/memory-record-store.js`,
    text: 'const inserted = records.add(fresh);',
    replacement:
      'records.add(fresh.filter(({ inviteAtUs }) => Math.floor(inviteAtUs / 1_000_000) % 5 !== 3)); const inserted = fresh.length;',
    scenarios: ['direct', 'three-hops', 'five-hops'],
  },
};

/** Defects that show in what reaches the platform, in tracebacks, campaigns and alerts. */
const OF_PLATFORMS: Readonly<Record<string, Defect>> = {
  'store-overlooks-gaps': {
    file: `${RECORDS}/store/record-store.js`,
    text: `    if (next <= window.toUs)\n        gaps.push({ fromUs: next, toUs: window.toUs });\n    return gaps;`,
    replacement: '    return [];',
    scenarios: ['record-gap'],
  },
  'stream-repeats-records': {
    file: `${RECORDS}/stream/delivery.js`,
    text: 'this.#tally.trouble = undefined;\n        this.#settle(sender, count);',
    replacement:
      'this.#tally.trouble = undefined;\n        this.#settle(sender, Math.max(1, count - (this.#tally.batches % 2)));',
    scenarios: ['three-hops', 'campaign-while-carriers-crash', 'everything'],
  },
  'stream-drops-batches': {
    file: `${RECORDS}/stream/delivery.js`,
    text: 'const result = await delivered(transport, sender.batch, this.#closing.signal);',
    replacement: `const result = this.#tally.requests % 3 === 2 ? { status: 'acknowledged', rejected: [] } : await delivered(transport, sender.batch, this.#closing.signal);`,
    scenarios: ['three-hops', 'campaign-while-carriers-crash', 'everything'],
  },
  'sharing-shows-called-numbers': {
    file: `${RECORDS}/redaction/member-tree.js`,
    text: `as: isFull ? 'whole' : 'pseudonym',`,
    replacement: `as: 'whole',`,
    scenarios: ['three-hops', 'campaign-while-carriers-crash', 'everything'],
  },
  'sharing-names-customers': {
    file: `${RECORDS}/redaction/member-tree.js`,
    text: `customerId: dropped('customer-never-leaves'),`,
    replacement: `customerId: FACT,`,
    scenarios: ['direct', 'everything'],
  },
  'sharing-ignores-suspicion': {
    file: `${RECORDS}/redaction/sharing-policy.js`,
    text: 'return { isShared: isEnough, level, decidedBy, reason };',
    replacement: 'return { isShared: true, level, decidedBy, reason };',
    scenarios: ['partial-adoption', 'everything'],
  },
  'responder-off-by-one-hop': {
    file: `${ANSWER}/policy/decide-traceback.js`,
    text: 'return candidate.upstream === undefined ? undefined : findingOfParty(candidate.upstream, policy.customers);',
    replacement: `if (candidate.upstream?.kind === 'provider' && request.downstream !== undefined) return { arm: 'received-from', upstream: request.downstream }; return candidate.upstream === undefined ? undefined : findingOfParty(candidate.upstream, policy.customers);`,
    scenarios: ['three-hops', 'five-hops'],
  },
  'responder-takes-the-other-call': {
    file: `${ANSWER}/match/match-call.js`,
    text: 'candidate: best.candidate,\n            others:',
    replacement: 'candidate: (weighed[1] ?? best).candidate,\n            others:',
    scenarios: ['neighbour', 'rewritten-numbers', 'everything'],
  },
  'responder-ignores-the-calling-number': {
    file: `${ANSWER}/match/weigh-candidates.js`,
    text: 'const equal = parties.find(isEqual);',
    replacement: 'const equal = parties.find((party) => isEqual(party) || true);',
    scenarios: ['wangiri', 'neighbour', 'everything'],
  },
  'responder-denies-what-it-has-purged': {
    file: `${ANSWER}/policy/decide-traceback.js`,
    text: `finding: { arm: 'not-retained', retainedFrom: utcText(outcome.retainedFromUs) },`,
    replacement: `finding: { arm: 'not-found' },`,
    scenarios: ['purged-records'],
  },
  'responder-claims-origin': {
    file: `${ANSWER}/policy/decide-traceback.js`,
    text: `return { arm: 'received-from', upstream: party.provider };`,
    replacement: `return { arm: 'origin', customer: customerStatement(undefined, customers) };`,
    scenarios: ['three-hops', 'five-hops'],
  },
  'responder-hides-the-border': {
    file: `${ANSWER}/policy/decide-traceback.js`,
    text: `return { arm: 'point-of-entry', upstream: party.contact };`,
    replacement: `return { arm: 'origin', customer: customerStatement(undefined, customers) };`,
    scenarios: ['gateway'],
  },
  'responder-states-local-times': {
    file: `${ANSWER}/policy/decide-traceback.js`,
    text: 'startedAt: utcText(ingressLeg.inviteAtUs),',
    replacement: 'startedAt: utcText(ingressLeg.inviteAtUs - 18_000_000_000),',
    scenarios: ['three-hops', 'five-hops'],
  },
  'deadline-a-day-too-late': {
    file: `${ANSWER}/deadline/traceback-deadline.js`,
    text: `return { status: 'due', zone: calendar.clock.zone, dueAtMs: earliestMs };`,
    replacement: `return { status: 'due', zone: calendar.clock.zone, dueAtMs: earliestMs + 86_400_000 };`,
    scenarios: ['late-answers'],
  },
  'path-accuses-who-was-last': {
    file: `${LIFECYCLE}/traced-hop.js`,
    text: `if (hop.state === 'non-responsive')\n        return 'non-responsive';`,
    replacement: `if (hop.state === 'non-responsive')\n        return 'origin';`,
    scenarios: ['silent-provider', 'everything'],
  },
  'path-believes-the-accuser': {
    file: `${LIFECYCLE}/traced-hop.js`,
    text: 'return hop.basedOn !== undefined && hop.current !== undefined && ARM_MEANINGS[hop.current.arm].denies;',
    replacement: 'return false;',
    scenarios: ['lying-provider', 'colluding-neighbours'],
  },
  'path-takes-a-denial-for-an-origin': {
    file: `${LIFECYCLE}/traced-hop.js`,
    text: `if (denies(hop) || answersOtherCall(hop))\n        return 'disputed';`,
    replacement: `if (denies(hop) || answersOtherCall(hop))\n        return 'origin';`,
    scenarios: ['lying-provider', 'colluding-neighbours'],
  },
  'path-asks-no-neighbours': {
    file: `${LIFECYCLE}/traced-hop.js`,
    text: `if (provider === undefined || state.direction === 'forward')`,
    replacement: 'if (provider !== undefined || state !== undefined)',
    scenarios: ['silent-provider', 'purged-records'],
  },
  'platform-asks-at-the-wrong-hour': {
    file: 'sdk/dist/traceback/asked-call.js',
    text: `zone: 'UTC',\n    precision`,
    replacement: `zone: 'America/New_York',\n    precision`,
    scenarios: ['three-hops', 'five-hops'],
  },
  'campaigns-are-one': {
    file: `${PLATFORM}/domain/campaigns/report-detection.js`,
    text: 'contents.push(`script:${placed.scriptId}`);',
    replacement: `contents.push('script:any');`,
    scenarios: ['everything', 'dno'],
  },
  'campaigns-take-ordinary-calls': {
    file: `${PLATFORM}/domain/campaigns/campaign-policy.js`,
    text: 'alarmAt: 20,',
    replacement: 'alarmAt: 0.01,',
    scenarios: ['neighbour', 'partial-adoption', 'everything'],
  },
  'campaigns-are-never-found': {
    file: `${PLATFORM}/domain/campaigns/content-cluster.js`,
    text: 'if (reports < policy.leastFraudReports || called.size < policy.leastFraudCalled)',
    replacement: 'if (reports < 1e9 || called.size < policy.leastFraudCalled)',
    scenarios: ['gateway', 'direct', 'snowshoe', 'everything'],
  },
  'campaigns-are-never-traced': {
    file: `${PLATFORM}/campaigns/trace-campaigns.js`,
    text: 'const budget = tracebackBudget(traceable, past);',
    replacement: `const budget = { ...tracebackBudget(traceable, past), calls: [] };`,
    scenarios: ['gateway', 'direct', 'snowshoe', 'everything'],
  },
  'alerts-are-never-sent': {
    file: `${PLATFORM}/alerts/evaluate-alerts.js`,
    text: 'if (there !== undefined)',
    replacement: 'if (order !== undefined)',
    scenarios: ['gateway', 'direct', 'snowshoe', 'everything'],
  },
  'alerts-go-to-everybody': {
    file: `${PLATFORM}/domain/alerts/alert-rules.js`,
    text: 'const own = jurisdictions.filter(({ jurisdiction }) => all || wanted.includes(jurisdiction));',
    replacement: 'const own = jurisdictions.filter(() => all || wanted.length > 0);',
    scenarios: ['direct', 'everything'],
  },
  'tracebacks-are-open-to-all-asked': {
    file: 'sdk/dist/itg-core/traceback-exchange.js',
    text: 'return isNamed ? [withoutAnswer(hop)] : [];',
    replacement: 'return [hop];',
    scenarios: ['five-hops', 'everything'],
  },
};

/**
 * Defects that shipped scenarios have to notice. They were chosen by what could break in the switch of a carrier, by somebody who had not looked at what
 * holds runs against their truth: a mutant that survives shows what is not looked at, and stays in the table.
 */
export const MUTANTS: readonly Mutant[] = [
  ...Object.entries(OF_CALLS).map(([name, defect]) => ({ name, ...defect })),
  ...Object.entries(OF_PLATFORMS).map(([name, defect]) => ({ name, ...defect, needsPlatform: true as const })),
];
