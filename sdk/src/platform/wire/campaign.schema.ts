import { z } from 'zod';
import type {
  Campaign,
  CampaignArea,
  CampaignAttestation,
  CampaignEntryPoint,
  CampaignProvider,
  CampaignReason,
  CampaignSigner,
  CampaignVolume,
} from './campaign.js';
import { spc } from './call-record.schema.js';
import { count, sha256 } from './verdict-evidence.schema.js';
import {
  identifier,
  line,
  openWord,
  providerReferenceSchema,
  text,
  transcriptText,
  utcTime,
} from './wire-words.schema.js';

/** Recordings that stand for a campaign. */
const MAX_RECORDINGS = 64;
/** Signals, with room for those to come. */
const MAX_SIGNALS = 64;
/** Providers of one campaign, by their parts: the 714 of a year in four of them. */
const MAX_PROVIDERS = 4_096;
/** Tracebacks that are told, the latest: the rest is in their list. */
const MAX_TRACEBACKS = 500;

const campaignProvider: z.ZodType<CampaignProvider> = z.object({
  provider: providerReferenceSchema,
  role: z.enum(['origin', 'point-of-entry', 'transit', 'terminating']),
  tracebacks: count,
});

/** Reasons, signers, entry points and areas of one campaign: its most frequent ones; a plan has fewer than 1,000 area codes. */
const MAX_COUNTED = 1_000;

const campaignReason: z.ZodType<CampaignReason> = z.object({ reason: openWord, calls: count });
const campaignSigner: z.ZodType<CampaignSigner> = z.object({ spc, calls: count });
const campaignAttestation: z.ZodType<CampaignAttestation> = z.object({
  attestation: z.enum(['A', 'B', 'C', 'failed', 'none']),
  calls: count,
});
const campaignEntryPoint: z.ZodType<CampaignEntryPoint> = z.object({
  provider: providerReferenceSchema,
  basis: z.enum(['traceback', 'signer', 'upstream']),
  count,
});
const campaignVolume: z.ZodType<CampaignVolume> = z.object({
  calls: count,
  basis: z.enum(['observed', 'capture-recapture']),
  recorded: count,
  reported: count,
  both: count,
});
const campaignArea: z.ZodType<CampaignArea> = z.object({ areaCode: z.string().regex(/^\d{3}$/), calls: count });

/** Calls that belong together. */
export const campaignSchema: z.ZodType<Campaign> = z.object({
  format: z.literal('hopback.campaign.1'),
  campaignId: identifier,
  name: line,
  description: z.exactOptional(text),
  state: z.enum(['live', 'dormant', 'closed']),
  firstSeenAt: utcTime,
  lastSeenAt: utcTime,
  updatedAt: utcTime,
  observedCalls: count,
  carrierRecords: z.exactOptional(count),
  appReports: z.exactOptional(count),
  callingNumbers: count,
  transcript: z.exactOptional(transcriptText),
  recordingSha256: z.exactOptional(z.array(sha256).max(MAX_RECORDINGS)),
  signals: z.array(openWord).max(MAX_SIGNALS),
  providers: z.array(campaignProvider).max(MAX_PROVIDERS),
  tracebackIds: z.array(identifier).max(MAX_TRACEBACKS),
  class: z.exactOptional(openWord),
  stateReason: z.exactOptional(openWord),
  stateSince: z.exactOptional(utcTime),
  callsPerHour: z.exactOptional(count),
  estimatedVolume: z.exactOptional(campaignVolume),
  reasons: z.exactOptional(z.array(campaignReason).max(MAX_COUNTED)),
  signers: z.exactOptional(z.array(campaignSigner).max(MAX_COUNTED)),
  attestations: z.exactOptional(z.array(campaignAttestation).max(MAX_COUNTED)),
  entryPoints: z.exactOptional(z.array(campaignEntryPoint).max(MAX_COUNTED)),
  calledAreas: z.exactOptional(z.array(campaignArea).max(MAX_COUNTED)),
});
