import { z } from 'zod';
import { pseudonymousNumber, verstat } from './call-record.js';
import type { BodyOf } from './common.js';
import {
  campaignId,
  canonicalTn,
  count,
  line,
  object,
  oneOf,
  openWord,
  optionalListOf,
  optionalObject,
  pattern,
  ProviderReference,
  reportId,
  sha256,
  spc,
  text,
  tracebackId,
  transcriptText,
  utcTime,
} from './common.js';

/** Recordings that stand for a campaign. */
const MAX_RECORDINGS = 64;
/** Signals, with room for those to come. */
const MAX_SIGNALS = 64;
/** Providers of one campaign, by their parts: the 714 of a year in four of them. */
const MAX_PROVIDERS = 4_096;
/** Tracebacks that are named, the latest: the rest is in their list. */
const MAX_TRACEBACKS = 500;
/** Reasons, signers, entry points and areas of one campaign: its most frequent ones; a plan has fewer than 1,000 area codes. */
const MAX_COUNTED = 1_000;

/** How many calls a member is about: the unit of most of a campaign's figures. */
const calls = count.describe('How many calls this applies to.');

export const CampaignProvider = z.object({
  /** The provider. */
  provider: ProviderReference.describe('The provider.'),
  /** Which part it has in the campaign, as tracebacks found it. */
  role: z
    .enum(['origin', 'point-of-entry', 'transit', 'terminating'])
    .describe('Which part it has in the campaign, as tracebacks found it.'),
  /** Tracebacks in which it had that part. */
  tracebacks: count.describe('Tracebacks in which it had that part.'),
});
/** A provider that calls of a campaign came through. */
export type CampaignProvider = BodyOf<typeof CampaignProvider>;

