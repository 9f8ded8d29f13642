import type { Campaign } from '@hopback/sdk/platform';
import type { CampaignCall } from '../../core/index.js';
import { jurisdictionOfNpa } from './area-codes.js';

/** Minutes over which the rate of calls is measured: shorter, and a pause of a dialler is the end of a campaign. */
const RATE_MINUTES = 10;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Hours that are told one by one. */
const HOURS_TOLD = 48;

/** Calls of one jurisdiction. */
export interface JurisdictionShare {
  /** `US-TX`. */
  readonly jurisdiction: string;
  readonly calls: number;
  /** Of the calls whose area code belongs to a jurisdiction. */
  readonly share: number;
}

/** What a campaign comes to in figures. All of them count calls that were placed, each once. */
export interface CampaignFigures {
  readonly observedCalls: number;
  /** Records of carriers and reports of applications that they were counted from. */
  readonly carrierRecords: number;
  readonly appReports: number;
  /** Calls that were looked at for the figures below: the newest. */
  readonly sampledCalls: number;
  /** Records and reports among them that an earlier release stored and that are not joined: each counts as a call. */
  readonly unjoined: number;
  /** Calls of the last ten minutes, by the minute. */
  readonly callsPerMinute: number;
  readonly perHour: readonly { readonly fromMs: number; readonly calls: number }[];
  /** Calls of the last 24 hours against those of the 24 before; absent where the sample does not reach as far. */
  readonly trend?: 'rising' | 'steady' | 'falling';
  /** Most calls first. */
  readonly jurisdictions: readonly JurisdictionShare[];
  /** Calls that belong to no jurisdiction by their area code. */
  readonly elsewhere: number;
  readonly signers: readonly SignerShare[];
  readonly unsigned: number;
}

/** Calls that one Service Provider Code signed. */
export interface SignerShare {
  readonly spc: string;
  readonly calls: number;
  readonly attestation: { readonly A: number; readonly B: number; readonly C: number };
}

/**
 * Figures of a campaign.
 * @param campaign - as its reader has it
 * @param evidence - the newest records and reports of its calls, in any order
 * @param nowMs - until which rates are measured
 */
export function campaignFigures(campaign: Campaign, evidence: readonly CampaignCall[], nowMs: number): CampaignFigures {
  const calls = placedCalls(evidence);
  const recent = calls.filter(({ atMs }) => atMs > nowMs - RATE_MINUTES * MINUTE_MS && atMs <= nowMs).length;
  const trend = trendOf(calls, { nowMs, isWhole: calls.length >= campaign.observedCalls });
  return {
    observedCalls: campaign.observedCalls,
    // A platform of an older version does not say them.
    carrierRecords: campaign.carrierRecords ?? campaign.estimatedVolume?.recorded ?? 0,
    appReports: campaign.appReports ?? campaign.estimatedVolume?.reported ?? 0,
    sampledCalls: calls.length,
    unjoined: evidence.filter(({ isUnjoined }) => isUnjoined).length,
    callsPerMinute: recent / RATE_MINUTES,
    perHour: perHourOf(calls, nowMs),
    ...(trend !== undefined && { trend }),
    ...sharesOf(calls),
    ...signersOf(calls),
  };
}

/** What is known of a call, by all of its records and reports. */
type FiguredCall = Pick<CampaignCall, 'atMs' | 'calledNpaNxx' | 'signer' | 'attestation'>;

/**
 * One call for all of its evidence: its time is that of the record nearest to who was called, where there is one; a signature is that of any record, since
 * the carrier that signed a call has none on its own.
 */
function placedCalls(evidence: readonly CampaignCall[]): readonly FiguredCall[] {
  const calls = new Map<string, CampaignCall[]>();
  for (const one of evidence) {
    const known = calls.get(one.placedCallId);
    if (known === undefined) calls.set(one.placedCallId, [one]);
    else known.push(one);
  }
  return [...calls.values()].map((all) => {
    const [first] = all.toSorted(byNearness);
    const signed = all.find(({ signer }) => signer !== undefined);
    const exchange = all.find(({ calledNpaNxx }) => calledNpaNxx !== undefined)?.calledNpaNxx;
    return {
      atMs: first?.atMs ?? 0,
      ...(exchange !== undefined && { calledNpaNxx: exchange }),
      ...(signed?.signer !== undefined && { signer: signed.signer }),
      ...(signed?.attestation !== undefined && { attestation: signed.attestation }),
    };
  });
}

