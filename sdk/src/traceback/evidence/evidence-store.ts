import { X509Certificate, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { HopbackError } from '../../errors.js';
import { NODE_LOG_FILES } from '../../log/log-files.js';
import { lockFolder, type FolderLock } from '../../log/folder-lock.js';
import { openMerkleLog, type MerkleLog, type MerkleLogOptions } from '../../log/merkle-log.js';
import type { EvidencePack } from './evidence-manifest.js';
import type { EvidenceWriter } from './evidence-material.js';
import { createEvidenceWriter, type EvidenceWriterOptions } from './evidence-writer.js';
import { createPackStore, type PackStore } from './pack-store.js';

/** How a store of evidence is opened. */
export interface EvidenceStoreOptions
  extends
    Omit<MerkleLogOptions, 'schedule' | 'segmentBytes'>,
    Omit<EvidenceWriterOptions, 'directory' | 'log' | 'signer' | 'clock' | 'files'> {
  /** PEM of the certificate for the key of the signer first, and those above it, where there is one: it goes into exported packs. */
  readonly certificatePem?: string;
}

/** Log and packs in one folder. */
export interface EvidenceStore extends AsyncDisposable {
  readonly log: MerkleLog;
  readonly writer: EvidenceWriter;
  /** @throws HopbackError `storage-failed` */
  readonly pack: (packId: string) => Promise<EvidencePack | undefined>;
  /** Closes the log and lets the folder go. May be called again. @throws HopbackError `storage-failed` */
  readonly close: () => Promise<void>;
}

/** The folders and files of a store. */
export const STORE_PARTS = {
  log: 'log',
  packs: 'packs',
  publicKey: 'public-key.pem',
  certificate: 'certificate.pem',
} as const;

/**
 * Opens a folder of evidence, with the log in `log`, a file for each pack in `packs`, and the public key beside them, for whoever wants to look at
 * it with `hopback evidence`. One process a folder: it takes the folder by `lockFolder` of `@hopback/sdk/log`, unless the files are handed in.
 * @param options - where, the name of the log, who signs, and what the provider states about its systems
 * @returns the store
 * @throws {@link HopbackError} as `openMerkleLog` of `@hopback/sdk/log`; `storage-failed` when the folder cannot be written to, or another
 * process has it
 * @see {@link createEvidenceWriter} for packs elsewhere than beside the log, {@link verifyEvidenceStore}
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const store = await openEvidenceStore({ directory, logId: 'example.com/evidence', signer: createLogSigner(createTestKey().privateKeyPem) });
 * console.log(store.log.size); // 0
 * await store.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openEvidenceStore(options: EvidenceStoreOptions): Promise<EvidenceStore> {
  requireCertificateOf(options);
  // Two processes on one folder would each sign for other entries in the same places.
  const lock = options.files === undefined ? await lockFolder(options.directory, 'the evidence') : undefined;
  try {
    return await openLocked(options, lock);
  } catch (error) {
    await lock?.close();
    throw error;
  }
}

/** @throws HopbackError `invalid-argument`: whoever gets a pack would take the key for somebody else's */
function requireCertificateOf({ certificatePem, signer }: EvidenceStoreOptions): void {
  if (certificatePem === undefined || isCertificateOf(certificatePem, signer.publicKey)) return;
  throw new HopbackError(
    'invalid-argument',
    'the certificate is none for the key of the signer; it has to be the first of its file',
  );
}

function isCertificateOf(pem: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(pem).publicKey.equals(key);
  } catch {
    return false;
  }
}

async function openLocked(options: EvidenceStoreOptions, lock: FolderLock | undefined): Promise<EvidenceStore> {
  const { directory, certificatePem: _, practices, software, newId, random, ...merkle } = options;
  const { signer, clock, files = NODE_LOG_FILES } = merkle;
  const log = await openMerkleLog({ ...merkle, directory: join(directory, STORE_PARTS.log) });
  const close = async (): Promise<void> => {
    try {
      await log.close();
    } finally {
      await lock?.close();
    }
  };
  try {
    await writeKeys(options, createPackStore(directory, files));
  } catch (error) {
    await log.close().catch(() => undefined);
    throw error;
  }
  const packsDirectory = join(directory, STORE_PARTS.packs);
  const packs = createPackStore(packsDirectory, files);
  return {
    log,
    writer: createEvidenceWriter({
      directory: packsDirectory,
      log,
      signer,
      files,
      ...(practices === undefined ? {} : { practices }),
      ...(software === undefined ? {} : { software }),
      ...(clock === undefined ? {} : { clock }),
      ...(newId === undefined ? {} : { newId }),
      ...(random === undefined ? {} : { random }),
    }),
    pack: async (packId) => {
      const pack = await packs.readPack(packId);
      return typeof pack === 'string' ? undefined : pack;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
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
