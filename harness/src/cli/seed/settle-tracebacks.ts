import type { Campaign, PlatformClient, Traceback, TracebackOpening } from '@hopback/sdk/platform';
import type { DemoCarrier } from './answer-requests.js';
import { CAMPAIGN_WAYS, demoProvider } from './demo-world.js';
import type { DemoWay } from './demo-world.js';
import type { DemoCall } from './planned-calls.js';
import { polled } from './polled.js';
import { recordIdOfCall } from './shared-calls.js';

/** How long the platform has to open tracebacks by itself; of ways that it has not seen by then, as it may have been told late, staff opens them. */
const BY_ITSELF_MS = 7_000;

/** Answers until every way of the campaign has come to what it comes to: one of them to a provider that is silent. */
export async function answeredTracebacks(
  operator: PlatformClient,
  by: {
    readonly campaign: Campaign;
    readonly calls: readonly DemoCall[];
    readonly carriers: readonly DemoCarrier[];
    readonly signal: AbortSignal;
  },
): Promise<readonly Traceback[]> {
  const { campaign, calls, carriers, signal } = by;
  const opened = new Set<DemoWay>();
  const byStaffMs = performance.now() + BY_ITSELF_MS;
  return polled(signal, 'tracebacks of the campaign', async () => {
    const answered = await Promise.all(carriers.map((carrier) => carrier.answerOpen(signal)));
    if (answered.some((count) => count > 0)) return undefined;
    const { items } = await operator.tracebacks.list({}, { signal });
    const own = items.filter((one) => one.campaign?.campaignId === campaign.campaignId);
    const untraced = CAMPAIGN_WAYS.filter((way) => !own.some(({ hops }) => isFirst(way, hops[0])));
    // What came up since carriers answered is answered in the next round.
    if (untraced.length === 0) return own.every(isSettled) ? own : undefined;
    if (performance.now() < byStaffMs) return undefined;
    for (const way of untraced.filter((one) => !opened.has(one))) {
      opened.add(way);
      const call = calls.findLast((one) => one.isOfCampaign && one.way === way && one.heard !== undefined);
      if (call !== undefined) await operator.tracebacks.create(openingOf(call, campaign), { signal });
    }
    return undefined;
  });
}

/** Whether a traceback has come to what it comes to: an outcome, or a provider that says nothing. */
function isSettled({ outcome, hops }: Traceback): boolean {
  return outcome !== undefined || SILENT.has(hops.at(-1)?.provider.providerId);
}

const SILENT: ReadonlySet<string | undefined> = new Set(
  CAMPAIGN_WAYS.filter(({ end }) => end.says === 'nothing').map(
    ({ providers }) => demoProvider(providers.at(-1) ?? '').providerId,
  ),
);

const isFirst = ({ providers: [word = ''] }: DemoWay, hop: Traceback['hops'][number] | undefined): boolean =>
  hop?.provider.providerId === demoProvider(word).providerId;

function openingOf(call: DemoCall, { campaignId, name }: Campaign): TracebackOpening {
  const [first = ''] = call.way.providers;
  const { providerId, name: firstName, exchange } = demoProvider(first);
  const written = new Date(call.atMs).toISOString();
  const at = { asWritten: written, local: written.slice(0, -1), zone: 'UTC', precision: 'millisecond' } as const;
  const isRecorded = exchange !== undefined;
  return {
    direction: 'back',
    call: isRecorded ? { at, recordId: recordIdOfCall(call) } : { at, called: call.called, calling: call.calling },
    campaign: { campaignId, name },
    firstProvider: { providerId, name: firstName },
  };
}
