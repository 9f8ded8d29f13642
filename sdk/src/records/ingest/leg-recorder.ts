import type { CallRecord } from '../../core/call-record.js';
import { sourceSha256 } from '../record-id.js';
import { joinedSha256 } from './joined-sha256.js';
import { callRecord, legSource } from './leg.js';
import type { LegParts } from './leg.js';
import { MAX_WAITING_RAW_BYTES, rawRowsOf, withRaw } from './raw-rows.js';
import type { SourceDescription } from './record-reader.js';

/** What a carrier declares about a switch that takes its calls down itself. Its times are those of its own clock. */
export type OwnSource = Omit<SourceDescription, 'format' | 'time'>;

/** A SIP message that a leg was known by. */
export interface LegMessage {
  /** SHA-256 of its octets, lower-case hexadecimal. */
  readonly sha256: string;
  /** There where the source keeps raw bytes and there was room for it. */
  readonly text?: string;
}

/** Makes records of legs that no reader reads, since they are taken down where they happen. */
export interface LegRecorder {
  /** Takes a message as it came or went, to stand in the record of one leg or of several. */
  readonly message: (text: string) => LegMessage;
  /**
   * Makes the record of a leg, with the hash of its messages and, where all of them were kept, the messages. Names that are too long are cut,
   * numbers brought to their canonical form, providers looked up by trunk and address.
   */
  readonly record: (parts: LegParts, messages: readonly LegMessage[]) => CallRecord;
  /** No further record is made of these messages: there is room for others. */
  readonly release: (messages: readonly LegMessage[]) => void;
}

/** Version of the layout of these records. */
const READER_VERSION = 1;

/**
 * Makes the recorder of a switch, or of an application that is one. Never throws for what a message or a leg holds; that times are in order is for
 * whoever takes them.
 * @param source - name of the switch, numbers, providers, and whether messages are kept
 * @returns the recorder
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name, or one that is too long
 * @see {@link recordIdOf} for when two records are one
 * @example
 * ```ts
 * const recorder = createLegRecorder({ id: 'app-1', providers: { 'trunk-1': 'Upstream' } });
 * const invite = { status: 'instant', atUs: 1_700_000_000_000_000, basis: { written: 'observed', resolutionUs: 1_000 } } as const;
 * const message = recorder.message('INVITE sip:+12025550199@terminating.example SIP/2.0');
 * const parts = { legId: 'a84b4c76', callGroupId: 'a84b4c76', invite, disposition: 'busy', ingress: { trunk: 'trunk-1' } } as const;
 * console.log(recorder.record(parts, [message]).ingress.provider); // Upstream
 * ```
 */
export function createLegRecorder(source: OwnSource): LegRecorder {
  const legs = legSource({ ...source, format: 'hopback', time: { zone: 'utc' } }, READER_VERSION);
  let keptBytes = 0;
  const sizeOf = (messages: readonly LegMessage[]): number =>
    messages.reduce((total, { text }) => total + (text === undefined ? 0 : Buffer.byteLength(text)), 0);
  return {
    message: (text) => {
      const sha256 = sourceSha256(text);
      const sizeBytes = legs.keepsRaw ? Buffer.byteLength(text) : 0;
      if (!legs.keepsRaw || keptBytes + sizeBytes > MAX_WAITING_RAW_BYTES) return { sha256 };
      keptBytes += sizeBytes;
      return { sha256, text };
    },
    record: (parts, messages) => {
      const sha256 = joinedSha256(messages.map((message) => message.sha256));
      const record = callRecord({ text: '', sha256, line: 0 }, legs, parts);
      const rows = messages.flatMap((message) =>
        message.text === undefined ? [] : [{ ...message, text: message.text }],
      );
      return rows.length === messages.length ? withRaw(record, rawRowsOf(rows)) : record;
    },
    release: (messages) => {
      keptBytes -= sizeOf(messages);
    },
  };
}
