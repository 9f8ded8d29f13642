import type { Mutant } from './mutant.js';

const AT = 'sdk/dist/stir/signing';

/** Defects of whoever signs calls. */
export const SIGNING_MUTANTS: readonly Mutant[] = [
  {
    name: 'sign-always-a',
    suffers:
      'The carrier vouches for numbers that its customers have no right to, and answers for it before the Commission.',
    file: `${AT}/authentication-service.js`,
    text: 'const { attestation, decidedBy, basis } = level;',
    replacement: `const { decidedBy, basis } = level; const attestation = 'A';`,
    scenarios: ['direct', 'gateway'],
  },
  {
    name: 'sign-another-origid-than-recorded',
    suffers: 'The origid of a call leads nowhere: the carrier that made it up does not find it among its records.',
    file: 'sdk/dist/switch/calls/tracked-call.js',
    text: `...(claims.origId !== '' && { origId: claims.origId.slice(0, MAX_CAUSE_CHARS) }),`,
    replacement: `origId: '00000000-0000-4000-8000-000000000000',`,
    scenarios: ['direct', 'three-hops'],
  },
  {
    name: 'sign-one-origid-for-all',
    suffers: 'Calls cannot be told apart by their origid, which is there for that.',
    file: `${AT}/signing-request.js`,
    text: 'const made = attempted(randomUuid);',
    replacement: `const made = '00000000-0000-4000-8000-000000000000';`,
    scenarios: ['direct', 'neighbour'],
  },
  {
    name: 'sign-dest-of-the-wrong-leg',
    suffers: 'Calls that customers forward fail at everybody: div names the new number where the old one belongs.',
    file: `${AT}/authentication-service.js`,
    text: 'const claims = { orig, divTn, dest, iatSeconds: Math.floor(credential.nowMs / 1000) };',
    replacement: `const claims = { orig, divTn: dest.value, dest: { kind: 'tn', value: divTn }, iatSeconds: Math.floor(credential.nowMs / 1000) };`,
    scenarios: ['diverted'],
  },
  {
    name: 'sign-div-is-lost',
    suffers: 'Forwarded calls arrive without div, and look like replays.',
    file: `${AT}/authentication-service.js`,
    text: 'identityHeaders: [...identityHeaders, signed.identityHeader],',
    replacement: 'identityHeaders: [...identityHeaders],',
    scenarios: ['diverted'],
  },
  {
    name: 'sign-nothing-at-the-gateway',
    suffers: 'Calls from abroad come into the country without a name of who has let them in.',
    file: `${AT}/attestation-policy.js`,
    text: `when: { role: 'gateway' },\n            attestation: 'C',`,
    replacement: `when: { role: 'gateway' },\n            attestation: 'do-not-sign',`,
    scenarios: ['gateway'],
  },
  {
    name: 'sign-with-a-slow-clock',
    suffers: 'What the carrier signs is stale at birth, and everybody refuses it.',
    file: `${AT}/signing-request.js`,
    text: 'const nowSeconds = Math.floor(nowMs / 1000);',
    replacement: 'const nowSeconds = Math.floor(nowMs / 1000) - 75;',
    scenarios: ['direct'],
  },
];
