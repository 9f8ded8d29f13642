import { BlockingSubscriber, type AppReport, type ScreeningRule } from '@hopback/harness';
import { withVerstat } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';
import { hangUp, openCarrier, SDP } from './sip-lab.js';
import { startVerifying, verdictOf } from './verify-invite.js';

/** A subscriber with a call-blocking app, and the carrier that brings it calls. */
export interface GuardedLine {
  readonly close: () => Promise<void>;
  /** What the app reported: plain data. */
  readonly reports: readonly AppReport[];
  /** Offers the subscriber a call with these header fields; resolves to the status of its final response. */
  readonly offer: (headers: Record<string, string>) => Promise<number>;
}

/** Opens the carrier, and registers the subscriber's phone there. */
export async function openGuardedLine(rule: ScreeningRule): Promise<GuardedLine> {
  let phoneUri = '';
  const options = { listen: [{ transport: 'ws', host: '127.0.0.1', port: 0 }] } as const;
  const carrier = await openCarrier((srf) => {
    // A registrar for one: the phone is reached by the connection that it registered over.
    srf.use('register', (req, res) => {
      phoneUri = `sip:12025550199@${req.source_address}:${req.source_port};transport=ws`;
      res.send(200, { headers: { Contact: req.get('Contact') } });
    });
  }, options);
  const reports: AppReport[] = [];
  const subscriber = await BlockingSubscriber.open({
    ...{ server: `ws://127.0.0.1:${carrier.server.listening[0]?.port}`, number: '12025550199', domain: 'b.example' },
    ...{ rule, onReport: (report) => void reports.push(report) },
  });
  await subscriber.phone.register();
  // Where the call is refused, drachtio-srf rejects with an error that has the status.
  const refused = (error: { readonly status: number }): number => error.status;
  const offer = (headers: Record<string, string>): Promise<number> =>
    carrier.srf
      .createUAC(phoneUri, { headers, localSdp: SDP })
      .then(hangUp)
      .then(() => 200, refused);
  const close = (): Promise<void> => subscriber.close().then(() => carrier.close());
  return { reports, offer, close };
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  // By default only what was proven false is blocked; here also what nobody vouches for.
  const line = await openGuardedLine({ blockedVerstats: ['TN-Validation-Failed', 'No-TN-Validation'] });
  const deliver = async (caller: string): Promise<number> => {
    const verdict = await verdictOf(service, lab.invite(caller));
    const asserted = withVerstat(`<sip:+${caller}@a.example>`, verdict?.verstat ?? 'No-TN-Validation') ?? '';
    return line.offer({ 'P-Asserted-Identity': asserted, Identity: lab.identityHeader });
  };
  console.log(await deliver('12025550101')); // 200
  console.log(await deliver('12025550166')); // 607
  const { callingNumber, blockReason, identityHeaders } = line.reports[0] ?? {};
  console.log(callingNumber, blockReason, identityHeaders?.length); // 12025550166 verstat-not-validated 1
  for (const part of [line, { close }, lab]) await part.close();
}
