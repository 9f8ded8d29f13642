import { GOOD_PASSPORT_NAMES, GOOD_PASSPORTS, PASSPORT_FAULTS } from '@hopback/sdk/testing';
import type { GoodPassportName, PassportFaultName } from '@hopback/sdk/testing';
import { bad, good, INVALID, passedBy } from './draft.js';
import type { HeaderDraft, VectorDraft, VectorGroup } from './draft.js';
import { identityHeader, NOW_MS, NOW_SECONDS } from './scene.js';
import type { Scene } from './scene.js';

const IDENTITY = 'RFC 8224 section 6.2';

/** Calls that pass, with and without a remark. */
export const goodVectors: VectorGroup = (scene) => ({
  ...Object.fromEntries(GOOD_PASSPORT_NAMES.map((name) => [`good-${name}`, catalogued(scene, name)])),
  ...Object.fromEntries(ONLY_LOOKS_WRONG.map((name) => [`good-${name}`, oddity(scene, name)])),
  ...identityVectors(scene),
  ...notedVectors(scene),
});

const ONLY_LOOKS_WRONG: readonly PassportFaultName[] = [
  'parameters-quoted',
  'parameters-spaced',
  'parameters-in-other-order',
  'folded',
  'claims-in-other-order',
  'json-with-whitespace',
  'signature-twin',
  'iat-60-s-old',
  'dest-several',
  'origid-not-uuid',
];

const identityVectors: VectorGroup = (scene) => ({
  'good-asserted-twice': passing(
    'the tel and the sip URI of P-Asserted-Identity have the same number, which comes before that of From',
    {
      request: {
        pAssertedIdentity: [`<sip:+${scene.context.origTn}@originating.example>`, `<tel:+${scene.context.origTn}>`],
        from: '<sip:+12025550188@originating.example>;tag=1928301774',
      },
      headers: [good(identityHeader(scene))],
    },
  ),
  'good-anonymous-with-asserted-identity': passing('From is anonymous and the provider asserts the caller', {
    request: {
      pAssertedIdentity: [`<sip:+${scene.context.origTn}@originating.example;user=phone>`],
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1928301774',
    },
    headers: [good(identityHeader(scene))],
  }),
  'good-national-numbers': passing('From and To carry national numbers and trunk groups', {
    request: {
      from: '<sip:2025550101;tgrp=TG1;trunk-context=originating.example@192.0.2.10;user=phone>;tag=1928301774',
      to: '<sip:(202)555-0199@terminating.example>',
      requestUri: 'sip:2025550199;npdi;rn=+13035550000@192.0.2.20;user=phone',
    },
    headers: [good(identityHeader(scene))],
  }),
  'good-trust-list-to-the-last': passing('the STI-PA list of trust anchors runs out with the next millisecond', {
    conditions: { trustListExpMs: NOW_MS + 1 },
    headers: [good(identityHeader(scene))],
  }),
  'good-no-date': passing('a missing Date is no failure', {
    without: ['date'],
    headers: [good(identityHeader(scene))],
  }),
  'good-bad-shaken-beside': passing('a shaken PASSporT with a wrong signature stands before the good one', {
    headers: [
      bad(identityHeader(scene, { signer: scene.context.attacker }), INVALID, 'signature-invalid'),
      good(identityHeader(scene)),
    ],
    verdict: { reasons: ['signature-invalid'] },
  }),
});

const notedVectors: VectorGroup = (scene) => ({
  'noted-date-differs-from-iat': passing('the Date is an hour old and iat is fresh: iat wins', {
    request: { date: new Date(NOW_MS - 3_600_000).toUTCString() },
    headers: [good(identityHeader(scene), 'date-differs-from-iat')],
  }),
  'noted-inner-iat-not-fresh': passing('the call rang for two minutes before it was forwarded; only the div is fresh', {
    request: { requestUri: 'sip:+13035550101@terminating.example', date: new Date(NOW_MS - 120_000).toUTCString() },
    headers: [
      good(identityHeader(scene, { iatSeconds: NOW_SECONDS - 120 }), 'inner-iat-not-fresh', 'inner-iat-not-fresh'),
      good(
        identityHeader(scene, { ppt: 'div', divTn: scene.context.destTn, destTn: '13035550101' }, scene.diverting),
        'date-differs-from-iat',
      ),
    ],
  }),
  'noted-revocation-unknown-accepted': passing('no CRL covers the certificate, and policy lets that pass', {
    policy: { revocationUnknown: 'accept' },
    crls: [],
    headers: [good(identityHeader(scene), 'revocation-unknown-accepted')],
  }),
  'noted-orig-tn-not-canonical': passing('orig is written with + and dashes', {
    headers: [good(identityHeader(scene, { claims: { orig: { tn: '+1-202-555-0101' } } }), 'orig-tn-not-canonical')],
  }),
  'noted-dest-tn-not-canonical': passing('dest is written with + and brackets', {
    headers: [good(identityHeader(scene, { claims: { dest: { tn: ['+1(202)5550199'] } } }), 'dest-tn-not-canonical')],
  }),
  'noted-seen-before': passing('the call was seen before, as forking and route advance make it', {
    conditions: { seenCount: 3 },
    headers: [good(identityHeader(scene), 'seen-before')],
  }),
  'noted-certificate-host-deviates': passing('the certificate came with another content type than it should have', {
    certificates: { [scene.context.x5u]: { chain: 'pki/sp-1234.pem', notes: ['content-type text/plain'] } },
    headers: [good(identityHeader(scene), 'certificate-host-deviates')],
  }),
});

function passing(description: string, draft: Omit<VectorDraft, 'description' | 'section'>): VectorDraft {
  return { description, section: IDENTITY, ...draft, verdict: passedBy('A', draft.verdict) };
}

/** What is wrong with "junk": everything that can be told of it, what has no row of the table first. */
const JUNK_REASONS = ['identity-header-malformed', 'ppt-unsupported', 'info-missing'] as const;

/** A call of the test kit's catalogue. */
function catalogued(scene: Scene, name: GoodPassportName): VectorDraft {
  const { description, acceptedBy, build } = GOOD_PASSPORTS[name];
  const call = build(scene.context);
  const headers = call.identityHeaders.map((identity): HeaderDraft => {
    if (identity === 'junk') return bad(identity, INVALID, ...JUNK_REASONS);
    if (identity.includes('ppt=tomorrow')) return { identity, status: 'ignored' };
    return identity.startsWith('..') ? good(identity, 'compact-form-accepted') : good(identity);
  });
  return {
    description,
    section: IDENTITY,
    policy: acceptedBy.includes('shaken') ? {} : { profile: 'rfc8224' },
    request: { requestUri: `sip:+${call.targetTn}@terminating.example;user=phone` },
    headers,
    verdict: passedBy(call.attestation ?? null, call.identityHeaders.includes('junk') ? { reasons: JUNK_REASONS } : {}),
  };
}

function oddity(scene: Scene, name: PassportFaultName): VectorDraft {
  const { description, build } = PASSPORT_FAULTS[name];
  const verdict = name === 'origid-not-uuid' ? { origId: 'trunk-17' } : {};
  return passing(description, { headers: [good(build(scene.context).identityHeader)], verdict });
}
