import * as pkijs from 'pkijs';
import { beforeAll, expect, test } from 'vitest';
import { buildCertificatePath } from '../../sdk/src/stir/certificates/build-path.js';
import { parsed } from './certificates-parsed.js';
import { pathScenarios, type PathScenario } from './certificates-scenarios.js';

let scenarios: readonly PathScenario[];
beforeAll(async () => {
  scenarios = await pathScenarios();
});

const decode = ({ der }: { readonly der: Uint8Array }) => pkijs.Certificate.fromBER(Uint8Array.from(der).buffer);

/**
 * Where pkijs departs from RFC 5280: it lets these critical extensions and this path length pass, and does not go back to try
 * another branch. Named, so that a change of either side is noticed; `openssl verify` agrees with us on the first three.
 */
const PKIJS_DIFFERS: readonly string[] = [
  'a path over its pathLenConstraint',
  'an unknown critical extension on the end entity',
  'an unknown critical extension on a CA',
  'a cross-signed CA, unknown branch first',
];

test('comes to the same result as pkijs for every chain that is not among the named differences', async () => {
  const differences: string[] = [];
  for (const { name, chain, anchors, atMs, trusted } of scenarios) {
    const ours = buildCertificatePath(chain.map(parsed), { trustAnchors: anchors.map(parsed), atMs });
    expect([name, ours.status]).toEqual([name, trusted ? 'trusted' : 'untrusted']);
    const engine = new pkijs.CertificateChainValidationEngine({
      trustedCerts: anchors.map(decode),
      // pkijs takes the last one for the end entity.
      certs: chain.map(decode).reverse(),
      checkDate: new Date(atMs),
    });
    const { result } = await engine.verify();
    if (result !== trusted) differences.push(name);
  }
  expect(differences).toEqual(PKIJS_DIFFERS);
});

test('reads the same names, serial numbers, dates and extensions as pkijs', () => {
  for (const certificate of scenarios.flatMap(({ chain }) => chain)) {
    const ours = parsed(certificate);
    const theirs = decode(certificate);
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
