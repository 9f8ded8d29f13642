import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { RECORD_BATCH_TYPE } from '@hopback/sdk/internal';
import type { AppReport, RecordBatch } from '@hopback/sdk/platform';
import {
  SharingPolicy,
  SuspicionTracker,
  DEFAULT_SHARING_POLICY,
  recordIdOf,
  sourceSha256,
} from '@hopback/sdk/records';
import type { CallRecord, SharedRecord } from '@hopback/sdk/records';
import type { ContactDetails } from '@hopback/sdk/traceback';
import { SeededRandom } from '../../faults/index.js';

// Who is in the demo. Nobody of them exists: names are those of trees, addresses end in .example, and numbers are the ones that are kept for
// fiction, 555-01XX.

/** A provider of the demo. */
export interface DemoProvider {
  /** Word of its profile and mail address. */
  readonly word: string;
  readonly providerId: string;
  readonly name: string;
  readonly role: 'serves-subscribers' | 'intermediate' | 'gateway' | 'abroad';
  /** IANA name of the zone of its office. */
  readonly zone: string;
  readonly spc?: string;
  readonly frn: string;
  /** Area code and exchange of the subscribers whose calls it streams. */
  readonly exchange?: string;
  /** Whether it has a client, and so can be asked. */
  readonly isMember: boolean;
  /** Whether it was removed from the Robocall Mitigation Database. */
  readonly isRemoved?: boolean;
}

/** Word, name, role, zone, and what not every provider has. */
const LISTED: readonly (readonly [string, string, DemoProvider['role'], string, Partial<DemoProvider>])[] = [
  [
    'alder',
    'Alder Telephone Cooperative',
    'serves-subscribers',
    'America/Chicago',
    { spc: '901J', exchange: '512555' },
  ],
  ['birch', 'Birch Valley Wireless', 'serves-subscribers', 'America/New_York', { spc: '902J', exchange: '614555' }],
  ['cedar', 'Cedar Cable Voice', 'serves-subscribers', 'America/Denver', { spc: '903J', exchange: '303555' }],
  ['dogwood', 'Dogwood Tandem Services', 'intermediate', 'America/Chicago', { spc: '904J' }],
  ['elm', 'Elm Wholesale Voice', 'intermediate', 'America/New_York', { spc: '905J' }],
  ['fir', 'Fir International Gateway', 'gateway', 'America/New_York', { spc: '906J' }],
  ['gum', 'Gum Hosted Telephony', 'serves-subscribers', 'America/Los_Angeles', { spc: '907J' }],
  ['hazel', 'Hazel Long Distance', 'intermediate', 'America/New_York', { spc: '908J' }],
  ['ivy', 'Ivy Mobile', 'serves-subscribers', 'America/Los_Angeles', { spc: '909J' }],
  ['juniper', 'Juniper Dialing', 'serves-subscribers', 'America/New_York', { spc: '910J' }],
  ['kauri', 'Kauri Voice Limited', 'abroad', 'Pacific/Auckland', { isMember: false }],
  [
    'larch',
    'Larch Communications',
    'intermediate',
    'America/New_York',
    { spc: '912J', isMember: false, isRemoved: true },
  ],
];

/** All providers of the demo. */
export const DEMO_PROVIDERS: readonly DemoProvider[] = LISTED.map(([word, name, role, zone, more], at) => ({
  word,
  name,
  role,
  zone,
  isMember: true,
  providerId: `prv-${word}`,
  frn: `00990000${String(at + 1).padStart(2, '0')}`,
  ...more,
}));

const byWord = new Map(DEMO_PROVIDERS.map((provider) => [provider.word, provider]));

/** A provider by its word. */
export function demoProvider(word: string): DemoProvider {
  const found = byWord.get(word);
  if (found === undefined) throw new TypeError(`the demo has no ${word}`);
  return found;
}

/** How a way of a call ends, where the last provider on it is asked. */
type WayEnd =
  | {
      readonly says: 'origin';
      readonly customer: ContactDetails;
      readonly knowYourCustomer: string;
    }
  | { readonly says: 'point-of-entry'; readonly upstream: ContactDetails }
  | { readonly says: 'refused'; readonly reason: string }
  /** It does not answer. */
  | { readonly says: 'nothing' };

