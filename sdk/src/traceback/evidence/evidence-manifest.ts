import type { CallRecord, RecordFormat, VerdictEvidence } from '../../core/call-record.js';
import type {
  EvidenceReference,
  ProviderReference,
  TracebackAnswer,
  TracebackRequest,
} from '../../core/traceback-request.js';
import type { MatchReason } from '../match-outcome.js';

/** How a system makes its records, as the carrier states it: what a custodian can certify. */
export interface RecordPractice {
  /** As in `CallRecord.source.id`. */
  readonly sourceId: string;
  /** Make, version and place of the system: `FreeSWITCH 1.10.12, session border controller edge-1`. */
  readonly system: string;
  /** What it writes of each call, where to: `one row of comma-separated values, to the file Master.csv`. */
  readonly writes: string;
  /** When, measured from what the record is about: `when the call ends, within one second`. */
  readonly writtenWhen: string;
  /** What it knows it from: `from the signalling of the call, which it carries itself; nobody enters a record by hand`. */
  readonly fromWhat: string;
  /** That it does so for every call, as a regular practice of the business: what is not so is left out of the list of practices. */
  readonly isRegularPractice: true;
  /** What the carrier keeps these records for: `billing and fault clearance`. */
  readonly purpose: string;
  /** How the clock of the system is kept: `ntpd against 192.0.2.123`. */
  readonly clock?: string;
  /** How long they are kept: `18 months, 47 CFR 42.6`. */
  readonly retention?: string;
}

/** A file of a pack. */
export interface EvidenceFileEntry {
  /** Lower-case letters, digits, dots and hyphens, at most 64. */
  readonly name: string;
  /** SHA-256 of its octets, lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** What it is, in a sentence. */
  readonly what: string;
}

/** A file of a pack with its octets. */
export interface EvidenceFile {
  readonly name: string;
  readonly mediaType: string;
  readonly what: string;
  readonly octets: Uint8Array;
}

/** A record that an answer rests on. */
export interface EvidencedRecord {
  readonly recordId: string;
  readonly sourceId: string;
  readonly format: RecordFormat;
  /** Of the reader that made the record of its bytes. */
  readonly readerVersion: number;
  /** Of the bytes that it was read from, as the record has it since it was read, lower-case hex. */
  readonly sourceSha256: string;
  /** `kept`: its bytes are in the pack; `not-kept`: the source is not described with `keepRaw`, there is the hash alone. */
  readonly raw: 'kept' | 'not-kept';
  /** Whether the kept bytes have `sourceSha256`. Absent where none are kept. */
  readonly rawMatches?: boolean;
  /** Name of the file with the record as it was read. */
  readonly file: string;
  /** Names of the files with its bytes, a row or packet each. */
  readonly rawFiles: readonly string[];
}

/** Who signed something. */
export interface EvidenceSigner {
  readonly algorithm: 'Ed25519' | 'ES256';
  /** SHA-256 of the SubjectPublicKeyInfo in DER, lower-case hex. */
  readonly publicKeySha256: string;
}

/** What a pack holds: the file `manifest.json`, in the spelling of RFC 8785, whose hash is in the log. */
export interface EvidenceManifest {
  readonly format: 'hopback.evidence-manifest.1';
  readonly packId: string;
  /** Random: whoever has the hash alone cannot guess what was hashed. 32 hex digits. */
  readonly salt: string;
  /** RFC 3339 in UTC. */
  readonly writtenAt: string;
  /** The provider whose answer it is. */
  readonly provider: ProviderReference;
  readonly answerId: string;
  readonly requestId: string;
  readonly tracebackId: string;
  readonly revision: number;
  /** The software that read, searched, decided and wrote. */
  readonly software: { readonly name: string; readonly version: string };
  readonly signer: EvidenceSigner;
  readonly logId: string;
  readonly records: readonly EvidencedRecord[];
  readonly files: readonly EvidenceFileEntry[];
}

/** An entry of the log of evidence, in the spelling of RFC 8785. Hashes and references, no personal data: it stays forever. */
export type EvidenceEntry =
  | {
      readonly format: 'hopback.evidence-entry.1';
      readonly kind: 'pack';
      readonly packId: string;
      /** Of the octets of `manifest.json`. */
      readonly manifestSha256: string;
      readonly writtenAt: string;
    }
  | {
      readonly format: 'hopback.evidence-entry.1';
      readonly kind: 'answer' | 'receipt';
      readonly packId: string;
      /** Of the compact JWS. */
      readonly jwsSha256: string;
      readonly writtenAt: string;
    };

/** What an exported pack had when it was exported: the file `export.json`, in the spelling of RFC 8785. */
export interface ExportStatement {
  readonly format: 'hopback.exported-pack.1';
  readonly packId: string;
  /** Of the octets of `manifest.json`. */
  readonly manifestSha256: string;
  /** RFC 3339 in UTC, by the clock of whoever exported it. */
  readonly exportedAt: string;
  readonly logId: string;
  /** Entries of the log under `checkpoint.txt`; 0 where none was exported. */
  readonly logSize: number;
  /** Whether the signed answer was there and logged. */
  readonly answer: 'in-the-pack' | 'none';
  /** Whether a receipt of the platform was there and logged. */
  readonly receipt: 'in-the-pack' | 'none';
}

