import { wait } from '@hopback/sdk/internal';
import type { Campaign, Demand, PlatformClient, Production } from '@hopback/sdk/platform';
import { DEMO_AGENCIES } from './demo-calls.js';
import { callOperation } from './demo-members.js';

/** Height of a line, points. */
const LINE_POINTS = 16;

/**
 * A PDF of one page with lines of text, for a demand that nobody served.
 * @param lines - ASCII
 * @see ISO 32000-1 section 7.5
 */
function demandDocument(lines: readonly string[]): Uint8Array {
  const shown = lines
    .map((line) => `(${line.replaceAll(/[\\()]/g, String.raw`\$&`)}) Tj 0 -${LINE_POINTS} Td`)
    .join('\n');
  const page = `BT /F1 11 Tf 72 720 Td\n${shown}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${page.length} >>\nstream\n${page}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let text = '%PDF-1.4\n';
  const places: number[] = [];
  for (const [at, object] of objects.entries()) {
    places.push(text.length);
    text += `${at + 1} 0 obj\n${object}\nendobj\n`;
  }
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  const count = objects.length + 1;
  text += `xref\n0 ${count}\n0000000000 65535 f \n${table}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
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

function submitted({ agency, signal }: DemandParties, campaign: Campaign): Promise<Demand> {
  const [texas] = DEMO_AGENCIES;
  const nowMs = Date.now();
  const name = texas?.name ?? '';
  const authority = 'Tex. Bus. & Com. Code Sec. 17.61';
  const document = demandDocument([
    name,
    'CIVIL INVESTIGATIVE DEMAND (a demonstration; nobody served it)',
    '',
    `Matter ${REFERENCE}, under ${authority}`,
    '',
    `Produce the traceback records and reports of the campaign ${campaign.name.slice(0, 60)}.`,
  ]);
  return agency.demands.create(
    {
      ...{ kind: 'civil-investigative-demand', reference: REFERENCE, authority, document, isUrgent: true },
      agency: { name, jurisdiction: 'US-TX', contactEmail: 'robocalls@ag-texas.example' },
      scope: {
        recordClasses: ['traceback-records', 'call-records', 'customer-records', 'app-reports'],
        ...{ from: new Date(nowMs - DAY_MS).toISOString(), to: new Date(nowMs + HOUR_MS).toISOString() },
        campaignIds: [campaign.campaignId],
      },
      returnOn: new Date(nowMs + 14 * DAY_MS).toISOString().slice(0, 10),
    },
    { signal },
  );
}
