import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { EvidenceReference } from '../../contract/traceback-exchange.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { FolderLock } from '../../log/log-files.js';
import { MerkleLog } from '../../log/merkle-log.js';
import type { MerkleLogOptions } from '../../log/merkle-log.js';
import { signatureFor } from '../../log/merkle-tree.js';
import { answerDifference, isPackId, sha256 } from './evidence-manifest.js';
import type { EvidenceManifest, EvidenceMaterial, EvidencePack, RecordPractice } from './evidence-manifest.js';
import { packFiles } from './pack-files.js';
import {
  answerFileName,
  createPackStore,
  encodeAnswer,
  encodeEntry,
  encodePack,
  entriesIn,
  packFileName,
  STORE_PARTS,
} from './pack-store.js';
import type { PackStore } from './pack-store.js';

/** How a store of evidence is opened. */
export interface EvidenceStoreOptions extends Omit<MerkleLogOptions, 'schedule' | 'segmentBytes'> {
  /** PEM of the certificate for the key of the signer first, and those above it, where there is one: it goes into exported packs. */
  readonly certificatePem?: string;
  /** What the provider states about its systems; each goes into every pack, for the custodian. Default none. */
  readonly practices?: readonly RecordPractice[];
  /** Makes the name of a pack: 1 to 64 letters, digits and hyphens, never the same twice. Default a random UUID. */
  readonly newId?: () => string;
  /** Gives so many random octets. Default those of the machine. */
  readonly random?: (octets: number) => Uint8Array;
}