/** A pack as it is kept. */
export interface EvidencePack {
  readonly manifest: EvidenceManifest;
  /** Octets of `manifest.json`: what was signed and logged. */
  readonly manifestOctets: Uint8Array;
  /** Over them: DER for ES256, 64 octets for Ed25519, as OpenSSL takes them. */
  readonly signature: Uint8Array;
  /** Those of the manifest, in its order. */
  readonly files: readonly EvidenceFile[];
  /** Compact JWS, once the answer was signed. */
  readonly answerJws?: string;
  /** Compact JWS, once the platform gave a receipt. */
  readonly receiptJws?: string;
}

/** A value that a rule looked at. */
export type DecisionInput = string | number | boolean | null;

/** One rule that a policy applied. */
export interface DecisionStep {
  /** Name of the rule, as the policy has it. */
  readonly rule: string;
  /** What it looked at: name and value. No personal data that the answer does not hold as well. */
  readonly inputs: Readonly<Record<string, DecisionInput>>;
  /** What came out: `passed`, `to-person`, `skipped`, or whatever the rule calls it. */
  readonly result: string;
  /** Why, for people. */
  readonly because?: string;
}

/** How it was decided what an answer says, and whether a machine may say it: every rule in the order in which it was applied. */
export interface DecisionTrace {
  readonly policyId: string;
  /** SHA-256 of the policy as it was configured, lower-case hex. */
  readonly policySha256?: string;
  /** `automatic`, `person`, `refused`, or whatever the policy calls it. */
  readonly outcome: string;
  readonly steps: readonly DecisionStep[];
}

/** A request as it came in, before anybody read it. */
export interface ReceivedRequest {
  /** Octet for octet: the body of the webhook, the e-mail, the pasted text. At most {@link EVIDENCE_REQUEST_BYTES}. */
  readonly bytes: Uint8Array;
  /**
   * Whether `bytes` are those that came, which is the default, or `written-anew` by the program from what it had read, because nobody kept
   * what came: a custodian certifies which.
   */
  readonly octets?: 'as-they-came' | 'written-anew';
  /** `application/json`, `message/rfc822`, `text/plain`, … */
  readonly mediaType: string;
  /** How it came: `webhook`, `poll`, `events`, `e-mail`, `portal`, `command`. */
  readonly channel: string;
  /** RFC 3339 in UTC. */
  readonly receivedAt: string;
}

/** How far the clock that wrote the records was off, as far as anybody measured it. */
export type ClockStatement =
  | {
      readonly status: 'measured';
      /** Name of the source, as in `CallRecord.source.id`; absent where it holds for all of them. */
      readonly sourceId?: string;
      /** What has to be added to the times of the records to have UTC, milliseconds. */
      readonly offsetMs: number;
      /** How far off that may be, milliseconds. */
      readonly uncertaintyMs: number;
      /** Against what: `ntp 192.0.2.123`. */
      readonly against: string;
      /** RFC 3339 in UTC. */
      readonly measuredAt: string;
    }
  /** Nobody measured it, and the pack says so. */
  | { readonly status: 'not-measured'; readonly sourceId?: string };

/** What an evidence pack is made of. */
export interface EvidenceMaterial {
  /** The request as it was read. */
  readonly request: TracebackRequest;
  readonly received: ReceivedRequest;
  /** The answer that is about to be signed. Its `evidence`, if there is any, is passed over: it is what comes out. */
  readonly answer: TracebackAnswer;
  /** The records that the answer rests on, `source.raw` included where it is kept; empty where none was found. */
  readonly records: readonly CallRecord[];
  /** What spoke for the call that was chosen, and against it. */
  readonly reasons?: readonly MatchReason[];
  /** One for each source, or one for all; empty says that nothing is known. */
  readonly clocks: readonly ClockStatement[];
  /** Of the call, where it is not in the records themselves. */
  readonly verdict?: VerdictEvidence;
  readonly decision: DecisionTrace;
}

/** Longest request that a pack keeps, octets: an e-mail with a recording of some minutes. */
export const EVIDENCE_REQUEST_BYTES: number = 16 * 2 ** 20;
/** Records of one answer at most: a call of many legs has dozens. */
export const EVIDENCE_RECORDS = 1_000;

/** Where a signed answer lies in the log. */
export interface AnswerPosition {
  readonly packId: string;
  /** SHA-256 of the compact JWS, lower-case hex. */
  readonly answerSha256: string;
  readonly logId: string;
  readonly leafIndex: number;
}

/** What is added to a pack once the answer is signed. */
export interface SignedAnswer {
  /** Compact JWS of the answer, with the reference that `write` gave in its `evidence`. */
  readonly answerJws: string;
  /** Compact JWS of the receipt, where the platform gave one already. */
  readonly receiptJws?: string;
}

/**
 * Keeps the evidence of answers. An answer names its pack, and a pack holds its answer: so there are two steps, each an entry of the log.
 */
export interface EvidenceWriter {
  /**
   * Writes the pack, and its hash to the log; both are durable when it resolves. Call it before the answer is signed, and sign the answer
   * with the reference. A pack whose answer was never signed does no harm: whoever crashed in between writes another.
   * @throws HopbackError `invalid-argument` for what no pack can hold; `storage-failed` (retryable); `signer-failed`; `closed`
   */
  readonly write: (material: EvidenceMaterial) => Promise<EvidenceReference>;
  /**
   * Adds the signed answer to its pack, and its hash to the log. Called again with the same answer it gives the same position, and takes a
   * receipt where there is none yet.
   * @throws HopbackError `invalid-argument` when there is no such pack, or it has another answer; else as `write`
   */
  readonly attachAnswer: (packId: string, signed: SignedAnswer) => Promise<AnswerPosition>;
}
