import { createTestKey, TestPki } from '@hopback/sdk/testing';
import type { CertificateOptions, CrlOptions, TestCertificate } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import { CRL_MAX_BYTES, CRL_MAX_ENTRIES, parseCrl } from '../../sdk/src/stir/certificates/crl.js';
import { createRevocationSet } from '../../sdk/src/stir/certificates/revocation.js';
import type { RevocationSet, RevocationSetOptions } from '../../sdk/src/stir/certificates/revocation.js';
import { parsed, parsedCrl } from './certificates-parsed.js';

const pki = new TestPki();

const DAY_MS = 86_400_000;

const provider = (options: CertificateOptions = {}) => pki.issueServiceProvider({ spc: '709J', ...options });

function setOf(crls: readonly CrlOptions[], options: Partial<RevocationSetOptions> = {}): RevocationSet {
  return createRevocationSet(
    crls.map((crl) => parsedCrl(pki.crl(crl))),
    {
      atMs: pki.nowMs,
      issuers: [parsed(pki.root), parsed(pki.intermediate)],
      stiPaRoots: [parsed(pki.stiPaRoot)],
      signers: [parsed(pki.stiPaCrlIssuer)],
      ...options,
    },
  );
}

const lookup = (set: RevocationSet, certificate: TestCertificate, atMs = pki.nowMs) =>
  set.lookup(parsed(certificate), parsed(certificate.issuer ?? certificate), atMs);
const statuses = (set: RevocationSet, certificates: readonly TestCertificate[], atMs?: number): string =>
  certificates.map((certificate) => lookup(set, certificate, atMs).status).join(' ');
const refusals = (set: RevocationSet) => set.refused.map(({ reason }) => reason);

test('reads the STI-PA CRL, PEM and DER alike', () => {
  const issued = provider();
  const crl = pki.crl({
    revoked: [{ certificate: issued, reason: 'keyCompromise', revokedAtMs: pki.nowMs - DAY_MS }],
    number: 7,
    caIssuers: ['http://sti-pa.example/crl-issuer.crt'],
  });
  const result = parseCrl(crl.pem);
  expect(result).toEqual(parseCrl(crl.der));
  expect(result).toMatchObject({
    status: 'parsed',
    crl: {
      number: 7n,
      caIssuers: ['http://sti-pa.example/crl-issuer.crt'],
      scope: { urls: [pki.crlUrl], indirect: true, someReasonsOnly: false },
      revokedCount: 1,
      nextUpdateMs: pki.nowMs + DAY_MS,
    },
  });
  expect(parsedCrl(crl).unusable).toBeUndefined();
});

test('calls a certificate good that a current indirect CRL covers and does not name', () => {
  expect(lookup(setOf([{}]), provider())).toEqual({ status: 'good', checkedAtMs: pki.nowMs });
  expect(lookup(setOf([{}]), pki.intermediate)).toEqual({ status: 'good', checkedAtMs: pki.nowMs });
});

test('calls a certificate revoked that an indirect CRL names by issuer and serial number', () => {
  const issued = provider();
  const revokedAtMs = pki.nowMs - DAY_MS;
  const set = setOf([{ revoked: [{ certificate: issued, reason: 'keyCompromise', revokedAtMs }] }]);
  expect(lookup(set, issued)).toEqual({
    status: 'revoked',
    certificateSha256: issued.sha256,
    revokedAtMs,
    crlReason: 'keyCompromise',
  });
  expect(lookup(set, provider()).status).toBe('good');
});

test('does not take the same serial number of another issuer for the revoked one', () => {
  const other = pki.issueCa();
  const revoked = provider({ serialNumber: 4711 });
  const same = provider({ serialNumber: 4711, issuer: other });
  const set = setOf([{ revoked: [revoked] }]);
  expect(lookup(set, revoked).status).toBe('revoked');
  expect(lookup(set, same).status).toBe('good');
});

test('lets an entry without certificateIssuer inherit that of the entry before it', () => {
  const other = pki.issueCa();
  const [first, second, third] = [provider({ issuer: other }), provider({ issuer: other }), provider()];
  const set = setOf([{ revoked: [first, second, third], omitRepeatedIssuer: true }]);
  expect(statuses(set, [first, second, third])).toBe('revoked revoked revoked');
});

