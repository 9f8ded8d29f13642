import { createTestKey, createTestPki, type TestCertificate } from '@hopback/sdk/testing';

/** A chain with the anchors it is to be judged by, and what RFC 5280 makes of it. */
export interface PathScenario {
  readonly name: string;
  readonly chain: readonly TestCertificate[];
  readonly anchors: readonly TestCertificate[];
  readonly atMs: number;
  readonly trusted: boolean;
}

/**
 * Chains on which every implementation of RFC 5280 section 6 has to agree: nothing of STIR in them decides.
 */
export async function pathScenarios(): Promise<readonly PathScenario[]> {
  const pki = await createTestPki();
  const anchors = [pki.root];
  const provider = (options = {}) => pki.issueServiceProvider({ spc: '709J', ...options });
  const scenario = (
    name: string,
    trusted: boolean,
    chain: readonly TestCertificate[],
    rest: Partial<PathScenario> = {},
  ): PathScenario => ({
    name,
    trusted,
    chain,
    anchors,
    atMs: pki.nowMs,
    ...rest,
  });
  const pathLengthZero = pki.issueCa({ pathLength: 0 });
  const belowZero = pki.issueCa({ issuer: pathLengthZero });
  const rollover = pki.issueCa({ issuer: pathLengthZero, subject: pathLengthZero.subject });
  const notCa = pki.issueCa({ basicConstraints: { ca: false } });
  const noConstraints = pki.issueCa({ basicConstraints: 'absent' });
  const noCertSign = pki.issueCa({ keyUsage: { usages: ['cRLSign'] } });
  const critical = pki.issueCa({ unknownCriticalExtension: true });
  const expired = pki.issueCa({ notAfterMs: pki.nowMs - 60_000 });
  const forgedCa = pki.issueCa({ signedBy: createTestKey() });
  const crossedCa = pki.issueCa();
  const unknownRoot = pki.issueRoot();
  const crossed = pki.crossSign(crossedCa, unknownRoot);
  const renewed = pki.crossSign(expired, pki.root);
  const p384 = pki.issueRoot({ curve: 'P-384' });
  return [
    scenario('a plain chain', true, [provider(), pki.intermediate]),
    scenario('a chain with its root', true, [provider(), pki.intermediate, pki.root]),
    scenario('a missing intermediate', false, [provider()]),
    scenario('a root that is not listed', false, [provider({ issuer: unknownRoot }), unknownRoot]),
    scenario('a self-signed end entity', false, [provider({ issuer: 'self' })]),
    scenario('an expired end entity', false, [provider({ notAfterMs: pki.nowMs - 60_000 }), pki.intermediate]),
    scenario('an end entity that is not valid yet', false, [
      provider({ notBeforeMs: pki.nowMs + 60_000 }),
      pki.intermediate,
    ]),
    scenario('an expired intermediate', false, [provider({ issuer: expired }), expired]),
    scenario('an expired intermediate and its renewed twin', true, [provider({ issuer: expired }), expired, renewed]),
    scenario('a forged end entity', false, [provider({ signedBy: createTestKey() }), pki.intermediate]),
    scenario('a corrupted signature', false, [provider({ corruptSignature: true }), pki.intermediate]),
    scenario('a forged intermediate', false, [provider({ issuer: forgedCa }), forgedCa]),
    scenario('an issuer that is not a CA', false, [provider({ issuer: notCa }), notCa]),
    scenario('an issuer without BasicConstraints', false, [provider({ issuer: noConstraints }), noConstraints]),
    scenario('an issuer without keyCertSign', false, [provider({ issuer: noCertSign }), noCertSign]),
    scenario('a path at its pathLenConstraint', true, [provider({ issuer: pathLengthZero }), pathLengthZero]),
    scenario('a path over its pathLenConstraint', false, [provider({ issuer: belowZero }), belowZero, pathLengthZero]),
    scenario('a self-issued certificate under pathLenConstraint 0', true, [
      provider({ issuer: rollover }),
      rollover,
      pathLengthZero,
    ]),
    scenario('an unknown critical extension on the end entity', false, [
      provider({ unknownCriticalExtension: true }),
      pki.intermediate,
    ]),
    scenario('an unknown critical extension on a CA', false, [provider({ issuer: critical }), critical]),
    scenario('an issuer name that does not chain', false, [
      provider({ issuerName: unknownRoot.subject }),
      pki.intermediate,
    ]),
    scenario('a cross-signed CA, unknown branch first', true, [provider({ issuer: crossedCa }), crossed, crossedCa]),
    scenario('P-384 throughout', true, [provider({ issuer: p384, curve: 'P-384' })], { anchors: [p384] }),
  ];
}
