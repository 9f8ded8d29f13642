import type { CallRecord } from '../../contract/call-record.js';
import { printableText } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { rawEvidence } from '../../records/record-id.js';
import type { RawEvidence } from '../../records/record-id.js';
import { custodianCertificate } from './custodian-certificate.js';
import {
  canonicalJson,
  EVIDENCE_RECORDS,
  EVIDENCE_REQUEST_BYTES,
  parseManifest,
  sha256,
  wellFormed,
} from './evidence-manifest.js';
import type {
  EvidencedRecord,
  EvidenceFile,
  EvidenceFileEntry,
  EvidenceManifest,
  EvidenceMaterial,
  RecordPractice,
  TextRepair,
} from './evidence-manifest.js';

/** What a pack has beside its material. */
interface PackFrame extends Pick<EvidenceManifest, 'packId' | 'salt' | 'writtenAt' | 'software' | 'signer' | 'logId'> {
  readonly practices: readonly RecordPractice[];
}

/** Files of a pack, and the manifest over them. */
interface PackFiles {
  readonly manifest: EvidenceManifest;
  readonly manifestOctets: Uint8Array;
  readonly files: readonly EvidenceFile[];
}

/** Octets of all files of a pack together at most. */
const PACK_BYTES: number = 64 * 2 ** 20;

/**
 * Lays out a pack: one file for each thing that it holds, all JSON in one spelling, so that the same material gives the same octets.
 * @throws HopbackError `invalid-argument` for what no pack can hold
 */
export function packFiles(given: EvidenceMaterial, frame: PackFrame): PackFiles {
  requireFits(given);
  // Whatever a peer wrote: that an answer was given has to be provable all the same.
  const { value: material, repairs } = wellFormed(given);
  const records = material.records.map((record, index) => recordFiles(record, index + 1));
  const base = [...contentFiles(material, { frame, records }), ...repairFiles(repairs)];
  const facts = { ...manifestOf(material, frame), records: records.map(({ entry }) => entry) };
  const certificate = custodianCertificate({ material, facts, practices: frame.practices, files: base.map(entryOf) });
  const files = [
    ...base,
    {
      name: 'custodian-certificate.txt',
      mediaType: 'text/plain',
      what: 'Certificate for the custodian to sign.',
      octets: Buffer.from(certificate),
    },
  ];
  if (files.reduce((total, { octets }) => total + octets.length, 0) > PACK_BYTES) {
    throw new HopbackError('invalid-argument', `the files of a pack have ${PACK_BYTES} octets at most`);
  }
  const manifest: EvidenceManifest = { ...facts, files: files.map(entryOf) };
  const manifestOctets = Buffer.from(canonicalJson(manifest));
  // What nobody could read again would be no evidence.
  if (parseManifest(manifestOctets) !== undefined) return { manifest, manifestOctets, files };
  throw new HopbackError(
    'invalid-argument',
    'an id or a name of the answer or its records is longer than a manifest holds',
  );
}

interface RecordFiles {
  readonly entry: EvidencedRecord;
  readonly files: readonly EvidenceFile[];
}

function contentFiles(
  material: EvidenceMaterial,
  { frame, records }: { readonly frame: PackFrame; readonly records: readonly RecordFiles[] },
): EvidenceFile[] {
  const { received, request, answer, verdict } = material;
  const { evidence: _, ...said } = answer;
  return [
    receivedFile(material),
    json('received.json', 'When and how the request came.', {
      channel: received.channel,
      mediaType: received.mediaType,
      receivedAt: received.receivedAt,
      octets: received.octets ?? 'as-they-came',
      sha256: sha256(received.bytes),
    }),
    json('request.json', 'The request as it was read.', request),
    json('answer.json', 'What was answered, without the reference to this pack.', said),
    json('search.json', 'What was looked through: windows, keys, coverage, and what spoke for the call.', {
      searched: answer.searched,
      reasons: material.reasons ?? [],
    }),
    ...records.flatMap(({ files }) => files),
    ...(verdict === undefined ? [] : [json('verdict.json', 'What the verification of the call found.', verdict)]),
    json('clocks.json', 'How far the clocks of the records were off.', material.clocks),
    json('decision.json', 'Every rule of the policy that was applied, in order.', material.decision),
    json('practices.json', 'How the systems make their records, as the provider states it.', frame.practices),
  ];
}

