import { buffer } from 'node:stream/consumers';
import { wait } from '@hopback/sdk/internal/runtime';
import type { Campaign, Demand, PlatformClient, Production } from '@hopback/sdk/platform';
import { DEMO_AGENCIES } from './demo-calls.js';
import { callOperation } from './demo-members.js';

/** A PDF of one page with lines of text, for a demand that nobody served. */
async function demandDocument(lines: readonly string[]): Promise<Uint8Array> {
  // Loaded by whom it is made for, as its fonts take long to load.
  const { default: PdfDocument } = await import('pdfkit');
  const pdf = new PdfDocument();
  pdf.fontSize(11).text(lines.join('\n'));
  pdf.end();
  return buffer(pdf);
}

/** The agency's number of the matter, by which the demand is found again. */
const REFERENCE = 'DEMO-2026-001';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const POLL_MS = 300;

/** Who takes part in a demand. */
interface DemandParties {
  readonly agency: PlatformClient;
  readonly reviewer: PlatformClient;
  readonly signal: AbortSignal;
}

/**
 * An agency demands what is known of a campaign, a reviewer approves it, and the production is made. Begun again it goes on where it was.
 * @returns the production when it can be fetched
 */
export async function demandOfCampaign(parties: DemandParties, campaign: Campaign): Promise<Production> {
  const { agency, reviewer, signal } = parties;
  const demand = (await demandMade(agency, signal)) ?? (await submitted(parties, campaign));
  if (demand.state === 'under-review') {
    const { demandId } = demand;
    await callOperation(reviewer, 'claimDemand', { parameters: { demandId }, signal });
    const reason = 'In order: it cites its law, names one campaign, and reaches no content of calls.';
    await reviewer.demands.decide({ demandId, decision: 'approve', reason }, { signal });
  }
  for (;;) {
    const { productionIds } = await agency.demands.retrieve({ demandId: demand.demandId }, { signal });
    const [productionId] = productionIds;
    if (productionId !== undefined) {
      const production = await agency.productions.retrieve({ productionId }, { signal });
      if (production.state === 'ready') return production;
    }
    await wait(POLL_MS, signal);
  }
}

async function demandMade(agency: PlatformClient, signal: AbortSignal): Promise<Demand | undefined> {
  for await (const demand of agency.demands.iterate({}, { signal })) if (demand.reference === REFERENCE) return demand;
  return undefined;
}

async function submitted({ agency, signal }: DemandParties, campaign: Campaign): Promise<Demand> {
  const [texas] = DEMO_AGENCIES;
  const nowMs = Date.now();
  const name = texas?.name ?? '';
  const authority = 'Tex. Bus. & Com. Code Sec. 17.61';
  const document = await demandDocument([
    name,
    'CIVIL INVESTIGATIVE DEMAND (a demonstration; nobody served it)',
    '',
    `Matter ${REFERENCE}, under ${authority}`,
    '',
    `Produce the traceback records and reports of the campaign ${campaign.name.slice(0, 60)}.`,
  ]);
  return agency.demands.create(
    {
      kind: 'civil-investigative-demand',
      reference: REFERENCE,
      authority,
      document,
      isUrgent: true,
      agency: { name, jurisdiction: 'US-TX', contactEmail: 'robocalls@ag-texas.example' },
      scope: {
        recordClasses: ['traceback-records', 'call-records', 'customer-records', 'app-reports'],
        from: new Date(nowMs - DAY_MS).toISOString(),
        to: new Date(nowMs + HOUR_MS).toISOString(),
        campaignIds: [campaign.campaignId],
      },
      returnOn: new Date(nowMs + 14 * DAY_MS).toISOString().slice(0, 10),
    },
    { signal },
  );
}
