import { RedirectServer } from '@hopback/sdk/switch';
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
  const policy = { role: 'terminating', failureAction: 'reject_request' } as const;
  const known = { customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' } as const;
  return new RedirectServer({
    ...{ signing, verification },
    rules: [
      { name: 'inbound', mode: 'verify', when: { header: { name: 'Identity' } }, policy },
      { name: 'outbound', mode: 'sign', when: { sources: ['127.0.0.1'] }, facts: { role: 'originating', ...known } },
    ],
    onAnswered: ({ rule = 'none', outcome, signing: made }) =>
      keep(made?.status === 'signed' ? made.record : { rule, outcome }),
    onTrouble: (error) => console.error('a call was answered without a service', error),
  });
}

/** An application that answers by it. The types of drachtio-srf have no `srf.options`. */
export const openRedirect = (server: RedirectServer): Promise<Carrier> =>
  openCarrier((srf) => {
    srf.invite(server.invite);
    srf.use('options', server.options);
  });

/** Asks, and gives the status of the answer and one of its header fields. */
export async function answerTo(
  sbc: Carrier,
  redirect: Carrier,
  { headers, field }: { readonly headers: Record<string, string>; readonly field: string },
): Promise<readonly [number, string]> {
  const called = redirect.server.uri().replace('sip:', 'sip:+12025550199@');
  const asked = sbc.srf.createUAC(called, { headers }) as Promise<unknown>;
  const error = (await asked.catch((refusal: unknown) => refusal)) as { status: number; res: Map<string, string> };
  return [error.status, error.res.get(field) ?? ''];
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const server = redirectServerOf(await startSigning(lab.provider, () => undefined), service, () => undefined);
  const redirect = await openRedirect(server);
  const sbc = await openCarrier();
  const headers = { From: '<sip:+12025550101@localhost>' };
  console.log((await answerTo(sbc, redirect, { headers, field: 'Identity' }))[0]); // 302
  const spoofed = { From: '<sip:+12025550166@localhost>', Identity: lab.identityHeader };
  console.log((await answerTo(sbc, redirect, { headers: spoofed, field: 'Reason' }))[0]); // 603
  await close();
  for (const part of [sbc, redirect, server, lab]) await part.close();
}
