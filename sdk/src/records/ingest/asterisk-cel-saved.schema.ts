import { z } from 'zod';
import { MAX_CSV_ROW_CHARS } from './csv-fields.js';

/** Channels of calls that are up, and of those that made them or were made by them. Twice what waits at most. */
const MAX_SAVED_CHANNELS = 400_000;
/**
 * Rows of one channel whose hashes are kept apart: hundreds of times what a call has. A channel of a queue or a conference that has more is
 * kept by the joined hash of what there was.
 */
export const MAX_ROWS_OF_CHANNEL = 1_024;
/** Columns of one file. */
const MAX_COLUMNS = 1_024;
/** A row with the byte order mark and the carriage return that may stand around it. */
const MAX_ROW_CHARS = MAX_CSV_ROW_CHARS + 2;
/** The longest field of a row. */
const MAX_TEXT_CHARS = 16_384;

const text = z.string().max(MAX_TEXT_CHARS);
const instant = z.int().min(0);
const place = z.int().min(0).max(MAX_SAVED_CHANNELS);

/** One channel; others are named by their places in the list. */
export interface SavedCelChannel {
  readonly uniqueId: string;
  readonly bornLinkedId: string;
  readonly linkedId: string;
  readonly maker?: number;
  /** False for a channel that has ended and is kept for the sake of others. */
  readonly waits: boolean;
  readonly startUs: number;
  readonly otherStartUs?: number;
  readonly zone?: string;
  readonly resolutionUs: number;
  readonly name: string;
  readonly accountCode: string;
  readonly calling: string;
  readonly called: string;
  readonly latestCaller: string;
  readonly madeWith: string;
  readonly dialArgument: string;
  readonly answeredAtUs?: number;
  readonly endedAtUs?: number;
  readonly hangup?: { readonly q850Cause?: number; readonly source: string; readonly dialStatus: string };
  readonly rows: readonly string[];
  /** Texts of these rows, where they are kept and there was room for them. */
  readonly texts?: readonly string[];
}

/** What a reader of channel events keeps between two runs. */
export interface SavedCelState {
  readonly format: 'hopback.asterisk-cel.1';
  readonly header?: readonly string[];
  readonly channels: readonly SavedCelChannel[];
}

const channel: z.ZodType<SavedCelChannel> = z.object({
  uniqueId: text.min(1),
  bornLinkedId: text.min(1),
  linkedId: text.min(1),
  maker: z.exactOptional(place),
  waits: z.boolean(),
  startUs: instant,
  otherStartUs: z.exactOptional(instant),
  zone: z.exactOptional(z.string().max(64)),
  resolutionUs: z.int().min(1),
  name: text,
  accountCode: text,
  calling: text,
  called: text,
  latestCaller: text,
  madeWith: text,
  dialArgument: text,
  answeredAtUs: z.exactOptional(instant),
  endedAtUs: z.exactOptional(instant),
  hangup: z.exactOptional(
    z.object({ q850Cause: z.exactOptional(z.int().min(1).max(127)), source: text, dialStatus: text }),
  ),
  rows: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(MAX_ROWS_OF_CHANNEL),
  texts: z.exactOptional(z.array(z.string().max(MAX_ROW_CHARS)).max(MAX_ROWS_OF_CHANNEL)),
});

/** The state as JSON. */
export const savedCelStateSchema: z.ZodType<SavedCelState> = z.object({
  format: z.literal('hopback.asterisk-cel.1'),
  header: z.exactOptional(z.array(z.string().max(64)).max(MAX_COLUMNS)),
  channels: z.array(channel).max(MAX_SAVED_CHANNELS),
});
