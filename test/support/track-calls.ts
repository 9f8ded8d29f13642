import type { CallRecord, RecordStore } from '@hopback/sdk/records';
import type { VerificationService } from '@hopback/sdk/stir';
import {
  createCallTracker,
  createFilingDirectory,
  everyStatus,
  outboundHeaders,
  relayedHeaders,
  trunkPolicy,
  verifyIdentity,
} from '@hopback/sdk/switch';
import type { CallIdentity, CallTracker, FilingDirectory, TrackedCall } from '@hopback/sdk/switch';
import type Srf from 'drachtio-srf';
import { hangUp, openCarrier, SDP, type Carrier } from '../../examples/sip-lab.js';

/** What the provider at the other end of each trunk has filed. The file comes anew each day: `filings.load(csv, { listedAtMs })`. */
export function openFilings(csv: string, leastFilings?: number): FilingDirectory {
  const filings = createFilingDirectory({
    trunks: { '127.0.0.1': { rmdNumber: 'RMD0001234' } },
    ...(leastFilings !== undefined && { leastFilings }),
  });
  const load = filings.load(csv, { listedAtMs: Date.now() });
  if (load.status === 'refused') console.error('the filings stay as they were', load.reason);
  return filings;
}

/** What the middleware leaves with a request. */
type TrackedRequest = Srf.SrfRequest & { locals: { call: TrackedCall; identity: CallIdentity } };

/** Sends a call on. What becomes of it is on record by itself. */
async function sendOn(
  srf: Srf,
  { req, res, uri }: { readonly req: TrackedRequest; readonly res: Srf.SrfResponse; readonly uri: string },
): Promise<void> {
  const { call, identity } = req.locals;
  const { headers, signing } = await outboundHeaders(req, { identity });
  const options = { headers: { ...headers }, responseHeaders: relayedHeaders };
  try {
    const leg = call.branch({ trunk: 'next-1', signing });
    const { uas, uac } = call.connected(await srf.createB2BUA(req, res, uri, options, leg));
    uas.on('destroy', () => uac.destroy());
    uac.on('destroy', () => uas.destroy());
  } catch {
    // The caller has an answer, and the call its record; nothing more will come of it.
    call.end();
  }
}

/** A carrier in the middle: whatever becomes of a call, it is on record, and the caller hears of it what the callee said. */
export async function openMiddle(
  next: Carrier,
  parts: { readonly service: VerificationService; readonly store: RecordStore; readonly filings: FilingDirectory },
): Promise<{ readonly carrier: Carrier; readonly tracker: CallTracker }> {
  const tracker = createCallTracker({
    source: { id: 'middle-1', providers: { '127.0.0.1': 'Example LLC' } },
    sink: parts.store,
    onTrouble: (error) => console.error('a call went on without its record', error),
  });
  const { filingOf } = parts.filings;
  const policy = trunkPolicy({ role: 'intermediate', upstreamFiling: 'reject' });
  const carrier = await openCarrier((srf) => {
    srf.use('invite', tracker.middleware);
    srf.use('invite', everyStatus);
    srf.use('invite', verifyIdentity({ service: parts.service, policyOf: () => policy, filingOf }));
    srf.invite((req, res) => void sendOn(srf, { req: req as TrackedRequest, res, uri: next.server.uri() }));
  });
  return { carrier, tracker };
}

/** A callee who does not want the calls of one number, and talks to all others. */
export async function openCallee(unwanted: string): Promise<Carrier> {
  return openCarrier((srf) => {
    srf.use('invite', everyStatus);
    srf.invite((req, res) => {
      if (req.callingNumber.includes(unwanted)) res.send(607);
      else void srf.createUAS(req, res, { localSdp: SDP });
    });
  });
}

/** Calls, hangs up, and says how that ended. */
export async function statusOfCall(from: Carrier, to: Carrier, headers: Record<string, string>): Promise<number> {
  const called = to.server.uri().replace('sip:', 'sip:+12025550199@');
  try {
    await hangUp(await from.srf.createUAC(called, { localSdp: SDP, headers }));
    return 200;
  } catch (error) {
    return (error as { readonly status: number }).status;
  }
}

/** All that the store holds. */
export const ANY_TIME = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };

/** How a record says that its call went. */
export const storyOf = ({ disposition, blockedBy, release, ingress }: CallRecord): string =>
  [ingress.provider, disposition, blockedBy ?? release?.party ?? release?.sipStatus].join(', ');
