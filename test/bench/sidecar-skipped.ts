import {
  CERTIFICATE_FAULTS,
  createPassportFaultContext,
  PASSPORT_FAULTS,
  PASSPORT_FAULT_NAMES,
} from '@hopback/sdk/testing';
import type { CertificateFaultName } from '@hopback/sdk/testing';
import type { SidecarFolder } from '../support/sidecar-folder.js';

/** Says `OK` or `FAILED` of an Identity header value. */
export type Check = (identity: string) => Promise<string>;

/** What two checks make of the catalogues of faults. */
export interface Skipped {
  /** Faults that were tried. */
  readonly tried: number;
  /** Names of those that the first lets pass and the second does not. */
  readonly passedByFirst: readonly string[];
  /** The other way round. */
  readonly passedBySecond: readonly string[];
}

/**
 * Tries every faulty PASSporT and every faulty certification path of the test kit, and one of a revoked certificate.
 * @param lab - publishes the paths
 * @param first - of the peer @param second - ours
 */
export async function tryFaults(
  lab: SidecarFolder,
  { first, second, revoked }: { readonly first: Check; readonly second: Check; readonly revoked: string },
): Promise<Skipped> {
  const [passedByFirst, passedBySecond]: [string[], string[]] = [[], []];
  const faults = [...passportFaults(lab), ...certificateFaults(lab), ['certificate-revoked', revoked] as const];
  for (const [name, identity] of faults) {
    const said = [await first(identity), await second(identity)];
    if (said[0] === 'OK' && said[1] === 'FAILED') passedByFirst.push(name);
    if (said[0] !== 'OK' && said[1] === 'OK') passedBySecond.push(name);
  }
  return { tried: faults.length, passedByFirst, passedBySecond };
}

function passportFaults(lab: SidecarFolder): readonly (readonly [name: string, identity: string])[] {
  const [{ provider, x5u }] = lab.providers;
  const context = createPassportFaultContext({ signer: provider, x5u, nowMs: Date.now() });
  return PASSPORT_FAULT_NAMES.map((name) => [name, PASSPORT_FAULTS[name]] as const)
    .filter(([, { refusedBy }]) => refusedBy.includes('shaken'))
    .map(([name, fault]) => [name, fault.build(context).identityHeader] as const);
}

function certificateFaults(lab: SidecarFolder): readonly (readonly [name: string, identity: string])[] {
  return (Object.keys(CERTIFICATE_FAULTS) as CertificateFaultName[])
    .filter((name) => CERTIFICATE_FAULTS[name].expectedReasonHint !== undefined)
    .flatMap((name) => {
      const { endEntity, chainPem } = CERTIFICATE_FAULTS[name].build(lab.pki, '1234');
      // Whose key signs nothing that a PASSporT could be.
      if (endEntity.key.type !== 'P-256') return [];
      const x5u = lab.server.publish(`/fault-${name}.pem`, chainPem);
      return [[name, lab.identity({ signer: endEntity, x5u })] as const];
    });
}