function repairFiles(repairs: readonly TextRepair[]): EvidenceFile[] {
  if (repairs.length === 0) return [];
  return [json('text-repairs.json', 'Texts that UTF-8 cannot hold, and what stands for them.', repairs)];
}

function requireFits({ received, records }: EvidenceMaterial): void {
  if (received.bytes.length > EVIDENCE_REQUEST_BYTES || records.length > EVIDENCE_RECORDS) {
    throw new HopbackError(
      'invalid-argument',
      `a pack holds a request of ${EVIDENCE_REQUEST_BYTES} octets and ${EVIDENCE_RECORDS} records at most, not ${received.bytes.length} and ${records.length}`,
    );
  }
}

function manifestOf(
  { answer }: EvidenceMaterial,
  { packId, salt, writtenAt, software, signer, logId }: PackFrame,
): Omit<EvidenceManifest, 'files' | 'records'> {
  const { provider, answerId, requestId, tracebackId, revision } = answer;
  const about = {
    provider,
    answerId,
    requestId,
    tracebackId,
    revision,
  };
  return {
    format: 'hopback.evidence-manifest.1',
    packId,
    salt,
    writtenAt,
    ...about,
    software,
    signer,
    logId,
  };
}

const REQUEST_ENDINGS: ReadonlyMap<string, string> = new Map([
  ['application/json', 'json'],
  ['message/rfc822', 'eml'],
  ['text/plain', 'txt'],
  ['text/csv', 'csv'],
  ['application/pdf', 'pdf'],
]);

/** Whoever sends a request names its type: RFC 6838 section 4.2 has 127 characters on either side of the slash. */
const MEDIA_TYPE_CHARS = 255;

function receivedFile({ received }: EvidenceMaterial): EvidenceFile {
  const bare = received.mediaType.split(';')[0]?.trim().toLowerCase() ?? '';
  return {
    name: `request-received.${REQUEST_ENDINGS.get(bare) ?? 'bin'}`,
    mediaType: printableText(received.mediaType, MEDIA_TYPE_CHARS),
    what:
      received.octets === 'written-anew'
        ? `What the program had read of the request that came by ${received.channel} at ${received.receivedAt}, written anew; what came was not kept.`
        : `The request, octet for octet, as it came by ${received.channel} at ${received.receivedAt}.`,
    octets: received.bytes,
  };
}

function recordFiles(record: CallRecord, ordinal: number): RecordFiles {
  const stem = `record-${String(ordinal).padStart(4, '0')}`;
  const evidence = rawEvidence(record);
  const rows = rawFiles(evidence, stem);
  const { raw: _, ...source } = record.source;
  const own = json(`${stem}.json`, `Record ${record.recordId}, as it was read; its bytes are in files of their own.`, {
    ...record,
    source,
  });
  const { id: sourceId, format, readerVersion, sha256: sourceSha256 } = record.source;
  const entry: EvidencedRecord = {
    recordId: record.recordId,
    sourceId,
    format,
    readerVersion,
    sourceSha256,
    raw: evidence.status,
    ...(evidence.status === 'kept' ? { rawMatches: evidence.matches } : {}),
    file: own.name,
    rawFiles: rows.map(({ name }) => name),
  };
  return { entry, files: [own, ...rows] };
}

function rawFiles(evidence: RawEvidence, stem: string): EvidenceFile[] {
  if (evidence.status === 'not-kept') return [];
  return evidence.rows.map((octets, index) => ({
    name: `${stem}-row-${String(index + 1).padStart(4, '0')}.raw`,
    mediaType: 'application/octet-stream',
    what: 'A row or packet that the record was read from, octet for octet, without its line end.',
    octets,
  }));
}

function json(name: string, what: string, value: unknown): EvidenceFile {
  return { name, mediaType: 'application/json', what, octets: Buffer.from(canonicalJson(value)) };
}

function entryOf({ name, mediaType, what, octets }: EvidenceFile): EvidenceFileEntry {
  return {
    name,
    sha256: sha256(octets),
    sizeBytes: octets.length,
    mediaType,
    what,
  };
}
