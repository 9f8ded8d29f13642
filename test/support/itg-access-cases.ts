import { vi } from 'vitest';
import type { Alert, Campaign, Demand, DemandSubmission, Page, Production } from '../../sdk/src/platform/index.js';
import { raiseAlert } from '../../harness/src/platform/alerts/evaluate-alerts.js';
import type { AlertRule } from '../../harness/src/platform/domain/alerts/alert-bodies.js';
import type { AccessFixture, SentAlong } from './itg-access-matrix.js';
import { freshName, openingOf, type AccessWorld } from './itg-access-world.js';
import { demandForm, submissionAt } from './itg-demands.js';
import { appReport } from './itg-live-calls.js';
import type { TestMember } from './itg-platform.js';

/** Campaigns of the matrix, each by what is heard in its calls. */
export type AccessCampaigns = Awaited<ReturnType<typeof hearCampaigns>>;

const SCRIPTS = [
  'This is a final notice about the warranty of your vehicle. Press one to speak to a specialist before your coverage is cancelled for good.',
  'Your electricity will be disconnected in thirty minutes because a payment was not received. Press two to pay now with a prepaid card.',
  'We noticed a charge of seven hundred dollars for a telephone on your shopping account. Press one if you did not authorize this order.',
];
/** Calls of each: what makes a campaign, and a few. They are to New York, so that no agency of Texas is told by itself. */
const CALLS = 24;
/** For what the platform does by itself, milliseconds: seconds, on a machine that has nothing else to do. */
const WAITING = { timeout: 120_000, interval: 100 };

/** Has applications hear the calls of three campaigns, one for each agency of the matrix, each of which has a rule of its own. */
export async function hearCampaigns({ lab, members, as }: AccessWorld) {
  for (const [index, text] of SCRIPTS.entries()) {
    for (let call = 0; call < CALLS; call += 1)
      await as(members.own.app, 'POST', '/v1/app-reports', {
        ...appReport(call, { reportId: `case-${index}-${call}`, transcript: { text, language: 'en' } }),
        calledAt: new Date(Date.now() - 60_000 + call * 1_000).toISOString(),
        called: { shown: 'number', tn: `1212555${1_000 + call}` },
        calling: `1646555${1_000 + index * 100 + call}`,
      });
  }
  for (const agency of [members.own.agency, members.other.agency]) {
    const rule = { ...ruleOf(ruleCanary(agency)), agencyIds: [agency.organizationId] };
    await lab.asOperator('POST', `/v1/alert-rules/${rule.ruleId}`, rule);
  }
  const found = async (): Promise<readonly Campaign[]> => {
    await lab.platform.opened.campaigns.flush();
    return ((await lab.asOperator('GET', '/v1/campaigns?limit=500')) as Page<Campaign>).items;
  };
  await vi.waitUntil(async () => (await found()).length === SCRIPTS.length, WAITING);
  const [open, own, other] = (await found()).map(({ campaignId }) => campaignId);
  const of = new Map([
    [members.own.agency.organizationId, own ?? ''],
    [members.other.agency.organizationId, other ?? ''],
  ]);
  return { open: open ?? '', of };
}

/** Campaigns are everybody's; cases belong to agencies, alerts to whom they were raised for. */
export function casesAccess(world: AccessWorld, { open, of }: AccessCampaigns): AccessFixture {
  const { lab, third, as } = world;
  const campaignOf = ({ organizationId }: TestMember): string => of.get(organizationId) ?? open;
  /** Raised as the platform raises them, since nothing else does for whoever it is. */
  const newAlert = async (owner: TestMember): Promise<string> => {
    const { context } = lab.platform;
    const [title, reason] = [freshName(alertCanary(owner)), freshName('matrix')];
    await context.transact((transaction) =>
      raiseAlert(context, transaction, {
        ...{ organizationId: owner.organizationId, subject: `campaign:${campaignOf(owner)}`, reason },
        alert: {
          ...{ kind: 'campaign-suspected', severity: 'warning', title, summary: 'It calls.' },
          ...{ campaignId: campaignOf(owner), tracebackIds: [], providers: [], figures: [] },
        },
      }),
    );
    const { items } = (await as(owner, 'GET', '/v1/alerts?limit=500')) as Page<Alert>;
    return items.find((alert) => alert.title === title)?.alertId ?? 'none-1';
  };
  const cases = new Set<string>();
  /** The campaign of somebody, of which an agency has an alert. */
  const caseOf = async (owner: TestMember): Promise<string> => {
    if (!cases.has(owner.organizationId) && of.has(owner.organizationId)) await newAlert(owner);
    cases.add(owner.organizationId);
    return campaignOf(owner);
  };
  const shares = { with: [third.agency.organizationId] };
  return {
    objects: [
      {
        ...{ parameters: ['campaignId'], operations: ['fetchCampaign'] },
        ...{ openTo: ['carrier', 'app', 'agency', 'staff'], make: async () => [open] },
      },
      {
        ...{ parameters: ['campaignId'], operations: ['decideCampaign', 'fetchCampaignEvidence'] },
        ...{ openTo: ['staff'], make: async () => [open] },
      },
      { parameters: ['campaignId'], openTo: ['staff'], make: async (owner) => [await caseOf(owner)] },
      {
        ...{ parameters: ['alertId'], operations: ['fetchAlertCaseSheet'], openTo: ['staff'] },
        make: async (owner) => [await newAlert(owner)],
      },
      { parameters: ['alertId'], openTo: [], make: async (owner) => [await newAlert(owner)] },
      {
        ...{ parameters: ['shareId'], openTo: [] },
        make: async (owner) => {
          const path = `/v1/cases/${await caseOf(owner)}/shares`;
          const made = (await as(owner, 'POST', path, shares)) as {
            readonly shares: readonly { readonly shareId: string }[];
          };
          return [made.shares[0]?.shareId ?? 'none-1'];
        },
      },
      { parameters: ['ruleId'], openTo: ['staff'], make: async () => [freshName('rule')] },
    ],
    bodies: {
      decideCampaign: () => ({ decision: 'rename', name: freshName('Renamed'), reason: 'As it is known.' }),
      acknowledgeAlert: () => ({ acknowledgedBy: 'Duty desk' }),
      putAlertRule: (_caller, { ruleId = '' }) => ruleOf(ruleId),
      putAlertSubscription: () => SUBSCRIPTION,
      tryAlertRules: () => ({}),
      shareCase: () => shares,
    },
    canaries: (owner) => [
      { text: alertCanary(owner), openTo: [] },
      { text: ruleCanary(owner), openTo: ['staff'] },
    ],
  };
}

