import { setMaxListeners } from 'node:events';
import { relative } from 'node:path';
import type { KeyObject } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import { createHttpsRecordTransport, privateKeyJwt } from '@hopback/sdk/platform';
import type { Campaign, PlatformClient, Traceback } from '@hopback/sdk/platform';
import { FIRST_OPERATOR_CLIENT } from '../../platform/reference/index.js';
import { demoCarrier } from './answer-requests.js';
import { demandOfCampaign } from './demo-demand.js';
import { DEMO_AGENCIES, DEMO_APP, DEMO_PROVIDERS, DEMO_REVIEWER, demoProvider } from './demo-world.js';
import { callOperation, enrolMembers, fillRegistry } from './enrol-members.js';
import { clientOf, demoFolder, demoKey, demoMember } from './members.js';
import type { DemoMember } from './members.js';
import { planDemoCalls } from './planned-calls.js';
import type { DemoCall } from './planned-calls.js';
import { polled } from './polled.js';
import { keepSeedMark, readSeedMark } from './seed-mark.js';
import { answeredTracebacks } from './settle-tracebacks.js';
import { batchOfCarrier, reportOfCall } from './shared-calls.js';

/** What a demo is made with. */
export interface DemoToSeed {
  /** Address of the platform, without a slash at its end. */
  readonly baseUrl: string;
  /** Folder of the platform. */
  readonly directory: string;
  readonly operator: { readonly keyId: string; readonly privateKey: KeyObject };
  readonly signal: AbortSignal;
  /** Folder from which paths are shown. */
  readonly here: string;
  /** Is told how far it is: a line each. */
  readonly say: (line: string) => void;
}

/**
 * Fills an empty platform by its own API, as its members would: providers, members and keys; records and reports of calls of just now, with
 * a campaign among them; answers to the tracebacks that the platform opens; a demand, its approval and its production. Begun again it goes
 * on where it was, and does nothing where it was done.
 * @throws HopbackError `invalid-argument` for a platform that is in use; as the client of the platform; `unavailable` where the platform does not find what
 * was planted
 */
export async function seedDemo(demo: DemoToSeed): Promise<void> {
  const startMs = performance.now();
  const { baseUrl, directory, say, signal } = demo;
  // Calls that are made at once all listen to it.
  setMaxListeners(0, signal);
  const operator = await operatorClient(demo);
  const known = await readSeedMark(directory);
  if (known === undefined) await requireEmpty(operator, signal);
  const members = await demoMembers(demo);
  if (known?.isDone === true) {
    say(`The demo was made before: its profiles are in ${shownFolder(demo)}.`);
    return;
  }
  const mark = known ?? (await keepSeedMark(directory, { startedAtMs: Date.now(), isDone: false }));
  say('\nFilling the platform with a demo:');
  const calls = planDemoCalls(mark.startedAtMs);
  const carriers = await Promise.all(
    DEMO_PROVIDERS.filter(({ isMember }) => isMember).map(({ word }) =>
      demoCarrier(memberOf(members, word), { directory, calls }),
    ),
  );
  await fillRegistry(operator, signal);
  await enrolMembers(operator, { members, carriers, signal });
  say(`· ${DEMO_PROVIDERS.length} providers, and ${members.size} members with profiles in ${shownFolder(demo)}`);
  const records = await streamRecords(calls, { baseUrl, directory, signal });
  const reports = await reportCalls(memberOf(members, DEMO_APP.word).client, calls, signal);
  say(`· ${records} records of three carriers, ${reports} reports of an application, all of the last minutes`);
  const campaign = await foundCampaign(operator, signal);
  const { observedCalls, carrierRecords = 0, appReports = 0 } = campaign;
  say(
    `· found: ${campaign.name}, ${campaign.state}: ${observedCalls} calls (${carrierRecords} carrier records, ${appReports} app reports) so far`,
  );
  const agencies = DEMO_AGENCIES.map(({ word }) => memberOf(members, word).client);
  await Promise.all(agencies.map((agency) => alerted(agency, campaign, signal)));
  say('· agencies of two States alerted');
  const tracebacks = await answeredTracebacks(operator, { campaign, calls, carriers, signal });
  say(`· ${tracebacks.length} tracebacks opened and answered: ${tracebacks.map(shownOutcome).join(', ')}`);
  const [agency] = agencies;
  if (agency === undefined) return;
  const reviewer = memberOf(members, DEMO_REVIEWER.word).client;
  const production = await demandOfCampaign({ agency, reviewer, signal }, campaign);
  say(`· a demand approved, and its production ready: ${production.files.length} files`);
  await keepSeedMark(directory, { startedAtMs: mark.startedAtMs, isDone: true });
  say(
    [
      `Done in ${((performance.now() - startMs) / 1_000).toFixed(1)} s. Be anybody:`,
      '',
      ...roles(demo, production.productionId),
    ].join('\n'),
  );
}