test('an entry without any certificateIssuer is of the CRL issuer, and one with removeFromCRL does not revoke', () => {
  const issued = provider();
  expect(lookup(setOf([{ revoked: [issued], omitCertificateIssuer: true }]), issued).status).toBe('good');
  expect(lookup(setOf([{ revoked: [{ certificate: issued, reason: 'removeFromCRL' }] }]), issued).status).toBe('good');
});

test('the status of a certificate that no CRL covers is unknown', () => {
  expect(lookup(setOf([]), provider())).toEqual({ status: 'unknown', detail: 'no CRL covers this certificate' });
  const uncovered = provider({ crlDistributionPoints: 'absent' });
  expect(lookup(setOf([{}]), uncovered).status).toBe('unknown');
  // One that is named is revoked all the same.
  expect(lookup(setOf([{ revoked: [uncovered] }]), uncovered).status).toBe('revoked');
  const elsewhere = provider({
    crlDistributionPoints: [{ url: 'http://elsewhere.example/crl', crlIssuer: pki.stiPaCrlIssuer.subject }],
  });
  expect(lookup(setOf([{}]), elsewhere).status).toBe('unknown');
  const otherIssuer = provider({ crlDistributionPoints: [{ url: pki.crlUrl, crlIssuer: pki.root.subject }] });
  expect(lookup(setOf([{}]), otherIssuer).status).toBe('unknown');
});

test('covers a certificate whose distribution point has the URL and no cRLIssuer, as before v004 of the profile', () => {
  expect(lookup(setOf([{}]), provider({ crlDistributionPoints: [{ url: pki.crlUrl }] })).status).toBe('good');
});

test('an out-of-date CRL makes good unknown, keeps revoked, and no longer holds', () => {
  const [good, revoked, held] = [provider(), provider(), provider()];
  const set = setOf([{ revoked: [revoked, { certificate: held, reason: 'certificateHold' }] }]);
  const later = pki.nowMs + DAY_MS + 1;
  expect(statuses(set, [good, revoked, held], later - 1)).toBe('good revoked revoked');
  expect(statuses(set, [good, revoked, held], later)).toBe('unknown revoked unknown');
});

test('a CRL from the future calls nothing good yet', () => {
  const thisUpdateMs = pki.nowMs + 60_000;
  const set = setOf([{ thisUpdateMs }]);
  expect(lookup(set, provider(), thisUpdateMs - 1).status).toBe('unknown');
  expect(lookup(set, provider(), thisUpdateMs).status).toBe('good');
});

test('refuses a CRL with a wrong signature, and one whose signer is not at hand', () => {
  expect(refusals(setOf([{ corruptSignature: true }]))).toEqual(['signature-invalid']);
  expect(refusals(setOf([{ signedBy: createTestKey() }]))).toEqual(['signature-invalid']);
  expect(refusals(setOf([{ signatureHash: 'SHA-1' }]))).toEqual(['signature-invalid']);
  expect(refusals(setOf([{}], { signers: [] }))).toEqual(['signer-not-found']);
});

test('accepts indirect CRLs only from below the policy administrator', () => {
  const ca = pki.issueCa({ signsCrls: true });
  const set = setOf([{ issuer: ca, revoked: [provider()] }], {
    signers: [parsed(ca)],
    issuers: [parsed(ca), parsed(pki.root)],
  });
  expect(refusals(set)).toEqual(['signer-not-trusted']);
  expect(refusals(setOf([{}], { stiPaRoots: [] }))).toEqual(['signer-not-trusted']);
  expect(refusals(setOf([{}], { stiPaRoots: [parsed(pki.root)] }))).toEqual(['signer-not-trusted']);
});

const crlSigner = (options: CertificateOptions) =>
  provider({ issuer: pki.stiPaRoot, subject: pki.stiPaCrlIssuer.subject, ...options });
const keyUsage = { usages: ['cRLSign'] } as const;

test('refuses a CRL signer without cRLSign, one that has expired, and a direct CRL of a CA without cRLSign', () => {
  for (const issuer of [crlSigner({}), crlSigner({ keyUsage, notAfterMs: pki.nowMs - 5000 })]) {
    expect(refusals(setOf([{ issuer }], { signers: [parsed(issuer)] }))).toEqual(['signer-not-trusted']);
  }
  expect(refusals(setOf([{ kind: 'direct', issuer: pki.intermediate }]))).toEqual(['signer-not-trusted']);
});

