import { hash, randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Clock } from '../../core/runtime/clock.js';
import type { EvidenceReference } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import { signatureFor, type LogSigner } from '../../log/checkpoint.js';
import type { LogFiles } from '../../log/log-files.js';
import type { MerkleLog } from '../../log/merkle-log.js';
import { packFiles, type PackFiles } from './evidence-files.js';
import type { EvidenceEntry, EvidenceManifest, EvidencePack, RecordPractice } from './evidence-manifest.js';
import type { AnswerPosition, EvidenceMaterial, EvidenceWriter, SignedAnswer } from './evidence-material.js';
import { answerDifference } from './answer-jws.js';
import { isPackId, parseEntry } from './evidence.schema.js';
import { encodeAnswer, encodeEntry, encodePack } from './pack-container.js';
import { answerFileName, createPackStore, packFileName, type PackStore } from './pack-store.js';

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
  /** Which software writes, for the manifest and the certificate. Default this package. */
  readonly software?: EvidenceManifest['software'];
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
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const log = await openMerkleLog({ directory: `${directory}/log`, logId: 'example.com/evidence', signer });
 * const writer = createEvidenceWriter({ directory: `${directory}/packs`, log, signer });
 * console.log(typeof writer.write, typeof writer.attachAnswer); // function function
 * await log.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export function createEvidenceWriter(options: EvidenceWriterOptions): EvidenceWriter {
  const core: WriterCore = {
    log: options.log,
    signer: options.signer,
    practices: options.practices ?? [],
    software: options.software ?? thisPackage(),
    clock: options.clock ?? { nowMs: () => Date.now() },
    newId: options.newId ?? randomUUID,
    random: options.random ?? randomBytes,
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

interface WriterCore {
  readonly log: MerkleLog;
  readonly signer: LogSigner;
  readonly practices: readonly RecordPractice[];
  readonly software: EvidenceManifest['software'];
  readonly clock: Clock;
  readonly newId: () => string;
  readonly random: (octets: number) => Uint8Array;
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
  const { leafIndex } = await log.append(encodeEntry(packEntry(laidOut, manifestSha256)));
  return { packId, manifestSha256, logId: log.logId, leafIndex };
}

function packEntry({ manifest }: PackFiles, manifestSha256: string): EvidenceEntry {
  const { packId, writtenAt } = manifest;
  return { format: 'hopback.evidence-entry.1', kind: 'pack', packId, manifestSha256, writtenAt };
}

async function attachAnswer(core: WriterCore, packId: string, signed: SignedAnswer): Promise<AnswerPosition> {
  const pack = await core.packs.readPack(packId);
  if (typeof pack === 'string') throw new HopbackError('invalid-argument', `there is no pack of that name: ${pack}`);
  requireAnswerOf(pack, signed.answerJws);
  const { answerJws } = signed;
  // The first receipt stands: its hash is in the log, or about to be.
  const receiptJws = pack.receiptJws ?? signed.receiptJws;
  if (pack.answerJws !== answerJws || pack.receiptJws !== receiptJws) {
    const stored = { answerJws, ...(receiptJws === undefined ? {} : { receiptJws }) };
    await core.packs.write(answerFileName(packId), encodeAnswer(stored));
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
  const entry = { format: 'hopback.evidence-entry.1', kind, packId, jwsSha256, writtenAt: nowOf(core) } as const;
  const { leafIndex } = await core.log.append(encodeEntry(entry));
  places.set(key, leafIndex);
  return leafIndex;
}

async function placesOf(log: MerkleLog): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  for (let next = 0; next < log.size;) {
    const entries = await log.read(next, { maxEntries: 1_024 });
    for (const { leafIndex, octets } of entries) {
      const entry = parseEntry(octets);
      if (entry !== undefined && entry.kind !== 'pack') {
        places.set(`${entry.kind} ${entry.packId} ${entry.jwsSha256}`, leafIndex);
      }
    }
    next += entries.length;
  }
  return places;
}

function nowOf({ clock }: WriterCore): string {
  return new Date(clock.nowMs()).toISOString();
}

function sha256(octets: Uint8Array | string): string {
  return hash('sha256', octets, 'hex');
}
