import { randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { CallRecord } from '../../contract/call-record.js';
import type { EvidenceReference } from '../../contract/traceback-exchange.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { defined, printableText } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { signatureFor } from '../../log/merkle-tree.js';
import type { LogSigner } from '../../log/merkle-tree.js';
import type { LogFiles } from '../../log/log-files.js';
import type { MerkleLog } from '../../log/merkle-log.js';
import { rawEvidence } from '../../records/raw-evidence.js';
import type { RawEvidence } from '../../records/raw-evidence.js';
import {
  answerDifference,
  canonicalJson,
  EVIDENCE_RECORDS,
  EVIDENCE_REQUEST_BYTES,
  isPackId,
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
  EvidencePack,
  EvidenceWriter,
  RecordPractice,
  TextRepair,
} from './evidence-manifest.js';
import { custodianCertificate } from './custodian-certificate.js';
import {
  answerFileName,
  createPackStore,
  encodeAnswer,
  encodeEntry,
  encodePack,
  entriesIn,
  packFileName,
} from './pack-store.js';
import type { PackStore } from './pack-store.js';

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
function packFiles(given: EvidenceMaterial, frame: PackFrame): PackFiles {
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

/** How a writer of evidence is made. */
export interface EvidenceWriterOptions {
  /** For the packs; made when it is not there. */
  readonly directory: string;
  /** Open, and not closed before the writer is done with. */
  readonly log: MerkleLog;
  /** Signs the manifests; that of the log will do. */
  readonly signer: LogSigner;
  /** What the provider states about its systems; each goes into every pack, for the custodian. Default none. */
  readonly practices?: readonly RecordPractice[];
  readonly clock?: Clock;
  /** Makes the name of a pack: 1 to 64 letters, digits and hyphens, never the same twice. Default a random UUID. */
  readonly newId?: () => string;
  /** Gives so many random octets. Default those of the machine. */
  readonly random?: (octets: number) => Uint8Array;
  /** The file system. Default Node's. */
  readonly files?: LogFiles;
}

/**
 * Makes a writer of evidence: it lays out a pack for each answer, signs its manifest, keeps it as a file of its own, and writes its hash to the
 * log. A pack is durable before its entry, so that no entry names a pack that a crash took.
 * @param options - where, which log, who signs
 * @returns the writer; there is nothing to close. Making it never throws
 * @see {@link openEvidenceStore} for log and packs in one folder, {@link verifyEvidenceStore}
 */
export function createEvidenceWriter(options: EvidenceWriterOptions): EvidenceWriter {
  const core: WriterCore = {
    practices: [],
    clock: MACHINE_CLOCK,
    newId: randomUUID,
    random: randomBytes,
    ...options,
    software: thisPackage(),
    packs: createPackStore(options.directory, options.files),
    jws: undefined,
    attaching: new Map(),
  };
  return {
    write: (material) => write(core, material),
    attachAnswer: (packId, signed) => {
      // One after the other for a pack: who looks whether an answer is there has to see what the one before did.
      const before = core.attaching.get(packId) ?? Promise.resolve();
      const done = before.then(() => attachAnswer(core, packId, signed));
      attachedInTurn(core, packId, done);
      return done;
    },
  };
}

/** The next one for the pack waits for this one, and nothing is kept of a pack for which there is no next one. */
function attachedInTurn({ attaching }: WriterCore, packId: string, done: Promise<unknown>): void {
  const forget = (): void => {
    if (attaching.get(packId) === settled) attaching.delete(packId);
  };
  const settled: Promise<void> = done.then(forget, forget);
  attaching.set(packId, settled);
}

/** As its package.json says. */
function thisPackage(): EvidenceManifest['software'] {
  const { name, version } = createRequire(import.meta.url)('../../../package.json') as EvidenceManifest['software'];
  return { name, version };
}

interface WriterCore extends Required<Omit<EvidenceWriterOptions, 'directory' | 'files'>> {
  readonly software: EvidenceManifest['software'];
  readonly packs: PackStore;
  /** Places of the entries of answers and receipts, once the log was looked through for them. */
  jws: Promise<Map<string, number>> | undefined;
  /** What is being attached, by pack. */
  readonly attaching: Map<string, Promise<void>>;
}

async function write(core: WriterCore, material: EvidenceMaterial): Promise<EvidenceReference> {
  const { log, signer, packs } = core;
  const packId = core.newId();
  if (!isPackId(packId)) {
    throw new HopbackError('invalid-argument', 'the name of a pack has 1 to 64 letters, digits and hyphens');
  }
  const laidOut = packFiles(material, {
    packId,
    salt: Buffer.from(core.random(16)).toString('hex'),
    writtenAt: nowOf(core),
    software: core.software,
    signer: {
      algorithm: signer.algorithm,
      publicKeySha256: sha256(signer.publicKey.export({ type: 'spki', format: 'der' })),
    },
    logId: log.logId,
    practices: core.practices,
  });
  const signature = await signatureFor(signer, laidOut.manifestOctets);
  await packs.write(packFileName(packId), encodePack({ ...laidOut, signature }));
  const manifestSha256 = sha256(laidOut.manifestOctets);
  const { writtenAt } = laidOut.manifest;
  const entry = {
    format: 'hopback.evidence-entry.1',
    kind: 'pack',
    packId,
    manifestSha256,
    writtenAt,
  } as const;
  const { leafIndex } = await log.append(encodeEntry(entry));
  return { packId, manifestSha256, logId: log.logId, leafIndex };
}

async function attachAnswer(
  core: WriterCore,
  ...[packId, signed]: Parameters<EvidenceWriter['attachAnswer']>
): ReturnType<EvidenceWriter['attachAnswer']> {
  const pack = await core.packs.readPack(packId);
  if (typeof pack === 'string') throw new HopbackError('invalid-argument', `there is no pack of that name: ${pack}`);
  requireAnswerOf(pack, signed.answerJws);
  const { answerJws } = signed;
  // The first receipt stands: its hash is in the log, or about to be.
  const receiptJws = pack.receiptJws ?? signed.receiptJws;
  if (pack.answerJws !== answerJws || pack.receiptJws !== receiptJws) {
    await core.packs.write(answerFileName(packId), encodeAnswer(defined({ answerJws, receiptJws })));
  }
  const leafIndex = await logged(core, { kind: 'answer', packId, jws: answerJws });
  if (receiptJws !== undefined) await logged(core, { kind: 'receipt', packId, jws: receiptJws });
  return { packId, answerSha256: sha256(answerJws), logId: core.log.logId, leafIndex };
}

/** The pack is of this answer, and has no other yet. */
function requireAnswerOf(pack: EvidencePack, answerJws: string): void {
  if (pack.answerJws !== undefined && pack.answerJws !== answerJws) {
    throw new HopbackError('invalid-argument', 'the pack has another answer: an amended one gets a pack of its own');
  }
  const what = answerDifference(pack, answerJws);
  if (what === undefined) return;
  throw new HopbackError('invalid-argument', `the signed answer is none of this pack: ${what}`);
}

interface LoggedJws {
  readonly kind: 'answer' | 'receipt';
  readonly packId: string;
  readonly jws: string;
}

/** Place of the entry of a JWS: that which it has, or a new one. */
async function logged(core: WriterCore, { kind, packId, jws }: LoggedJws): Promise<number> {
  core.jws ??= placesOf(core.log).catch((error: unknown) => {
    core.jws = undefined;
    throw error;
  });
  const places = await core.jws;
  const jwsSha256 = sha256(jws);
  const key = `${kind} ${packId} ${jwsSha256}`;
  const known = places.get(key);
  if (known !== undefined) return known;
  const entry = {
    format: 'hopback.evidence-entry.1',
    kind,
    packId,
    jwsSha256,
    writtenAt: nowOf(core),
  } as const;
  const { leafIndex } = await core.log.append(encodeEntry(entry));
  places.set(key, leafIndex);
  return leafIndex;
}

async function placesOf(log: MerkleLog): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  for await (const { leafIndex, entry } of entriesIn(log)) {
    if (entry !== undefined && entry.kind !== 'pack')
      places.set(`${entry.kind} ${entry.packId} ${entry.jwsSha256}`, leafIndex);
  }
  return places;
}

function nowOf({ clock }: WriterCore): string {
  return new Date(clock.nowMs()).toISOString();
}
