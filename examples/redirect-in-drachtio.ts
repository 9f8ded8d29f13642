import { createRedirectServer } from '@hopback/sdk/switch';
import type { RedirectServer } from '@hopback/sdk/switch';
import type { AuthenticationService, VerificationService } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';
import { startSigning } from './sign-call.js';
import { openCarrier, type Carrier } from './sip-lab.js';
import { startVerifying } from './verify-invite.js';

/** What comes with an Identity is verified, and ended where it is spoofed; all else is signed for a customer who is known. */
export function redirectServerOf(
  signing: AuthenticationService,
  verification: VerificationService,
  keep: (record: object) => void,
): RedirectServer {
  return createRedirectServer({
    signing,
    verification,
    rules: [
      {
        name: 'inbound',
        mode: 'verify',
        when: { header: { name: 'Identity' } },
        policy: { role: 'terminating', failureAction: 'reject_request' },
      },
      {
        name: 'outbound',
        mode: 'sign',
        when: { sources: ['127.0.0.1'] },
        facts: { role: 'originating', customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' },
      },
    ],
    onAnswered: ({ rule = 'none', outcome, signing: signed }) => {
      keep(signed?.status === 'signed' ? signed.record : { rule, outcome });
    },
    onTrouble: (error) => console.error('a call was answered without a service', error),
  });
}

/** An application that answers by it. */
export function openRedirect(server: RedirectServer): Promise<Carrier> {
  return openCarrier((srf) => {
    srf.invite(server.invite);
    // The types of drachtio-srf have no `srf.options`.
    srf.use('options', server.options);
  });
}

/** Asks, and gives the status of the answer and one of its header fields. */
export async function answerTo(
  sbc: Carrier,
  redirect: Carrier,
  { headers, field }: { readonly headers: Record<string, string>; readonly field: string },
): Promise<readonly [number, string]> {
  const called = redirect.server.uri().replace('sip:', 'sip:+12025550199@');
  try {
    await sbc.srf.createUAC(called, { headers });
    return [200, ''];
  } catch (error) {
    const { status, res } = error as { readonly status: number; readonly res: { get: (name: string) => string } };
    return [status, res.get(field)];
  }
}

if (isMain(import.meta.url)) {
  await using lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const signing = await startSigning(lab.provider, () => undefined);
  const server = redirectServerOf(signing, service, () => undefined);
  await using redirect = await openRedirect(server);
  await using sbc = await openCarrier();
  const From = '<sip:+12025550101@localhost>';
  const Identity = lab.identityHeader;
  const [signed, identity] = await answerTo(sbc, redirect, { headers: { From }, field: 'Identity' });
  console.log(signed, identity.includes(';info=<https://')); // 302 true
  const asked = { headers: { From, Identity }, field: 'P-Asserted-Identity' };
  const [verified, caller] = await answerTo(sbc, redirect, asked);
  console.log(verified, caller.split(/[;@]/)[1]); // 302 verstat=TN-Validation-Passed
  const spoofed = { From: '<sip:+12025550166@localhost>', Identity };
  console.log((await answerTo(sbc, redirect, { headers: spoofed, field: 'Reason' }))[0]); // 603
  await server.close();
  await close();
}
