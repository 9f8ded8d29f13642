import { trunkPolicy, verifyIdentity } from '@hopback/sdk/switch';
import type { CallIdentity, TrunkPolicy } from '@hopback/sdk/switch';
import type { VerificationService } from '@hopback/sdk/stir';
import type Srf from 'drachtio-srf';
import { isMain, openLab } from './lab.js';
import { openCarrier, type Carrier } from './sip-lab.js';
import { startVerifying } from './verify-invite.js';

/** By the address that a call comes from: a gateway abroad signs nothing, and is not held to it; everybody else is. */
export function policyOfSource(address: string | undefined): TrunkPolicy {
  return address === '192.0.2.40'
    ? trunkPolicy({ role: 'gateway' })
    : trunkPolicy({ role: 'terminating', failureAction: 'reject_request' });
}

/** A terminating carrier: what is spoofed ends with 438, all else is told what was found, and is busy. */
export async function openTerminating(service: VerificationService): Promise<Carrier> {
  const verify = verifyIdentity({
    service,
    policyOf: (request) => policyOfSource(request.source_address),
    onTrouble: (error) => console.error('a call went on without a verdict', error),
  });
  return openCarrier((srf) => {
    srf.use('invite', verify);
    srf.invite((req, res) => {
      const { verdict, treatment } = (req as Srf.SrfRequest & { locals: { identity: CallIdentity } }).locals.identity;
      const reason = treatment.reasonHeaders.join(', ');
      res.send(486, {
        headers: { 'X-Verstat': verdict?.verstat ?? 'none', ...(reason !== '' && { Reason: reason }) },
      });
    });
  });
}

/** Calls, and says how that ended. */
export async function statusOfCall(from: Carrier, to: Carrier, headers: Record<string, string>): Promise<number> {
  const called = to.server.uri().replace('sip:', 'sip:+12025550199@');
  try {
    await from.srf.createUAC(called, { headers });
    return 200;
  } catch (error) {
    return (error as { readonly status: number }).status;
  }
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const originating = await openCarrier();
  const terminating = await openTerminating(service);
  const call = (number: string): Promise<number> =>
    statusOfCall(originating, terminating, { From: `<sip:+${number}@localhost>`, Identity: lab.identityHeader });
  console.log(await call('12025550101'), await call('12025550166')); // 486 438
  await close();
  for (const part of [terminating, originating, lab]) await part.close();
}