/** A way that calls take: words of the providers, the one that serves the subscriber first. */
export interface DemoPath {
  readonly providers: readonly string[];
  readonly end: WayEnd;
  /** Who signed, by its word, and with what. */
  readonly signed?: { readonly by: string; readonly attestation: 'A' | 'B' | 'C' };
}

/** Ways of the planted campaign. */
export const CAMPAIGN_WAYS: readonly DemoPath[] = [
  {
    providers: ['alder', 'dogwood', 'elm', 'fir'],
    end: {
      says: 'point-of-entry',
      upstream: { name: 'Kauri Voice Limited', email: 'noc@kauri.example', country: 'NZ' },
    },
    signed: { by: 'fir', attestation: 'C' },
  },
  {
    providers: ['birch', 'dogwood', 'gum'],
    end: {
      says: 'origin',
      customer: { name: 'Brightline Outreach LLC', email: 'accounts@brightline.example', country: 'US' },
      knowYourCustomer: 'Paid in advance by card; articles of organization seen; no call plan asked for.',
    },
    signed: { by: 'gum', attestation: 'B' },
  },
  { providers: ['cedar', 'hazel'], end: { says: 'nothing' } },
  {
    providers: ['ivy', 'juniper'],
    end: { says: 'refused', reason: 'Counsel has to look at the request first.' },
    signed: { by: 'juniper', attestation: 'B' },
  },
];

/** An organization beside providers, with one client. */
interface DemoOrganization {
  readonly word: string;
  readonly organizationId: string;
  readonly kind: 'app' | 'agency';
  readonly name: string;
  readonly jurisdiction?: string;
}

export const DEMO_APP: DemoOrganization = {
  word: 'call-guard',
  organizationId: 'app-call-guard',
  kind: 'app',
  name: 'Call Guard',
};

export const DEMO_AGENCIES: readonly DemoOrganization[] = [
  {
    word: 'texas',
    organizationId: 'ag-texas',
    kind: 'agency',
    jurisdiction: 'US-TX',
    name: 'Example Attorney General of Texas',
  },
  {
    word: 'ohio',
    organizationId: 'ag-ohio',
    kind: 'agency',
    jurisdiction: 'US-OH',
    name: 'Example Attorney General of Ohio',
  },
];

/** A reviewer of the traceback group, beside its first operator. */
export const DEMO_REVIEWER = { word: 'reviewer', organizationId: 'itg', name: 'Demo reviewer' } as const;

/** A call of the demo, of which it is known who made it. */
export interface DemoCall {
  readonly index: number;
  readonly atMs: number;
  /** Eleven digits. */
  readonly calling: string;
  readonly called: string;
  readonly way: DemoPath;
  /** Absent where nobody answered. */
  readonly seconds?: number;
  readonly isOfCampaign: boolean;
  /** What an application heard, where one reports it. */
  readonly heard?: string;
}

/** How far back calls reach: detection and alerts are about what goes on. */
const SPAN_MS = 8 * 60_000;
/** Calls of the campaign by each of its ways, and how many of them applications report. */
const CAMPAIGN = [
  { calls: 13, reported: 9 },
  { calls: 11, reported: 8 },
  { calls: 8, reported: 4 },
  { calls: 5, reported: 5 },
] as const;
/** Ordinary calls of each carrier that streams. */
const ORDINARY_CALLS = 60;
/** Ways that ordinary calls take to one carrier. */
const WAYS_TO_ONE = 3;
/** Lines of an exchange that are kept for fiction: 555-0100 to 555-0199. */
const FICTIONAL_LINES = 100;
/** Area codes that calls come from; those of subscribers are not among them. */
const AREAS = ['202', '213', '312', '404', '503', '602', '702', '813', '901', '919'];

/** What was heard, as recognition writes it: never twice the same. */
const HEARD = [
  'This call is from the Social Security Administration. We have suspended your social security number because of suspicious activity. Press one to speak to an officer of the enforcement department.',
  'this call is from the social security administration we have suspended your social security number because of suspicious activity press one to speak to an officer of the enforcement department',
  'This call is from social security administration. We have suspended your social security number because of a suspicious activity. Press 1 to speak to an officer of the enforcement department.',
  'call is from the Social Security Administration we have suspended your Social Security number because of suspicious activity please press one to speak to an officer of enforcement department',
  'This call is from the Social Security Administration. We have suspended your social security number because of suspicious activities. Press one to speak to an officer in the enforcement department, thank you.',
];

