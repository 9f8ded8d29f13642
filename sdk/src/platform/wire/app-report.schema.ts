import { z } from 'zod';
import type { AppReport, AppReportReceipt, AudioFingerprint, ReportedNumber } from './app-report.js';
import { canonicalTn } from './call-record.schema.js';
import { pseudonymousNumberSchema } from './shared-record.schema.js';
import { verstat } from './verdict-evidence.schema.js';
import { identifier, line, openWord, transcriptText, utcTime } from './wire-words.schema.js';

/** Longest fingerprint: an hour at 8 bytes a tenth of a second, in base64. */
const MAX_FINGERPRINT_CHARS = 393_216;
/** Longest recording that a fingerprint is made of, milliseconds: an hour. */
const MAX_FINGERPRINT_MS = 3_600_000;
/** Longest call of a subscriber, seconds: a day. */
const MAX_CALL_SECONDS = 86_400;

const reportedNumber: z.ZodType<ReportedNumber> = z.union([
  z.object({ shown: z.literal('number'), tn: canonicalTn }),
  pseudonymousNumberSchema,
]);

const audioFingerprint: z.ZodType<AudioFingerprint> = z.object({
  algorithm: openWord,
  value: z.base64().min(1).max(MAX_FINGERPRINT_CHARS),
  durationMs: z.int().min(1).max(MAX_FINGERPRINT_MS),
});

/** One call that an application took for a robocall. */
export const appReportSchema: z.ZodType<AppReport> = z.object({
  format: z.literal('hopback.app-report.1'),
  reportId: identifier,
  app: z.object({ name: line, version: z.exactOptional(z.string().min(1).max(64)) }),
  calledAt: utcTime,
  called: reportedNumber,
  calling: z.exactOptional(canonicalTn),
  callerName: z.exactOptional(line),
  verstat: z.exactOptional(verstat),
  servedBy: z.exactOptional(line),
  action: z.enum(['blocked', 'flagged', 'answered-by-app', 'reported-after-call']),
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
  ]),
  durationSeconds: z.exactOptional(z.number().min(0).max(MAX_CALL_SECONDS)),
  // BCP 47 tags: letters, digits and hyphens.
  transcript: z.exactOptional(
    z.object({ text: transcriptText, language: z.exactOptional(z.string().regex(/^[A-Za-z0-9-]{2,35}$/)) }),
  ),
  audioFingerprint: z.exactOptional(audioFingerprint),
});

/** That a report is stored. */
export const appReportReceiptSchema: z.ZodType<AppReportReceipt> = z.object({
  reportId: identifier,
  receivedAt: utcTime,
  isRepeat: z.boolean(),
});