/**
 * Keeps the evidence of answers in one folder, with the log in `log`, a file for each pack in `packs`, and the public key beside them, for whoever
 * wants to look at it with `hopback evidence`. An answer names its pack, and a pack holds its answer: so there are two steps, each an entry of the
 * log. A pack is durable before its entry, so that no entry names a pack that a crash took.
 * @see {@link verifyEvidenceStore}
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const store = await EvidenceStore.open({ directory, logId: 'example.com/evidence', signer });
 * console.log(store.log.size); // 0
 * await store.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export class EvidenceStore implements AsyncDisposable {
  readonly log: MerkleLog;
  readonly #options: EvidenceStoreOptions;
  readonly #lock: FolderLock | undefined;
  readonly #packs: PackStore;
  readonly #software: EvidenceManifest['software'] = thisPackage();
  /** Places of the entries of answers and receipts, once the log was looked through for them. */
  #places: Promise<Map<string, number>> | undefined;
  /** What is being attached, by pack. */
  readonly #attaching = new Map<string, Promise<void>>();

  /**
   * Opens a folder. One process a folder: it takes the folder by `FolderLock.take` of `@hopback/sdk/log`, unless the files are handed in.
   * @param given - where, the name of the log, who signs, and what the provider states about its systems
   * @returns the store
   * @throws {@link HopbackError} as `MerkleLog.open` of `@hopback/sdk/log`; `storage-failed` when the folder cannot be written to, or another
   * process has it
   */
  static async open(given: EvidenceStoreOptions): Promise<EvidenceStore> {
    const options = { ...given };
    requireCertificateOf(options);
    const { directory, files } = options;
    // Two processes on one folder would each sign for other entries in the same places.
    const lock = files === undefined ? await FolderLock.take(directory, 'the evidence') : undefined;
    try {
      const log = await MerkleLog.open({ ...options, directory: join(directory, STORE_PARTS.log) });
      try {
        await writeKeys(options, createPackStore(directory, files));
      } catch (error) {
        await log.close().catch(() => undefined);
        throw error;
      }
      return new EvidenceStore(options, log, lock);
    } catch (error) {
      await lock?.close();
      throw error;
    }
  }

  private constructor(options: EvidenceStoreOptions, log: MerkleLog, lock: FolderLock | undefined) {
    this.log = log;
    this.#options = options;
    this.#lock = lock;
    this.#packs = createPackStore(join(options.directory, STORE_PARTS.packs), options.files);
  }

  /**
   * Writes a pack, and its hash to the log; both are durable when it resolves. Call it before the answer is signed, and sign the answer
   * with the reference. A pack whose answer was never signed does no harm: whoever crashed in between writes another.
   * @throws HopbackError `invalid-argument` for what no pack can hold; `storage-failed` (retryable); `signer-failed`; `closed`
   */
  async write(material: EvidenceMaterial): Promise<EvidenceReference> {
    const { signer, practices = [], newId = randomUUID, random = randomBytes } = this.#options;
    const { log } = this;
    const packId = newId();
    if (!isPackId(packId)) {
      throw new HopbackError('invalid-argument', 'the name of a pack has 1 to 64 letters, digits and hyphens');
    }
    const laidOut = packFiles(material, {
      packId,
      salt: Buffer.from(random(16)).toString('hex'),
      writtenAt: this.#now(),
      software: this.#software,
      signer: {
        algorithm: signer.algorithm,
        publicKeySha256: sha256(signer.publicKey.export({ type: 'spki', format: 'der' })),
      },
      logId: log.logId,
      practices,
    });
    const signature = await signatureFor(signer, laidOut.manifestOctets);
    await this.#packs.write(packFileName(packId), encodePack({ ...laidOut, signature }));
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

  /**
   * Adds the signed answer to its pack, and its hash to the log. Called again with the same answer it gives the same position, and takes a
   * receipt where there is none yet.
   * @throws HopbackError `invalid-argument` when there is no such pack, or it has another answer; else as `write`
   */
  attachAnswer(
    packId: string,
    signed: {
      /** Compact JWS of the answer, with the reference that `write` gave in its `evidence`. */
      readonly answerJws: string;
      /** Compact JWS of the receipt, where the platform gave one already. */
      readonly receiptJws?: string;
    },
  ): Promise<{
    readonly packId: string;
    /** SHA-256 of the compact JWS, lower-case hex. */
    readonly answerSha256: string;
    readonly logId: string;
    /** Where the signed answer lies in the log. */
    readonly leafIndex: number;
  }> {
    // One after the other for a pack: who looks whether an answer is there has to see what the one before did.
    const before = this.#attaching.get(packId) ?? Promise.resolve();
    const done = before.then(() => this.#attach(packId, signed));
    // Nothing is kept of a pack for which there is no next one.
    const forget = (): void => {
      if (this.#attaching.get(packId) === settled) this.#attaching.delete(packId);
    };
    const settled: Promise<void> = done.then(forget, forget);
    this.#attaching.set(packId, settled);
    return done;
  }

  /** @throws HopbackError `storage-failed` */
  async pack(packId: string): Promise<EvidencePack | undefined> {
    const pack = await this.#packs.readPack(packId);
    return typeof pack === 'string' ? undefined : pack;
  }

  /** Closes the log and lets the folder go. May be called again. @throws HopbackError `storage-failed` */
  async close(): Promise<void> {
    try {
      await this.log.close();
    } finally {
      await this.#lock?.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #attach(packId: string, signed: { readonly answerJws: string; readonly receiptJws?: string }) {
    const pack = await this.#packs.readPack(packId);
    if (typeof pack === 'string') throw new HopbackError('invalid-argument', `there is no pack of that name: ${pack}`);
    requireAnswerOf(pack, signed.answerJws);
    const { answerJws } = signed;
    // The first receipt stands: its hash is in the log, or about to be.
    const receiptJws = pack.receiptJws ?? signed.receiptJws;
    if (pack.answerJws !== answerJws || pack.receiptJws !== receiptJws) {
      await this.#packs.write(answerFileName(packId), encodeAnswer(defined({ answerJws, receiptJws })));
    }
    const leafIndex = await this.#logged({ kind: 'answer', packId, jws: answerJws });
    if (receiptJws !== undefined) await this.#logged({ kind: 'receipt', packId, jws: receiptJws });
    return { packId, answerSha256: sha256(answerJws), logId: this.log.logId, leafIndex };
  }

  /** Place of the entry of a JWS: that which it has, or a new one. */
  async #logged({ kind, packId, jws }: LoggedJws): Promise<number> {
    this.#places ??= placesOf(this.log).catch((error: unknown) => {
      this.#places = undefined;
      throw error;
    });
    const places = await this.#places;
    const jwsSha256 = sha256(jws);
    const key = `${kind} ${packId} ${jwsSha256}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    const entry = {
      format: 'hopback.evidence-entry.1',
      kind,
      packId,
      jwsSha256,
      writtenAt: this.#now(),
    } as const;
    const { leafIndex } = await this.log.append(encodeEntry(entry));
    places.set(key, leafIndex);
    return leafIndex;
  }

  #now(): string {
    const { clock = MACHINE_CLOCK } = this.#options;
    return new Date(clock.nowMs()).toISOString();
  }
}

/** @throws HopbackError `invalid-argument`: whoever gets a pack would take the key for somebody else's */
function requireCertificateOf({ certificatePem, signer }: EvidenceStoreOptions): void {
  if (certificatePem === undefined || isCertificateOf(certificatePem, signer.publicKey)) return;
  throw new HopbackError(
    'invalid-argument',
    'the certificate is not for the key of the signer; it must be the first in its file',
  );
}

function isCertificateOf(pem: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(pem).publicKey.equals(key);
  } catch {
    return false;
  }
}

/** For whoever looks at the folder later: old packs need the old keys. */
async function writeKeys(
  { signer, formerPublicKeys = [], certificatePem }: EvidenceStoreOptions,
  store: PackStore,
): Promise<void> {
  const keys = [signer.publicKey, ...formerPublicKeys];
  const pems = keys.map((key) => key.export({ type: 'spki', format: 'pem' }).toString());
  await store.write(STORE_PARTS.publicKey, Buffer.from(pems.join('')));
  if (certificatePem !== undefined) await store.write(STORE_PARTS.certificate, Buffer.from(certificatePem));
}

/** As its package.json says. */
function thisPackage(): EvidenceManifest['software'] {
  const { name, version } = createRequire(import.meta.url)('../../../package.json') as EvidenceManifest['software'];
  return { name, version };
}

/** The pack is of this answer, and has no other yet. */
function requireAnswerOf(pack: EvidencePack, answerJws: string): void {
  if (pack.answerJws !== undefined && pack.answerJws !== answerJws) {
    throw new HopbackError('invalid-argument', 'the pack has another answer: an amended one gets a pack of its own');
  }
  const what = answerDifference(pack, answerJws);
  if (what === undefined) return;
  throw new HopbackError('invalid-argument', `the signed answer does not belong to this pack: ${what}`);
}

interface LoggedJws {
  readonly kind: 'answer' | 'receipt';
  readonly packId: string;
  readonly jws: string;
}

async function placesOf(log: MerkleLog): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  for await (const { leafIndex, entry } of entriesIn(log)) {
    if (entry !== undefined && entry.kind !== 'pack')
      places.set(`${entry.kind} ${entry.packId} ${entry.jwsSha256}`, leafIndex);
  }
  return places;
}