/** Ways of ordinary calls: nobody is asked about them. */
const ORDINARY_WAYS: readonly DemoPath[] = ['alder', 'birch', 'cedar'].flatMap((word): readonly DemoPath[] => [
  { providers: [word, 'ivy'], end: { says: 'nothing' }, signed: { by: 'ivy', attestation: 'A' } },
  { providers: [word, 'elm'], end: { says: 'nothing' } },
  { providers: [word], end: { says: 'nothing' } },
]);
/** Numbers of people who call by one way: they call again, which a campaign does not. */
const HOUSEHOLDS = 6;

/**
 * Plans the calls of the demo: one campaign by several ways, among calls of people. The same time gives the same calls.
 * @param nowMs - behind all of them
 */
export function planDemoCalls(nowMs: number): readonly DemoCall[] {
  const random = new SeededRandom(Math.floor(nowMs / 1_000) % 1_000_000, 'demo');
  const numbers = callingNumbers(random);
  const calls: Omit<DemoCall, 'index'>[] = [];
  for (const [at, way] of CAMPAIGN_WAYS.entries()) {
    const { calls: count, reported } = CAMPAIGN[at] ?? { calls: 0, reported: 0 };
    for (let call = 0; call < count; call += 1) {
      const isAnswered = call < reported || random.chance(0.6);
      calls.push({
        atMs: placedIn(nowMs, (call + random.next()) / count),
        way,
        isOfCampaign: true,
        calling: numbers.next().value,
        called: subscriberOf(way, random),
        ...(isAnswered && { seconds: 7 + random.int(14) }),
        ...(call < reported && { heard: HEARD[(at + call) % HEARD.length] as string }),
      });
    }
  }
  for (const way of ORDINARY_WAYS) {
    const households = Array.from({ length: HOUSEHOLDS }, () => numbers.next().value);
    for (let call = 0; call < ORDINARY_CALLS / WAYS_TO_ONE; call += 1) {
      calls.push({
        atMs: placedIn(nowMs, random.next()),
        way,
        isOfCampaign: false,
        calling: random.pick(households),
        called: subscriberOf(way, random),
        ...(random.chance(0.7) && { seconds: 65 + random.int(400) }),
      });
    }
  }
  return calls.sort((a, b) => a.atMs - b.atMs).map((call, index) => ({ ...call, index }));
}

/** The newest call lies some seconds back, so that no clock finds it in the future. */
const placedIn = (nowMs: number, share: number): number => Math.floor(nowMs - SPAN_MS + share * (SPAN_MS - 20_000));

function subscriberOf({ providers: [first = 'ivy'] }: DemoPath, random: SeededRandom): string {
  return `1${demoProvider(first).exchange ?? '415555'}${lineOf(random.int(FICTIONAL_LINES))}`;
}

/** Numbers that nobody has, none of them twice. */
function* callingNumbers(random: SeededRandom): Generator<string, string> {
  const numbers = AREAS.flatMap((area) =>
    Array.from({ length: FICTIONAL_LINES }, (_, line) => `1${area}555${lineOf(line)}`),
  );
  while (numbers.length > 1) yield numbers.splice(random.int(numbers.length), 1)[0] as string;
  return numbers[0] as string;
}

const lineOf = (line: number): string => String(100 + line).padStart(4, '0');

// What carriers and the application make of the calls of the demo, as carriers and applications do.

/**
 * Calls that a carrier finds suspicious leave with their caller, all others under pseudonyms. To the policy of the sdk every number of 555-01XX is
 * suspicious, since nobody has one, so that here it is planned which calls are.
 */
const [ORDINARY, SUSPICIOUS] = [
  DEFAULT_SHARING_POLICY.members['all-pseudonymous'],
  DEFAULT_SHARING_POLICY.members.suspicious,
];

const SOURCE = 'demo-switch';
/** Milliseconds until somebody answers. */
const RINGING_MS = 6_000;

/** Id of the record of a call at the carrier that serves the subscriber. */
export function recordIdOfCall(call: DemoCall): string {
  return recordIdOf({ sourceId: SOURCE, legId: `leg-${call.index}`, inviteAtUs: call.atMs * 1_000 });
}

