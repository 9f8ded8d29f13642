import { CERTIFICATE_FAULTS, TestPki, type CertificateFaultName } from '@hopback/sdk/testing';
import { CERTIFICATE_FAULT_NAMES } from '../../sdk/src/testing/certificate-faults.js';
import * as pkijs from 'pkijs';
import { expect, test } from 'vitest';
import { parsedChain } from './certificates-parsed.js';

// What this library says of these paths is proved in certificates-path.

const pki = new TestPki();

const decode = ({ der }: { readonly der: Uint8Array }) => pkijs.Certificate.fromBER(Uint8Array.from(der).buffer);

/** Rules of STIR and of our policy, which pkijs does not know. */
const BEYOND_RFC_5280: readonly CertificateFaultName[] = [
  ...(['leaf-rsa', 'leaf-secp256k1', 'leaf-ed25519', 'leaf-sha1', 'intermediate-rsa', 'path-too-long'] as const),
  ...(['leaf-without-digital-signature', 'leaf-is-a-ca', 'intermediate-for-tls', 'claim-constraints-on-ca'] as const),
  ...(['tn-auth-list-absent', 'delegate-spc-not-encompassed', 'delegate-range-not-encompassed'] as const),
];
/** pkijs does not check these rules of RFC 5280, or does not go back to try another branch. */
const PKIJS_DIFFERS: readonly CertificateFaultName[] = [
  ...(['path-length-exceeded', 'leaf-unknown-critical-extension'] as const),
  ...(['intermediate-unknown-critical-extension', 'cross-signed'] as const),
];

test('pkijs comes to the same result for every path that is not among the named differences', async () => {
  const differences: CertificateFaultName[] = [];
  // pkijs goes round the loop without end.
  for (const name of CERTIFICATE_FAULT_NAMES.filter((each) => each !== 'loop')) {
    const { expectedReasonHint, build } = CERTIFICATE_FAULTS[name];
    const { chainPem, trustAnchors } = build(pki, '709J');
    const engine = new pkijs.CertificateChainValidationEngine({
      trustedCerts: trustAnchors.map(decode),
      // pkijs takes the last one for the end entity.
      certs: parsedChain(chainPem).map(decode).reverse(),
      checkDate: new Date(pki.nowMs),
    });
    const { result } = await engine.verify();
    if (result !== (expectedReasonHint === undefined)) differences.push(name);
  }
  expect(new Set(differences)).toEqual(new Set([...BEYOND_RFC_5280, ...PKIJS_DIFFERS]));
});

test('reads the same names, serial numbers, dates and extensions as pkijs', () => {
  const chains = CERTIFICATE_FAULT_NAMES.map((name) => CERTIFICATE_FAULTS[name].build(pki, '709J').chainPem);
  for (const ours of chains.flatMap(parsedChain)) {
    const theirs = decode(ours);
    expect(ours.serialNumber).toBe(
      BigInt(`0x${Buffer.from(theirs.serialNumber.valueBlock.valueHexView).toString('hex')}`).toString(16),
    );
    expect([ours.notBeforeMs, ours.notAfterMs]).toEqual([
      theirs.notBefore.value.getTime(),
      theirs.notAfter.value.getTime(),
    ]);
    expect(ours.signatureAlgorithm).toBe(theirs.signatureAlgorithm.algorithmId);
    expect(ours.extensions).toEqual(
      (theirs.extensions ?? []).map(({ extnID, critical }) => ({ oid: extnID, critical })),
    );
    expect(ours.subject.attributes.map(({ value }) => value)).toEqual(
      theirs.subject.typesAndValues.map(({ value }) => value.valueBlock.value),
    );
  }
});
