import {
  CERTIFICATE_FAULTS,
  createPassportFaultContext,
  PASSPORT_FAULTS,
  PASSPORT_FAULT_NAMES,
} from '@hopback/sdk/testing';
import type { CertificateFaultName } from '@hopback/sdk/testing';
import type { SidecarFolder } from '../support/sidecar-folder.js';

/** Says `OK` or `FAILED` of an Identity header value. */
type Check = (identity: string) => Promise<string>;

/**
 * Tries every faulty PASSporT and every faulty certification path of the test kit, and one of a revoked certificate.
 * @param lab - publishes the paths
 * @returns how many faults there are, and the names of those that the peer lets pass and we do not
 */
export async function tryFaults(
  lab: SidecarFolder,
  { theirs, ours, revoked }: { readonly theirs: Check; readonly ours: Check; readonly revoked: string },
): Promise<{ readonly tried: number; readonly passed: readonly string[] }> {
  const passed: string[] = [];
  const faults = [...passportFaults(lab), ...certificateFaults(lab), ['certificate-revoked', revoked] as const];
  for (const [name, identity] of faults) {
    if ((await theirs(identity)) === 'OK' && (await ours(identity)) === 'FAILED') passed.push(name);
  }
  return { tried: faults.length, passed };
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