test('stops calling certificates good when the CRL signer expires before the CRL does', () => {
  const issuer = crlSigner({ keyUsage, notAfterMs: pki.nowMs + 60_000 });
  const set = setOf([{ issuer }], { signers: [parsed(issuer)] });
  expect(lookup(set, provider(), pki.nowMs + 60_000).status).toBe('good');
  expect(lookup(set, provider(), pki.nowMs + 60_001).status).toBe('unknown');
});

test.each<[string, CrlOptions]>([
  ['an unknown critical CRL extension', { unknownCriticalExtension: true }],
  ['a delta CRL', { deltaOf: 1 }],
  ['no nextUpdate', { nextUpdateMs: 'absent' }],
  ['certificateIssuer in a CRL that is not indirect', { indirectFlag: false }],
])('a CRL with %s says nothing of any certificate', (_, options) => {
  const issued = provider();
  const set = setOf([{ revoked: [issued], ...options }]);
  expect(refusals(set)).toEqual(['unusable']);
  expect(lookup(set, issued).status).toBe('unknown');
});

test('an entry with an unknown critical extension makes the whole CRL unusable', () => {
  const set = setOf([{ revoked: [provider(), { certificate: provider(), unknownCriticalExtension: true }] }]);
  expect(refusals(set)).toEqual(['unusable']);
});

test('a CRL for CA certificates covers no end entity, and the other way round', () => {
  const forCas = setOf([{ onlyContains: 'ca-certificates' }]);
  expect(statuses(forCas, [provider(), pki.intermediate])).toBe('unknown good');
  const forUsers = setOf([{ onlyContains: 'user-certificates' }]);
  expect(statuses(forUsers, [provider(), pki.intermediate])).toBe('good unknown');
  expect(lookup(setOf([{ onlyContains: 'attribute-certificates' }]), provider()).status).toBe('unknown');
});

test('a CA signs a direct CRL for its own certificates and no others', () => {
  const ca = pki.issueCa({ signsCrls: true });
  const [revoked, good] = [provider({ issuer: ca }), provider({ issuer: ca })];
  const set = setOf([{ kind: 'direct', issuer: ca, revoked: [revoked] }], { issuers: [parsed(ca)] });
  expect(refusals(set)).toEqual([]);
  expect(statuses(set, [revoked, good, provider()])).toBe('revoked good unknown');
});

test('a CA of the same name and another key does not speak for a CA', () => {
  const ca = pki.issueCa({ signsCrls: true });
  const impostor = pki.issueRoot({ signsCrls: true, subject: ca.subject });
  const issued = provider({ issuer: ca });
  const set = setOf([{ kind: 'direct', issuer: impostor, revoked: [issued] }], {
    issuers: [parsed(ca), parsed(impostor)],
  });
  expect(refusals(set)).toEqual([]);
  expect(lookup(set, issued).status).toBe('unknown');
});

test('a CA that changed its key speaks for certificates under its old key', () => {
  const old = pki.issueCa({ signsCrls: true });
  const renewed = pki.issueCa({ signsCrls: true, subject: old.subject });
  const [revoked, good] = [provider({ issuer: old }), provider({ issuer: old })];
  const issuers = [pki.root, old, renewed].map(parsed);
  const set = setOf([{ kind: 'direct', issuer: renewed, revoked: [revoked] }], { issuers });
  expect(statuses(set, [revoked, good])).toBe('revoked good');
  // And the other way round: the list under the old key still speaks for certificates under the new one.
  const underNew = provider({ issuer: renewed });
  const before = setOf([{ kind: 'direct', issuer: old, revoked: [underNew] }], { issuers });
  expect(lookup(before, underNew).status).toBe('revoked');
});

test('a root that changed its key speaks for certificates under its old key, where one key certified the other', () => {
  const old = pki.issueRoot({ signsCrls: true });
  const renewed = pki.issueRoot({ signsCrls: true, subject: old.subject });
  const newWithOld = pki.crossSign(renewed, old, { signsCrls: true });
  const [revoked, good] = [provider({ issuer: old }), provider({ issuer: old })];
  const crls: readonly CrlOptions[] = [{ kind: 'direct', issuer: renewed, revoked: [revoked] }];
  const vouchedFor = setOf(crls, { issuers: [old, newWithOld].map(parsed) });
  expect(statuses(vouchedFor, [revoked, good])).toBe('revoked good');
  // Whatever the order, and beside the self-signed certificate of the new key.
  for (const issuers of [
    [old, renewed, newWithOld],
    [renewed, newWithOld, old],
  ]) {
    const all = setOf(crls, { issuers: issuers.map(parsed) });
    expect(statuses(all, [revoked, good])).toBe('revoked good');
  }
  const inSigners = setOf(crls, { issuers: [old, renewed].map(parsed), signers: [parsed(newWithOld)] });
  expect(statuses(inSigners, [revoked, good])).toBe('revoked good');
  // Two roots of one name may be two CAs.
  const byName = setOf(crls, { issuers: [old, renewed].map(parsed) });
  expect(statuses(byName, [revoked, good])).toBe('unknown unknown');
});

