import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { wait } from '@hopback/sdk/internal/runtime';
import { createHttpsRecordTransport, privateKeyJwt } from '@hopback/sdk/platform';
import type { Campaign, PlatformClient, Traceback, TracebackOpening } from '@hopback/sdk/platform';
import { writeSecretFile } from '../../platform/database/index.js';
import { FIRST_OPERATOR_CLIENT } from '../../platform/reference/reference-platform.js';
import {
  batchOfCarrier,
  CAMPAIGN_WAYS,
  DEMO_AGENCIES,
  DEMO_APP,
  DEMO_PROVIDERS,
  DEMO_REVIEWER,
  demoProvider,
  planDemoCalls,
  recordIdOfCall,
  reportOfCall,
} from './demo-calls.js';
import type { DemoCall, DemoPath } from './demo-calls.js';
import { demandOfCampaign } from './demo-demand.js';
import {
  callOperation,
  clientOf,
  demoCarrier,
  demoFolder,
  demoKey,
  demoMember,
  enrolMembers,
  fillRegistry,
} from './demo-members.js';
import type { DemoCarrier, DemoMember } from './demo-members.js';

/** How often is looked whether the platform has found what was planted. */
const POLL_MS = 250;
/** How long the platform may take for each of its steps: seconds on a machine of its own, more on one that does other things. */
const PATIENCE_MS = 180_000;

/**
 * Looks until something is there.
 * @throws HopbackError `unavailable` where it is not there in time; the reason of the signal
 */
export async function polled<Value>(
  signal: AbortSignal,
  what: string,
  look: () => Promise<Value | undefined>,
): Promise<Value> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new HopbackError('unavailable', `the platform does not have ${what} yet`);
    await wait(POLL_MS, signal);
  }
}

/** How far a demo is: its calls are those of `startedAtMs`, however often it is begun. */
export interface SeedMark {
  readonly format: 'hopback.demo-seed.1';
  readonly startedAtMs: number;
  readonly isDone: boolean;
}

const FORMAT = 'hopback.demo-seed.1';

const markFile = (directory: string): string => join(demoFolder(directory), 'seed.json');

/** The mark of a folder; undefined where no demo was begun. */
export async function readSeedMark(directory: string): Promise<SeedMark | undefined> {
  const text = await readFile(markFile(directory), 'utf8').catch(() => '');
  try {
    const given = JSON.parse(text) as Partial<SeedMark>;
    return given.format === FORMAT && Number.isSafeInteger(given.startedAtMs) ? (given as SeedMark) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws HopbackError `storage-failed` */
export async function keepSeedMark(directory: string, mark: Omit<SeedMark, 'format'>): Promise<SeedMark> {
  const whole: SeedMark = { format: FORMAT, ...mark };
  await writeSecretFile(markFile(directory), `${JSON.stringify(whole)}\n`, 'replace');
  return whole;
}

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
  const opened = new Set<DemoPath>();
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

const isFirst = ({ providers: [word = ''] }: DemoPath, hop: Traceback['hops'][number] | undefined): boolean =>
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
      `Done in ${((performance.now() - startMs) / 1_000).toFixed(1)} s. Act as any of them:`,
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
    throw new HopbackError(
      'invalid-argument',
      '--seed-demo needs an empty platform, and this one has organizations already',
    );
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
