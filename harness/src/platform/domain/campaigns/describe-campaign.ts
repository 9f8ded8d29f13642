import type { Campaign } from '@hopback/sdk/platform';
import { ratePerHour } from './campaign-file.js';
import type { CampaignFile } from './campaign-file.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';

type CampaignEntryPoint = NonNullable<Campaign['entryPoints']>[number];
type CampaignProvider = Campaign['providers'][number];
type CampaignVolume = NonNullable<Campaign['estimatedVolume']>;

/** What others have found out about a campaign. */
export interface CampaignFindings {
  readonly tracebackIds: readonly string[];
  /** Most tracebacks first. */
  readonly providers: readonly CampaignProvider[];
  readonly updatedAtMs: number;
}

/** Signers, upstreams and areas that are told; the others are few calls each. */
const MAX_TOLD = 100;
/** Calls that are both on record and reported from which on an estimate says more than the count. Chapman's bias is small from seven on. */
const LEAST_BOTH = 7;

/**
 * A campaign in the form of the contract, as agencies and staff see it. Never throws.
 * @param findings - tracebacks and providers, as far as they are known
 */
export function describeCampaign(file: CampaignFile, findings: CampaignFindings): Campaign {
  const { standing, transcripts } = file;
  const { updatedAtMs } = findings;
  const isClosed = standing.state === 'closed';
  return {
    format: 'hopback.campaign.1',
    campaignId: file.campaignId,
    name: file.name,
    description: describeInWords(file),
    state: standing.state,
    firstSeenAt: isoTime(file.firstSeenMs),
    lastSeenAt: isoTime(file.lastSeenMs),
    updatedAt: isoTime(updatedAtMs),
    observedCalls: file.observedCalls,
    carrierRecords: file.carrierRecords,
    appReports: file.appReports,
    callingNumbers: file.callingNumbers.count(),
    ...(transcripts[0] !== undefined && { transcript: transcripts[0] }),
    signals: [...file.reasons.keys()].filter((reason) => reason !== 'other').slice(0, MAX_SIGNALS),
    providers: findings.providers,
    tracebackIds: findings.tracebackIds.slice(0, MAX_TRACEBACKS),
    class: file.kind,
    stateReason: standing.because,
    stateSince: isoTime(standing.sinceMs),
    callsPerHour: isClosed ? 0 : ratePerHour(file, updatedAtMs),
    estimatedVolume: estimatedVolume(file),
    reasons: told(file.reasons).map(([reason, calls]) => ({ reason, calls })),
    signers: told(file.signers).flatMap(([spc, calls]) => (spc === 'other' ? [] : [{ spc, calls }])),
    attestations: told(file.attestations).flatMap(([attestation, calls]) =>
      isAttestation(attestation) ? [{ attestation, calls }] : [],
    ),
    entryPoints: entryPoints(file, findings.providers),
    calledAreas: told(file.areas).flatMap(([areaCode, calls]) =>
      /^\d{3}$/.test(areaCode) ? [{ areaCode, calls }] : [],
    ),
  };
}

/** What carriers and applications see of a campaign: not who let it in, nor what is being traced. Never throws. */
export function describeForOthers(campaign: Campaign): Campaign {
  return {
    ...campaign,
    providers: [],
    tracebackIds: [],
    entryPoints: [],
    signers: [],
  };
}

/** As the schemas of the contract have them. */
const MAX_SIGNALS = 64;
const MAX_TRACEBACKS = 500;

/**
 * How many calls there were in all: records of carriers and reports of applications are two samples of them, and how many calls are in both
 * says how much each misses. They are not wholly independent (what an application blocks at once may never ring), so that it is an estimate.
 * @see Chapman, Some properties of the hypergeometric distribution with applications to zoological sample censuses (1951)
 */
export function estimatedVolume(file: CampaignFile): CampaignVolume {
  const { recordedCalls: recorded, reportedCalls: reported, bothCalls: both, observedCalls } = file;
  if (both < LEAST_BOTH)
    return {
      calls: observedCalls,
      basis: 'observed',
      recorded,
      reported,
      both,
    };
  const estimate = Math.round(((recorded + 1) * (reported + 1)) / (both + 1) - 1);
  return {
    calls: Math.max(observedCalls, estimate),
    basis: 'capture-recapture',
    recorded,
    reported,
    both,
  };
}

/** Where calls probably enter: tracebacks are the surest, then who signed, then from whom carriers had them. */
function entryPoints(file: CampaignFile, providers: readonly CampaignProvider[]): readonly CampaignEntryPoint[] {
  const traced = providers
    .filter(({ role }) => role === 'origin' || role === 'point-of-entry')
    .map(({ provider, tracebacks }): CampaignEntryPoint => ({ provider, basis: 'traceback', count: tracebacks }));
  const signers = told(file.signers)
    .filter(([spc]) => spc !== 'other')
    .map(([spc, count]): CampaignEntryPoint => ({ provider: { name: `SPC ${spc}`, spc }, basis: 'signer', count }));
  const upstreams = told(file.upstreams)
    .filter(([name]) => name !== 'other')
    .map(([name, count]): CampaignEntryPoint => ({ provider: { name: name.slice(0, 256) }, basis: 'upstream', count }));
  return [...traced, ...signers, ...upstreams];
}

function told(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].toSorted(([, a], [, b]) => b - a).slice(0, MAX_TOLD);
}

function isAttestation(word: string): word is 'A' | 'B' | 'C' | 'failed' | 'none' {
  return word === 'A' || word === 'B' || word === 'C' || word === 'failed' || word === 'none';
}

const WAYS: ReadonlySet<string> = new Set(WAYS_OF_CALLING);

function describeInWords(file: CampaignFile): string {
  const ways = told(file.reasons).flatMap(([reason]) => (WAYS.has(reason) ? [reason] : []));
  const heard = file.transcripts.length > 0 ? `a script of the kind ${file.kind}` : 'nothing heard so far';
  const how = ways.length > 0 ? `; way of calling: ${ways.join(', ')}` : '';
  return `${callsWithBase(file)}; ${heard}${how}.`;
}

/** Calls with what they were counted from: `33 calls (51 carrier records, 12 app reports)`. Never throws. */
export const callsWithBase = (of: Pick<CampaignFile, 'observedCalls' | 'carrierRecords' | 'appReports'>): string =>
  `${of.observedCalls} calls (${of.carrierRecords} carrier records, ${of.appReports} app reports)`;

const isoTime = (atMs: number): string => new Date(atMs).toISOString();