/** Calls that belong together: the same script, recording or way of calling. */
export const Campaign = object('Calls that belong together: the same script, recording or way of calling.', {
  /** Marks the form. */
  format: z.literal('hopback.campaign.1').describe('Marks the form.'),
  campaignId,
  /** Topic, detail, script variant: `SSA-Suspended-P2`. */
  name: line.describe('Topic, detail, script variant: `SSA-Suspended-P2`.'),
  /** What the calls are about. */
  description: text.exactOptional().describe('What the calls are about.'),
  /** Whether calls still come. */
  state: oneOf('Whether calls still come.', ['live', 'dormant', 'closed']),
  /** When a call of it was first seen, RFC 3339 in UTC. */
  firstSeenAt: utcTime.describe('When a call of it was first seen, RFC 3339 in UTC.'),
  /** When a call of it was last seen, RFC 3339 in UTC. */
  lastSeenAt: utcTime.describe('When a call of it was last seen, RFC 3339 in UTC.'),
  /** When it last changed, RFC 3339 in UTC. */
  updatedAt: utcTime.describe('When it last changed, RFC 3339 in UTC.'),
  /** Placed calls with at least one record or report, each counted once. */
  observedCalls: count.describe('Placed calls with at least one record or report, each counted once.'),
  /** Records of carriers that the calls were counted from: each carrier on the way of a call may have one. */
  carrierRecords: count
    .exactOptional()
    .describe('Records of carriers that the calls were counted from: each carrier on the way of a call may have one.'),
  /** Reports of applications that the calls were counted from. */
  appReports: count.exactOptional().describe('Reports of applications that the calls were counted from.'),
  /** Different numbers that called. */
  callingNumbers: count.describe('Different numbers that called.'),
  /** What is said, as heard in one call. */
  transcript: transcriptText.exactOptional().describe('What is said, as heard in one call.'),
  /** SHA-256 of recordings, lower-case hex. */
  recordingSha256: z
    .array(sha256)
    .max(MAX_RECORDINGS)
    .exactOptional()
    .describe('SHA-256 of recordings, lower-case hex.'),
  /** Signals that hold it together, as words: `same-script`, `sequential-dialling`. */
  signals: z
    .array(openWord)
    .max(MAX_SIGNALS)
    .describe('Signals that hold it together, as words: `same-script`, `sequential-dialling`.'),
  /** Providers that its calls came through, those with the most tracebacks first. */
  providers: z
    .array(CampaignProvider)
    .max(MAX_PROVIDERS)
    .describe('Providers that its calls came through, those with the most tracebacks first.'),
  /** Ids of tracebacks. */
  tracebackIds: z.array(tracebackId).max(MAX_TRACEBACKS).describe('Ids of tracebacks.'),
  /** Kind of fraud, as a word: `government-impersonation`, `unknown`. */
  class: openWord.exactOptional().describe('Kind of fraud, as a word: `government-impersonation`, `unknown`.'),
  /** Why it is in its state, as a word: `calls-came`, `no-calls`, `closed-by-analyst`. */
  stateReason: openWord
    .exactOptional()
    .describe('Why it is in its state, as a word: `calls-came`, `no-calls`, `closed-by-analyst`.'),
  /** Since when it is in its state, RFC 3339 in UTC. */
  stateSince: utcTime.exactOptional().describe('Since when it is in its state, RFC 3339 in UTC.'),
  /** Calls an hour at `updatedAt`, of those on record. */
  callsPerHour: count.exactOptional().describe('Calls an hour at `updatedAt`, of those on record.'),
  /** How many calls it has made in all, as far as that can be told. */
  estimatedVolume: optionalObject('How many calls it has made in all, as far as that can be told.', {
    /** Calls, or their estimate. */
    calls: count.describe('Calls, or their estimate.'),
    /** `observed`: no more is known than the calls on record; `capture-recapture`: estimated by Chapman's method from how many of the reported calls are also on carriers' records. */
    basis: z
      .enum(['observed', 'capture-recapture'])
      .describe(
        "`observed`: no more is known than the calls on record; `capture-recapture`: estimated by Chapman's method from how many of the reported calls are also on carriers' records.",
      ),
    /** Calls on carriers' records. */
    recorded: count.describe("Calls on carriers' records."),
    /** Calls in reports of applications. */
    reported: count.describe('Calls in reports of applications.'),
    /** Calls in both. */
    both: count.describe('Calls in both.'),
  }),
  /** Why calls belong to it; most calls first. */
  reasons: optionalListOf('Why calls belong to it; most calls first.', MAX_COUNTED, {
    /** `same-script`, `same-recording`, `neighbour-spoofing`, `same-signer`. */
    reason: openWord.describe('`same-script`, `same-recording`, `neighbour-spoofing`, `same-signer`.'),
    calls,
  }),
  /** Who signed its calls; most calls first. */
  signers: optionalListOf('Who signed its calls; most calls first.', MAX_COUNTED, {
    spc,
    /** How many calls it signed. */
    calls: count.describe('How many calls it signed.'),
  }),
  /** With which attestation its calls came, of those on carriers' records; most calls first. */
  attestations: optionalListOf(
    "With which attestation its calls came, of those on carriers' records; most calls first.",
    MAX_COUNTED,
    {
      /** `failed`: the signature did not fit the call; `none`: there was no signature, or it was not checked. */
      attestation: z
        .enum(['A', 'B', 'C', 'failed', 'none'])
        .describe(
          '`failed`: the signature did not fit the call; `none`: there was no signature, or it was not checked.',
        ),
      /** How many calls came with it. */
      calls: count.describe('How many calls came with it.'),
    },
  ),
  /** Where its calls probably enter, and what says so. For agencies and the traceback group. */
  entryPoints: optionalListOf(
    'Where its calls probably enter, and what says so. For agencies and the traceback group.',
    MAX_COUNTED,
    {
      /** The provider. */
      provider: ProviderReference.describe('The provider.'),
      /** Tracebacks that ended there, its signature on calls, or calls that carriers received from it. The first is the most certain. */
      basis: z
        .enum(['traceback', 'signer', 'upstream'])
        .describe(
          'Tracebacks that ended there, its signature on calls, or calls that carriers received from it. The first is the most certain.',
        ),
      /** Tracebacks or calls that say so. */
      count: count.describe('Tracebacks or calls that say so.'),
    },
  ),
  /** Areas that were called; most calls first. */
  calledAreas: optionalListOf('Areas that were called; most calls first.', MAX_COUNTED, {
    /** Area code of the called numbers, three digits. */
    areaCode: pattern(/^\d{3}$/).describe('Area code of the called numbers, three digits.'),
    /** How many calls went there. */
    calls: count.describe('How many calls went there.'),
  }),
});
export type Campaign = BodyOf<typeof Campaign>;

/** Longest fingerprint: an hour at 8 bytes a tenth of a second, in base64. */
const MAX_FINGERPRINT_CHARS = 393_216;
/** Longest recording that a fingerprint is made of, milliseconds: an hour. */
const MAX_FINGERPRINT_MS = 3_600_000;
/** Longest call of a subscriber, seconds: a day. */
const MAX_CALL_SECONDS = 86_400;