/** Records before reports, and of records the last: it is of the carrier that the call came to last. */
const byNearness = (one: CampaignCall, other: CampaignCall): number =>
  Number(one.recordId === undefined) - Number(other.recordId === undefined) ||
  other.atMs - one.atMs ||
  (one.callId < other.callId ? -1 : 1);

function sharesOf(calls: readonly FiguredCall[]): Pick<CampaignFigures, 'jurisdictions' | 'elsewhere'> {
  const counts = new Map<string, number>();
  for (const { calledNpaNxx } of calls) {
    const jurisdiction = calledNpaNxx === undefined ? undefined : jurisdictionOfNpa(calledNpaNxx);
    if (jurisdiction !== undefined) counts.set(jurisdiction, (counts.get(jurisdiction) ?? 0) + 1);
  }
  const placed = [...counts.values()].reduce((total, count) => total + count, 0);
  const jurisdictions = [...counts]
    .map(([jurisdiction, count]) => ({ jurisdiction, calls: count, share: count / placed }))
    .sort((one, other) => other.calls - one.calls || (one.jurisdiction < other.jurisdiction ? -1 : 1));
  return { jurisdictions, elsewhere: calls.length - placed };
}

function signersOf(calls: readonly FiguredCall[]): Pick<CampaignFigures, 'signers' | 'unsigned'> {
  const bySigner = new Map<string, { A: number; B: number; C: number; calls: number }>();
  let unsigned = 0;
  for (const { signer, attestation } of calls) {
    if (signer === undefined) {
      unsigned += 1;
      continue;
    }
    const counts = bySigner.get(signer) ?? { A: 0, B: 0, C: 0, calls: 0 };
    bySigner.set(signer, counts);
    counts.calls += 1;
    if (attestation !== undefined) counts[attestation] += 1;
  }
  const signers = [...bySigner]
    .map(([spc, { A, B, C, calls: signed }]) => ({ spc, calls: signed, attestation: { A, B, C } }))
    .sort((one, other) => other.calls - one.calls || (one.spc < other.spc ? -1 : 1));
  return { signers, unsigned };
}

function perHourOf(calls: readonly FiguredCall[], nowMs: number): CampaignFigures['perHour'] {
  const lastHour = Math.floor(nowMs / HOUR_MS);
  const counts = Array.from({ length: HOURS_TOLD }, (_, index) => ({
    fromMs: (lastHour - HOURS_TOLD + 1 + index) * HOUR_MS,
    calls: 0,
  }));
  for (const { atMs } of calls) {
    const entry = counts[HOURS_TOLD - 1 - (lastHour - Math.floor(atMs / HOUR_MS))];
    if (entry !== undefined) entry.calls += 1;
  }
  return counts;
}

/** Against the day before, so that night and weekend are no trend of an hour. A fifth more or less is what chance and weekdays make. */
const TREND_FACTOR = 1.2;

function trendOf(
  calls: readonly FiguredCall[],
  { nowMs, isWhole }: { readonly nowMs: number; readonly isWhole: boolean },
): CampaignFigures['trend'] {
  const day = 24 * HOUR_MS;
  const oldestMs = calls.reduce((oldest, { atMs }) => Math.min(oldest, atMs), Infinity);
  if (!isWhole && oldestMs > nowMs - 2 * day) return undefined;
  const within = (fromMs: number, toMs: number): number =>
    calls.filter(({ atMs }) => atMs > fromMs && atMs <= toMs).length;
  const [last, before] = [within(nowMs - day, nowMs), within(nowMs - 2 * day, nowMs - day)];
  if (last > before * TREND_FACTOR) return 'rising';
  return before > last * TREND_FACTOR ? 'falling' : 'steady';
}
