import type { Mutant } from './mutant.js';

const AT = 'sdk/dist/switch';

/** Defects of what sits in the switch. */
export const SWITCH_MUTANTS: readonly Mutant[] = [
  {
    name: 'switch-drops-identity',
    suffers: 'Whoever comes behind this carrier sees unsigned calls only.',
    file: `${AT}/verify-identity.js`,
    text: `const identity = [...carried, ...added].filter((value) => value !== '');`,
    replacement: `const identity = [...added].filter((value) => value !== '');`,
    scenarios: ['three-hops', 'seven-hops'],
  },
  {
    name: 'switch-hands-on-one-identity',
    suffers: 'Forwarded calls lose their div at the next carrier.',
    file: `${AT}/verify-identity.js`,
    text: `const identity = [...carried, ...added].filter((value) => value !== '');`,
    replacement: `const identity = [...carried, ...added].filter((value) => value !== '').slice(0, 1);`,
    scenarios: ['diverted'],
  },
  {
    name: 'switch-shows-no-verstat',
    suffers: 'Calls are verified, and the telephone of the called party never hears of it.',
    file: `${AT}/verify-identity.js`,
    text: 'const value = stated === undefined ? undefined : withVerstat(stated.value, verstat);',
    replacement: 'const value = stated?.value;',
    scenarios: ['direct', 'replay'],
  },
  {
    name: 'switch-records-no-verstat',
    suffers: 'Records do not say what the verification came to, and analytics are blind.',
    file: `${AT}/calls/tracked-call.js`,
    text: 'const received = { verstat: verdict.verstat };',
    replacement: 'const received = {};',
    scenarios: ['direct', 'replay'],
  },
  {
    name: 'switch-lets-refused-calls-through',
    suffers: 'Subscribers who asked for it to be blocked are called with forged numbers all the same.',
    file: `${AT}/treat-call.js`,
    text: `return policy.failureAction === 'reject_request' && policy.rejects.includes(concern);`,
    replacement: 'return false;',
    scenarios: ['everything', 'revoked-certificate'],
  },
  {
    name: 'tracker-loses-cancelled-calls',
    suffers: 'A wangiri leaves no trace: calls that nobody took are not on record.',
    file: `${AT}/calls/call-state.js`,
    text: `return callEnded(call, { party: 'calling', message }, atUs);`,
    replacement: `callEnded(call, { party: 'calling', message }, atUs); return false;`,
    scenarios: ['wangiri', 'direct'],
  },
  {
    name: 'tracker-loses-refused-calls',
    suffers: 'A robocall that a telephone rejects was never there, says the carrier when it is asked.',
    file: `${AT}/calls/call-state.js`,
    text: 'return callEnded(call, {}, atUs);',
    replacement: '{ callEnded(call, {}, atUs); return false; }',
    scenarios: ['direct', 'wangiri'],
  },
  {
    name: 'tracker-loses-second-branch',
    suffers: 'Of a call that rang at two places one is not on record.',
    file: `${AT}/calls/tracked-call.js`,
    text: 'const legs = call.branches.map((branch) => branchLeg(call, branch, received));',
    replacement: 'const legs = call.branches.slice(0, 1).map((branch) => branchLeg(call, branch, received));',
    scenarios: ['forked'],
  },
  {
    name: 'tracker-loses-trunk',
    suffers: 'Calls are on record, but not by whom they came in: the carrier cannot answer a traceback.',
    file: `${AT}/calls/tracked-call.js`,
    text: 'ingress: call.ingress && sideOf(call.ingress, call.trunk),',
    replacement: 'ingress: call.ingress && sideOf(call.ingress, undefined),',
    scenarios: ['direct', 'three-hops'],
  },
];
