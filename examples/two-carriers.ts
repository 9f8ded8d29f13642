import type { TappedMessage } from '@hopback/harness/drachtio';
import type { CallVerdict, VerificationService } from '@hopback/sdk/stir';
import type Srf from 'drachtio-srf';
import { isMain, openLab } from './lab.js';
import { hangUp, openCarrier, SDP, type Carrier } from './sip-lab.js';
import { ladder } from './sip-ladder.js';
import { startVerifying, verdictOf } from './verify-invite.js';

/** A carrier where a call begins and one where it ends, in one process. */
export interface TwoCarriers {
  readonly originating: Carrier;
  readonly terminating: Carrier;
  /** What the terminating carrier found out about the calls that came. */
  readonly verdicts: readonly (CallVerdict | undefined)[];
  /** Every message of both servers, in their order. */
  readonly seen: readonly TappedMessage[];
}

/** Opens both. The terminating one verifies each call as it came, and answers it. */
export async function openTwoCarriers(service: VerificationService): Promise<TwoCarriers> {
  const verdicts: (CallVerdict | undefined)[] = [];
  const seen: TappedMessage[] = [];
  const onMessage = (message: TappedMessage): void => void seen.push(message);
  const answer = async (req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<void> => {
    // The message as it was on the wire: drachtio-srf joins several Identity headers into one text.
    verdicts.push(await verdictOf(service, req.raw));
    await terminating.srf.createUAS(req, res, { localSdp: SDP });
  };
  const originating = await openCarrier(undefined, { onMessage });
  const terminating = await openCarrier((srf) => srf.invite((req, res) => void answer(req, res)), { onMessage });
  return { originating, terminating, verdicts, seen };
}

/** Calls from one to the other with an Identity header, and hangs up. */
export async function callAcross({ originating, terminating }: TwoCarriers, identityHeader: string): Promise<void> {
  const dialog = await originating.srf.createUAC(terminating.server.uri().replace('sip:', 'sip:+12025550199@'), {
    // The server writes its own address in place of localhost.
    headers: { From: '<sip:+12025550101@localhost>', Identity: identityHeader },
    localSdp: SDP,
  });
  await hangUp(dialog);
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const carriers = await openTwoCarriers(service);
  const { originating, terminating } = carriers;
  await callAcross(carriers, lab.identityHeader);
  await close();
  const [verdict] = carriers.verdicts;
  console.log(verdict?.status, verdict?.attestation, verdict?.signer?.spc); // passed A 1234
  console.log(ladder(carriers.seen, { originating: originating.server, terminating: terminating.server }));
  for (const part of [terminating, originating, lab]) await part.close();
}