/** One call that an application on a subscriber's telephone took for a robocall. */
export const AppReport = object("One call that an application on a subscriber's telephone took for a robocall.", {
  /** Marks the form. */
  format: z.literal('hopback.app-report.1').describe('Marks the form.'),
  reportId,
  /** Which application reports. */
  app: object('Which application reports.', {
    /** Name of the application. */
    name: line.describe('Name of the application.'),
    /** Version of the application. */
    version: z.string().min(1).max(64).exactOptional().describe('Version of the application.'),
  }),
  /** When the call came in by the telephone's clock, RFC 3339 in UTC. */
  calledAt: utcTime.describe("When the call came in by the telephone's clock, RFC 3339 in UTC."),
  /** The subscriber's number as far as the application says it. */
  called: z
    .union([
      z.object({
        /** What is shown of the number. */
        shown: z.literal('number').describe('What is shown of the number.'),
        tn: canonicalTn,
      }),
      pseudonymousNumber,
    ])
    .describe("The subscriber's number as far as the application says it."),
  /** Calling number, as the telephone showed it; absent if it showed none. */
  calling: canonicalTn
    .exactOptional()
    .describe('Calling number, as the telephone showed it; absent if it showed none.'),
  /** Name that came with the call. */
  callerName: line.exactOptional().describe('Name that came with the call.'),
  verstat: verstat.exactOptional(),
  /** Provider that serves the subscriber, as far as the application knows. */
  servedBy: line.exactOptional().describe('Provider that serves the subscriber, as far as the application knows.'),
  /** What the application did about the call. */
  action: z
    .enum(['blocked', 'flagged', 'answered-by-app', 'reported-after-call'])
    .describe('What the application did about the call.'),
  /** Why the application blocked or flagged the call. */
  reason: z.enum([
    'content',
    'number-listed',
    'do-not-originate',
    'invalid-number',
    'verification',
    'calling-pattern',
    'neighbour-spoofing',
    'anonymous',
    'subscriber',
    'other',
  ]).describe(`Why the application blocked or flagged the call.

- \`content\`: what was heard or transcribed is that of a robocall
- \`number-listed\`: the caller's number is on a list of the application or of the subscriber
- \`do-not-originate\`: it is on a do-not-originate list
- \`invalid-number\`: a number that nobody can have
- \`verification\`: the signature failed, or there is none
- \`calling-pattern\`: how the number calls: many at once, one after the other
- \`neighbour-spoofing\`: area code and exchange are the subscriber's own
- \`anonymous\`: the caller asked not to be named
- \`subscriber\`: the subscriber said so`),
  /** Length of the call, seconds. */
  durationSeconds: z.number().min(0).max(MAX_CALL_SECONDS).exactOptional().describe('Length of the call, seconds.'),
  /** What was said, and in which language. */
  transcript: optionalObject('What was said, and in which language.', {
    /** The words. */
    text: transcriptText.describe('The words.'),
    /** Language tag. RFC 5646 */
    language: pattern(/^[A-Za-z0-9-]{2,35}$/)
      .exactOptional()
      .describe('Language tag. RFC 5646'),
  }),
  /** Audio fingerprint: it finds the same recording again without sharing the recording. */
  audioFingerprint: optionalObject(
    'Audio fingerprint: it finds the same recording again without sharing the recording.',
    {
      /** Name and version of the method, `chromaprint-2`: fingerprints of one method are compared with each other only. */
      algorithm: openWord.describe(
        'Name and version of the method, `chromaprint-2`: fingerprints of one method are compared with each other only.',
      ),
      /** Base64 (RFC 4648 section 4). */
      value: z.base64().min(1).max(MAX_FINGERPRINT_CHARS).describe('Base64 (RFC 4648 section 4).'),
      /** Milliseconds of audio that it was made of. */
      durationMs: z.int().min(1).max(MAX_FINGERPRINT_MS).describe('Milliseconds of audio that it was made of.'),
    },
  ),
});
export type AppReport = BodyOf<typeof AppReport>;

/** Confirms that a report is stored, now or earlier. */
export const AppReportReceipt = object('Confirms that a report is stored, now or earlier.', {
  reportId,
  /** When the report was received, RFC 3339 in UTC; the first time, if it came again. */
  receivedAt: utcTime.describe('When the report was received, RFC 3339 in UTC; the first time, if it came again.'),
  /** Whether the same came before, so that nothing was added. */
  isRepeat: z.boolean().describe('Whether the same came before, so that nothing was added.'),
});
export type AppReportReceipt = BodyOf<typeof AppReportReceipt>;
