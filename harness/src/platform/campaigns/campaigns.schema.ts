import type { WireSchema } from '@hopback/sdk/platform';
import { z } from 'zod';

/** What an analyst decides of a campaign, as it is sent. */
export type CampaignDecisionBody =
  | { readonly decision: 'merge'; readonly into: string; readonly reason: string }
  | { readonly decision: 'split'; readonly keyIds: readonly string[]; readonly reason: string }
  | { readonly decision: 'rename'; readonly name: string; readonly reason: string }
  | { readonly decision: 'close' | 'reopen' | 'lawful'; readonly reason: string };

/** Keys that one split takes along: as many as a campaign can have. */
const MAX_SPLIT_KEYS = 512;

const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
const reason = z.string().min(1).max(2_048);
/**
 * Topic, detail, variant, as the traceback group writes them; underscores are of its classes. No telephone number: names are in events, alerts
 * and the audit.
 */
const campaignName = z.string().regex(/^(?!.*\d(?:[_-]?\d){6})[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/);

/** Decisions of analysts. */
export const campaignDecisionSchema: z.ZodType<CampaignDecisionBody> = z.discriminatedUnion('decision', [
  z.object({ decision: z.literal('merge'), into: identifier, reason }),
  z.object({ decision: z.literal('split'), keyIds: z.array(identifier).min(1).max(MAX_SPLIT_KEYS), reason }),
  z.object({ decision: z.literal('rename'), name: campaignName, reason }),
  z.object({ decision: z.enum(['close', 'reopen', 'lawful']), reason }),
]);

/** What holds a campaign together, for analysts. */
export interface CampaignEvidence {
  readonly campaignId: string;
  readonly keys: readonly {
    readonly keyId: string;
    readonly kind: string;
    /** Group and way, or the transcript; nothing of numbers. */
    readonly label: string;
  }[];
  readonly apartFrom: readonly string[];
  readonly transcripts: readonly string[];
  readonly decisions: readonly {
    readonly decisionId: string;
    readonly at: string;
    readonly decision: string;
    readonly actor: string;
    readonly reason: string;
  }[];
}

const campaignEvidenceSchema: z.ZodType<CampaignEvidence> = z.object({
  campaignId: identifier,
  keys: z
    .array(z.object({ keyId: identifier, kind: z.string().max(64), label: z.string().max(4_096) }))
    .max(MAX_SPLIT_KEYS),
  apartFrom: z.array(identifier).max(4_096),
  transcripts: z.array(z.string().max(65_536)).max(64),
  decisions: z
    .array(
      z.object({
        decisionId: identifier,
        at: z.iso.datetime(),
        decision: z.string().max(64),
        actor: z.string().max(256),
        reason,
      }),
    )
    .max(1_000),
});

const watchedGroupsSchema = z.object({
  groups: z
    .array(
      z.object({
        group: z.string().max(1_024),
        way: z.string().max(64),
        evidence: z.number(),
        alarmAt: z.number(),
        calls: z.int(),
      }),
    )
    .max(100),
});

/** Bodies of the routes of analysts. */
export const CAMPAIGNS_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  CampaignDecision: campaignDecisionSchema,
  CampaignEvidence: campaignEvidenceSchema,
  WatchedGroups: watchedGroupsSchema,
};