const ruleCanary = ({ organizationId }: TestMember): string => `rule-for-${organizationId}`;

const alertCanary = ({ organizationId }: TestMember): string => `alert of ${organizationId}.`;

const ruleOf = (ruleId: string): AlertRule => ({
  ...{ ruleId, kind: 'campaign-suspected', severity: 'information', isEnabled: false, minCalls: 20 },
  ...{ minCallsPerMinute: 0, mustBeLive: false, types: [], minShare: 1, minCallsThere: 20, agencyIds: [] },
});

const SUBSCRIPTION = {
  ...{ withoutKinds: [], types: [], minCalls: 0, minShare: 0, minSeverity: 'information', alsoJurisdictions: [] },
};

/** Legal process is an agency's and the staff's, and so is what is handed over under it. */
export function demandsAccess({ lab, as, tokenOf }: AccessWorld): AccessFixture {
  const submitted = async (owner: TestMember, kind?: DemandSubmission['kind']): Promise<string> => {
    const { body = null } = sentDemand(owner, kind);
    const authorization = `Bearer ${await tokenOf(owner)}`;
    const headers = { authorization, 'idempotency-key': freshName('demand') };
    const response = await fetch(`${lab.platform.url}/v1/demands`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(await response.text());
    return ((await response.json()) as Demand).demandId;
  };
  const decided = async (demandId: string): Promise<Demand> => {
    const order = { decision: 'approve', reason: 'It fits.' };
    return (await as(lab.operator, 'POST', `/v1/demands/${demandId}/decisions`, order)) as Demand;
  };
  const produced = new Map<string, Promise<string>>();
  const readyProduction = (owner: TestMember): Promise<string> => {
    const made = produced.get(owner.organizationId) ?? produce(owner);
    produced.set(owner.organizationId, made);
    return made;
  };
  const produce = async (owner: TestMember): Promise<string> => {
    const { productionIds } = await decided(await submitted(owner));
    const path = `/v1/productions/${productionIds[0]}`;
    const state = async () => ((await lab.asOperator('GET', path)) as Production).state;
    await vi.waitUntil(async () => (await state()) === 'ready', WAITING);
    return productionIds[0] ?? '';
  };
  let days = 31;
  return {
    objects: [
      { parameters: ['demandId'], openTo: ['staff'], make: async (owner) => [await submitted(owner)] },
      {
        ...{ parameters: ['demandId'], operations: ['continueDemand', 'traceUnderDemand'], openTo: ['staff'] },
        make: async (owner) => {
          const demandId = await submitted(owner, 'court-order');
          await decided(demandId);
          return [demandId];
        },
      },
      { parameters: ['productionId'], openTo: ['staff'], make: async (owner) => [await readyProduction(owner)] },
      {
        ...{ parameters: ['productionId', 'name'], openTo: ['staff'] },
        make: async (owner) => [await readyProduction(owner), 'SHA256SUMS'],
      },
    ],
    bodies: {
      decideDemand: () => ({ decision: 'reject', reason: 'It names nothing.' }),
      continueDemand: () => ({ until: dayFromNow(2), everyHours: 24 }),
      withdrawDemand: () => ({ reason: 'Settled.' }),
      traceUnderDemand: (caller) => openingOf(caller, 'carrier-third'),
      extendProduction: () => ({ until: dayFromNow((days += 1)), reason: 'Counsel is away.' }),
      reissueProduction: () => ({ reason: 'It got lost.' }),
    },
    sent: { submitDemand: (caller) => sentDemand(caller) },
    canaries: (owner) => [{ text: demandCanary(owner), openTo: ['staff'] }],
  };
}

const demandCanary = ({ organizationId }: TestMember): string => `demand of ${organizationId}.`;
const dayFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();

/** The two parts of a demand for tracebacks of a number. */
function sentDemand(owner: TestMember, kind: DemandSubmission['kind'] = 'civil-investigative-demand'): SentAlong {
  const { scope, ...submission } = submissionAt(Date.now(), { kind, reference: demandCanary(owner) });
  const { campaignIds: _, ...wide } = scope;
  const to = dayFromNow(kind === 'court-order' ? 7 : 0);
  const narrow = { ...wide, to, recordClasses: ['traceback-records'], calledNumbers: ['12025550143'] } as const;
  return { body: demandForm({ ...submission, scope: narrow }) };
}
