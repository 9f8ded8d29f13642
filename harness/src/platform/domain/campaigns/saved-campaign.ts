import type { CampaignFile, CampaignKey, CampaignStanding } from './campaign-file.js';
import { keyName } from './campaign-file.js';
import { createDistinctSketch } from './distinct-sketch.js';

/** A {@link CampaignFile} as it is stored: plain JSON. Its keys are stored apart, since some are telephone numbers. */
export interface SavedCampaign {
  readonly format: 'hopback.saved-campaign.1';
  readonly campaignId: string;
  readonly name: string;
  readonly isNamedByAnalyst: boolean;
  readonly kind: string;
  readonly standing: CampaignStanding;
  readonly mergedInto?: string;
  readonly apartFrom: readonly string[];
  readonly counts: Readonly<Record<SavedCount, number>> & Readonly<Partial<Record<SavedBase, number>>>;
  readonly names: Readonly<Record<SavedNames, readonly (readonly [string, number])[]>>;
  readonly callingNumbers: string;
  readonly transcripts: readonly string[];
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly minutes: readonly (readonly [number, number])[];
}

type SavedCount = 'observedCalls' | 'recordedCalls' | 'reportedCalls' | 'bothCalls';
/** Absent in what was stored before they were counted. */
type SavedBase = 'carrierRecords' | 'appReports';
type SavedNames = 'reasons' | 'signers' | 'attestations' | 'upstreams' | 'reporters' | 'areas';

/** A campaign as it is stored. Never throws. */
export function savedCampaign(file: CampaignFile): SavedCampaign {
  const { campaignId, name, isNamedByAnalyst, kind, standing, mergedInto, firstSeenMs, lastSeenMs } = file;
  const { observedCalls, recordedCalls, reportedCalls, bothCalls, carrierRecords, appReports } = file;
  return {
    format: 'hopback.saved-campaign.1',
    ...{ campaignId, name, isNamedByAnalyst, kind, standing, firstSeenMs, lastSeenMs },
    ...(mergedInto !== undefined && { mergedInto }),
    apartFrom: [...file.apartFrom],
    counts: { observedCalls, recordedCalls, reportedCalls, bothCalls, carrierRecords, appReports },
    names: {
      reasons: [...file.reasons],
      signers: [...file.signers],
      attestations: [...file.attestations],
      upstreams: [...file.upstreams],
      reporters: [...file.reporters],
      areas: [...file.areas],
    },
    callingNumbers: file.callingNumbers.saved(),
    transcripts: [...file.transcripts],
    minutes: [...file.minutes],
  };
}

/** A campaign as it was stored, with its keys. Never throws for what {@link savedCampaign} made. */
export function restoredCampaign(saved: SavedCampaign, keys: readonly CampaignKey[]): CampaignFile {
  const { campaignId, name, isNamedByAnalyst, kind, standing, firstSeenMs, lastSeenMs, names } = saved;
  return {
    ...{ campaignId, name, isNamedByAnalyst, kind, standing, firstSeenMs, lastSeenMs },
    // As many as calls, at the least.
    ...{ carrierRecords: saved.counts.recordedCalls, appReports: saved.counts.reportedCalls },
    ...saved.counts,
    mergedInto: saved.mergedInto,
    apartFrom: new Set(saved.apartFrom),
    keys: new Map(keys.map((key) => [keyName(key), key])),
    reasons: new Map(names.reasons),
    signers: new Map(names.signers),
    attestations: new Map(names.attestations),
    upstreams: new Map(names.upstreams),
    reporters: new Map(names.reporters),
    areas: new Map(names.areas),
    callingNumbers: createDistinctSketch(saved.callingNumbers),
    transcripts: [...saved.transcripts],
    minutes: new Map(saved.minutes),
  };
}