test('a revoked or expired key of a CA does not speak for its other keys', () => {
  const old = pki.issueCa({ signsCrls: true });
  const renewed = pki.issueCa({ signsCrls: true, subject: old.subject });
  const expired = pki.issueCa({ signsCrls: true, subject: old.subject, notAfterMs: pki.nowMs - DAY_MS });
  const issued = provider({ issuer: old });
  const issuers = [pki.root, old, renewed, expired].map(parsed);
  const revoked = setOf([{ revoked: [renewed] }, { kind: 'direct', issuer: renewed }], { issuers });
  // The list of the policy administrator covers it, so that only a wrong entry would show.
  const named = setOf([{ revoked: [renewed] }, { kind: 'direct', issuer: renewed, revoked: [issued] }], { issuers });
  expect([lookup(revoked, issued).status, lookup(named, issued).status]).toEqual(['good', 'good']);
  const late = setOf([{ kind: 'direct', issuer: expired, revoked: [issued] }], { issuers });
  expect(lookup(late, issued).status).toBe('unknown');
});

test('a key of a CA that its root revoked does not speak for its other keys', () => {
  const root = pki.issueRoot({ signsCrls: true });
  const old = pki.issueCa({ signsCrls: true, issuer: root });
  const renewed = pki.issueCa({ signsCrls: true, issuer: root, subject: old.subject });
  const issued = provider({ issuer: renewed });
  const set = setOf(
    [
      { kind: 'direct', issuer: root, revoked: [old] },
      { kind: 'direct', issuer: old, revoked: [issued] },
    ],
    { issuers: [root, old, renewed].map(parsed) },
  );
  expect(lookup(set, old).status).toBe('revoked');
  expect(lookup(set, issued).status).toBe('unknown');
});

test('a CA of the same name below another issuer does not speak for a CA', () => {
  const ca = pki.issueCa({ signsCrls: true });
  const otherRoot = pki.issueRoot();
  const stranger = pki.issueCa({ signsCrls: true, subject: ca.subject, issuer: otherRoot });
  const issued = provider({ issuer: ca });
  const set = setOf([{ kind: 'direct', issuer: stranger, revoked: [issued] }], {
    issuers: [pki.root, otherRoot, ca, stranger].map(parsed),
  });
  expect(lookup(set, issued).status).toBe('unknown');
});

test('a newer CRL replaces the one before', () => {
  const issued = provider();
  const previous = setOf([{ number: 1 }]);
  const set = setOf([{ number: 2, revoked: [issued] }], { previous });
  expect(lookup(previous, issued).status).toBe('good');
  expect(lookup(set, issued).status).toBe('revoked');
  expect(set.crls).toHaveLength(1);
  expect(refusals(set)).toEqual([]);
});

test('does not let a CRL with a lower number, or none, replace the one before', () => {
  const issued = provider();
  const previous = setOf([{ number: 2, revoked: [issued] }]);
  for (const number of [1, 'absent'] as const) {
    const set = setOf([{ number, thisUpdateMs: pki.nowMs - 1000 }], { previous });
    expect(refusals(set)).toEqual(['older-than-known']);
    expect(lookup(set, issued).status).toBe('revoked');
  }
});

test('keeps the CRLs before where none is given, and drops them when their signer is no longer trusted', () => {
  const issued = provider();
  const previous = setOf([{ revoked: [issued] }]);
  expect(lookup(setOf([], { previous }), issued).status).toBe('revoked');
  expect(lookup(setOf([], { previous, stiPaRoots: [] }), issued).status).toBe('unknown');
});

test('throws invalid-argument for more than 64 CRLs', () => {
  const crl = parsedCrl(pki.crl());
  const crls = Array.from({ length: 65 }, () => crl);
  expect(() => createRevocationSet(crls, { atMs: 0, issuers: [] })).toThrow(withCode('invalid-argument'));
});

