import type { RecordFormat } from '../../core/call-record.js';
import type { ProviderReference } from '../../core/traceback-request.js';

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