/**
 * The batch that a carrier sends of its calls.
 * @param word - of the carrier
 * @param nowMs - when it is made
 */
export function batchOfCarrier(word: string, calls: readonly DemoCall[], nowMs: number): RecordBatch {
  const { providerId } = demoProvider(word);
  const key = createHash('sha256').update(`demo ${providerId}`).digest();
  const [ordinary, suspicious] = [ORDINARY, SUSPICIOUS].map(
    (members) =>
      new SharingPolicy({
        key,
        rotationId: 'demo-1',
        tenantId: providerId,
        data: {
          ...DEFAULT_SHARING_POLICY,
          id: 'demo-sharing-1',
          share: 'all-pseudonymous',
          members: { ...DEFAULT_SHARING_POLICY.members, 'all-pseudonymous': members },
        },
      }),
  ) as [SharingPolicy, SharingPolicy];
  const tracker = new SuspicionTracker();
  const records: SharedRecord[] = [];
  for (const call of calls) {
    if (call.way.providers[0] !== word) continue;
    const record = recordOf(call);
    const outcome = call.isOfCampaign
      ? suspicious.share(record, tracker.judge(record))
      : ordinary.share(record, undefined);
    if (outcome.status === 'shared') records.push(outcome.record);
  }
  const body = gzipSync(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const id = createHash('sha256').update(body).digest('hex').slice(0, 32);
  const source = `urn:hopback:demo:${word}`;
  return {
    id,
    source,
    type: RECORD_BATCH_TYPE,
    timeMs: nowMs,
    count: records.length,
    encoding: 'gzip',
    body,
  };
}

function recordOf(call: DemoCall): CallRecord {
  const { atMs, way, seconds } = call;
  const upstream = way.providers[1];
  const signer = way.signed === undefined ? undefined : demoProvider(way.signed.by).spc;
  const answeredAtUs = (atMs + RINGING_MS) * 1_000;
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOfCall(call),
    source: { id: SOURCE, format: 'hopback', readerVersion: 1, sha256: sourceSha256(`leg-${call.index} ${atMs}`) },
    legId: `leg-${call.index}`,
    callGroupId: `call-${call.index}`,
    inviteAtUs: atMs * 1_000,
    ...(seconds !== undefined && { answeredAtUs }),
    endedAtUs: answeredAtUs + (seconds ?? 0) * 1_000_000,
    time: { written: 'utc', resolutionUs: 1_000 },
    calling: { asWritten: call.calling, tn: call.calling },
    called: { asWritten: call.called, tn: call.called },
    ingress: upstream === undefined ? {} : { trunk: `from-${upstream}`, provider: demoProvider(upstream).name },
    egress: { trunk: 'subscribers' },
    disposition: seconds === undefined ? 'no-answer' : 'answered',
    received:
      signer === undefined || way.signed === undefined
        ? { verstat: 'No-TN-Validation' }
        : {
            verstat: 'TN-Validation-Passed',
            attestation: way.signed.attestation,
            spc: signer,
            iatSeconds: Math.floor(atMs / 1_000),
          },
  };
}

/** The report of a call in which something was heard; undefined for others. */
export function reportOfCall(call: DemoCall): AppReport | undefined {
  const { heard, way, called, calling, atMs, seconds } = call;
  const carrier = demoProvider(way.providers[0] ?? 'ivy');
  if (heard === undefined) return undefined;
  return {
    format: 'hopback.app-report.1',
    reportId: `demo-${call.index}`,
    app: { name: 'Call Guard', version: '4.2' },
    calledAt: new Date(atMs + RINGING_MS / 2).toISOString(),
    // Of subscribers whose carrier streams the application says no more than the exchange; others have said that their number may be told.
    called:
      carrier.exchange === undefined
        ? { shown: 'number', tn: called }
        : {
            shown: 'pseudonym',
            pseudonym: createHash('sha256').update(called).digest('hex').slice(0, 32),
            npaNxx: called.slice(1, 7),
          },
    calling,
    servedBy: carrier.name,
    action: 'answered-by-app',
    reason: 'content',
    ...(seconds !== undefined && { durationSeconds: seconds }),
    transcript: { text: heard, language: 'en' },
  };
}