/** Profiles of a demo that was begun say where the platform is, also after it was started at another address. */
async function demoMembers(demo: DemoToSeed): Promise<ReadonlyMap<string, DemoMember>> {
  const words = [...DEMO_PROVIDERS.filter(({ isMember }) => isMember), DEMO_APP, ...DEMO_AGENCIES, DEMO_REVIEWER].map(
    ({ word }) => word,
  );
  const members = await Promise.all(words.map((word) => demoMember(word, demo)));
  return new Map(members.map((member) => [member.word, member]));
}

function memberOf(members: ReadonlyMap<string, DemoMember>, word: string): DemoMember {
  const member = members.get(word);
  if (member === undefined) throw new TypeError(`the demo has no member ${word}`);
  return member;
}

function operatorClient({ baseUrl, operator }: DemoToSeed): Promise<PlatformClient> {
  const key = operator.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return clientOf({ baseUrl, clientId: FIRST_OPERATOR_CLIENT, keyId: operator.keyId, key });
}

async function requireEmpty(operator: PlatformClient, signal: AbortSignal): Promise<void> {
  const page = (await callOperation(operator, 'listOrganizations', { signal })) as {
    readonly items: readonly { readonly kind: string }[];
  };
  if (page.items.some(({ kind }) => kind !== 'staff'))
    throw new HopbackError('invalid-argument', 'it is for an empty platform, and this one has organizations already');
}

async function streamRecords(
  calls: readonly DemoCall[],
  { baseUrl, directory, signal }: Pick<DemoToSeed, 'baseUrl' | 'directory' | 'signal'>,
): Promise<number> {
  let records = 0;
  for (const { word } of DEMO_PROVIDERS.filter(({ exchange }) => exchange !== undefined)) {
    const keyId = `${word}-1`;
    const { pem: key } = await demoKey(`${demoFolder(directory)}/${word}.pem`, keyId);
    const authorization = await privateKeyJwt({
      tokenUrl: `${baseUrl}/oauth/token`,
      clientId: `demo-${word}`,
      keyId,
      key,
    });
    const transport = createHttpsRecordTransport({ url: `${baseUrl}/v1/record-batches`, authorization });
    const batch = batchOfCarrier(word, calls, Date.now());
    const result = await transport.deliver(batch, signal);
    await transport.close();
    if (result.status !== 'acknowledged' || result.rejected.length > 0)
      throw new HopbackError('unavailable', `records of ${demoProvider(word).name} were not taken: ${result.status}`);
    records += batch.count;
  }
  return records;
}

/** All at once, as telephones do. */
async function reportCalls(app: PlatformClient, calls: readonly DemoCall[], signal: AbortSignal): Promise<number> {
  const reports = calls.flatMap((call) => reportOfCall(call) ?? []);
  await Promise.all(reports.map((report) => app.appReports.create(report, { signal })));
  return reports.length;
}

async function foundCampaign(operator: PlatformClient, signal: AbortSignal): Promise<Campaign> {
  return polled(signal, 'the campaign that was planted', async () => {
    const { items } = await operator.campaigns.list({}, { signal });
    const largest = items.toSorted((a, b) => b.observedCalls - a.observedCalls)[0];
    return largest !== undefined && largest.observedCalls >= LEAST_CALLS ? largest : undefined;
  });
}

/** Calls from which on agencies are told of a campaign. */
const LEAST_CALLS = 20;

async function alerted(agency: PlatformClient, { campaignId }: Campaign, signal: AbortSignal): Promise<void> {
  await polled(signal, 'an alert', async () => {
    const { items } = await agency.alerts.list({}, { signal });
    return items.find((alert) => alert.campaignId === campaignId);
  });
}

const shownOutcome = ({ outcome }: Traceback): string => outcome ?? 'no answer yet';

const shownFolder = ({ directory, here }: DemoToSeed): string => {
  const folder = demoFolder(directory);
  const from = relative(here, folder);
  return from.startsWith('..') ? folder : from;
};

function roles(demo: DemoToSeed, productionId: string): readonly string[] {
  const folder = shownFolder(demo);
  return [
    `  hopback-harness alerts list --profile ${folder}/texas.json`,
    `  hopback-harness productions show ${productionId} --profile ${folder}/texas.json`,
    `  hopback-harness requests list --profile ${folder}/hazel.json     it has not answered yet`,
    `  hopback-harness reviews list --profile ${folder}/reviewer.json`,
    `  hopback-harness campaigns list --profile ${folder}/alder.json`,
  ];
}