test('refuses a CRL of more than 2 MiB and what is no CRL, and reads one of version 1', () => {
  expect(parseCrl(new Uint8Array(CRL_MAX_BYTES + 1))).toMatchObject({ reason: 'too-large' });
  expect(parseCrl(new Uint8Array(CRL_MAX_BYTES))).toMatchObject({ reason: 'not-pem' });
  expect(parseCrl('hello')).toMatchObject({ reason: 'not-pem' });
  expect(parseCrl(provider().der)).toMatchObject({ reason: 'malformed-der' });
  expect(parseCrl(pki.crl().der.subarray(1))).toMatchObject({ reason: 'not-pem' });
  expect(parsedCrl(pki.crl({ kind: 'direct', issuer: pki.root, version: 1 })).number).toBeUndefined();
});

test.each(['directory', 'relative'] as const)(
  'a part of a CRL under a %s name speaks for no certificate it does not name',
  (kind) => {
    const ca = pki.issueCa({ signsCrls: true });
    const issued = provider({ issuer: ca, crlDistributionPoints: 'absent' });
    const part = (commonName: string, options: CrlOptions): CrlOptions => ({
      kind: 'direct',
      issuer: ca,
      partName: { kind, commonName },
      ...options,
    });
    const other = part('part A', { number: 7 });
    const own = part('part B', { number: 3, revoked: [{ certificate: issued, reason: 'keyCompromise' }] });
    const issuers = { issuers: [parsed(ca)] };
    expect(lookup(setOf([other], issuers), issued).status).toBe('unknown');
    const both = setOf([other, own], issuers);
    // The numbers count the issues of one list; these are two.
    expect(refusals(both)).toEqual([]);
    expect(lookup(both, issued).status).toBe('revoked');
    const again = setOf([part('part B', { number: 2 })], { ...issuers, previous: both });
    expect(refusals(again)).toEqual(['older-than-known']);
  },
);

test('a hold does not take the place of a revocation of the same certificate, in whatever order they come', () => {
  const issued = provider();
  const hold = { certificate: issued, reason: 'certificateHold' } as const;
  const compromise = { certificate: issued, reason: 'keyCompromise' } as const;
  for (const revoked of [
    [compromise, hold],
    [hold, compromise],
  ]) {
    const set = setOf([{ revoked }]);
    expect(set.crls[0]?.crl.revokedCount).toBe(1);
    expect(lookup(set, issued, pki.nowMs + 2 * DAY_MS)).toMatchObject({
      status: 'revoked',
      crlReason: 'keyCompromise',
    });
  }
});

test('refuses a CRL of version 1 with extensions of the list or of an entry', () => {
  const direct = { kind: 'direct', issuer: pki.root, version: 1 } as const;
  expect(parseCrl(pki.crl({ ...direct, extensionsInVersion1: true }).der)).toMatchObject({ reason: 'malformed-der' });
  const revoked = [{ serialNumber: 1, reason: 'keyCompromise' }] as const;
  expect(parseCrl(pki.crl({ ...direct, revoked }).der)).toMatchObject({ reason: 'malformed-der' });
  expect(parseCrl(pki.crl({ ...direct, revoked: [{ serialNumber: 1 }] }).der)).toMatchObject({ status: 'parsed' });
});

test('a list of attribute certificates revokes no public-key certificate with the same serial number', () => {
  const issued = provider();
  const set = setOf([{ onlyContains: 'attribute-certificates', revoked: [issued] }]);
  expect(lookup(set, issued).status).toBe('unknown');
});

test(`reads a CRL of ${CRL_MAX_ENTRIES} entries and refuses one more`, () => {
  const entries = (count: number) => Array.from({ length: count }, (_, index) => ({ serialNumber: index }));
  const direct = { kind: 'direct', issuer: pki.root } as const;
  const most = entries(CRL_MAX_ENTRIES);
  expect(parsedCrl(pki.crl({ ...direct, revoked: most })).revokedCount).toBe(CRL_MAX_ENTRIES);
  const tooMany = [...most, { serialNumber: CRL_MAX_ENTRIES }];
  expect(parseCrl(pki.crl({ ...direct, revoked: tooMany }).der)).toMatchObject({ reason: 'malformed-der' });
});

test('reads a PEM CRL whose leading text begins with the digit that DER begins with', () => {
  expect(parseCrl(Buffer.from(`0 revoked certificates\n${pki.crl().pem}`))).toMatchObject({ status: 'parsed' });
});
