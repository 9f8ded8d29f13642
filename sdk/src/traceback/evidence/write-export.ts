import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { signatureFor, type LogSigner } from '../../log/checkpoint.js';
import { makeFolder } from '../../log/log-files.js';
import { systemCode } from '../../log/log-files.js';
import type { EvidenceFile, EvidencePack } from './evidence-manifest.js';
import { EXPORTED, exportedFiles, type ExportFrame } from './exported-files.js';

/** Packs hold call records: nobody else reads them. */
const FILE_MODE = 0o600;
const SCRIPT_MODE = 0o700;

/**
 * Writes a pack to a folder that openssl and sha256sum alone can check: see its `VERIFY.md`, or run its `verify.sh`.
 * @param folder - made when it is not there; it has to be empty
 * @param exported - the pack, the proofs of the log about it ({@link packProofs}), the keys, and who signs for the folder; `clock` tells
 * when it was exported
 * @returns names of the files
 * @throws {@link HopbackError} `invalid-argument` when there are files in the folder, or renderings without a signer; `log-inconsistent`
 * where the log has an entry of what the pack does not have; `signer-failed`; `storage-failed` when the disk refuses
 * @see {@link verifyEvidencePack}
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const folder = await mkdtemp(`${tmpdir()}/hopback-`);
 * await writeFile(`${folder}/note.txt`, 'not empty');
 * try {
 *   await exportEvidencePack(folder, {} as Parameters<typeof exportEvidencePack>[1]);
 * } catch (error) {
 *   console.log((error as { code: string }).code); // invalid-argument
 * }
 * await rm(folder, { recursive: true });
 * ```
 */
export async function exportEvidencePack(
  folder: string,
  exported: ExportFrame & { readonly pack: EvidencePack; readonly clock?: Clock },
): Promise<readonly string[]> {
  await requireEmpty(folder);
  const { pack, signer, clock } = exported;
  const exportedAt = new Date(clock?.nowMs() ?? Date.now()).toISOString();
  const files = exportedFiles(pack, exported, exportedAt);
  const signed = signer === undefined ? files : [...files, await signatureFile(files, signer)];
  for (const file of signed) await written(folder, file);
  return signed.map(({ name }) => name);
}

/** Over the hashes of every other file, so over all of the folder. */
async function signatureFile(files: readonly EvidenceFile[], signer: LogSigner): Promise<EvidenceFile> {
  const sums = files.find(({ name }) => name === EXPORTED.sums);
  return {
    name: EXPORTED.sumsSignature,
    mediaType: 'application/octet-stream',
    what: 'Signature over SHA256SUMS.',
    octets: await signatureFor(signer, sums?.octets ?? new Uint8Array(0)),
  };
}

async function requireEmpty(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    if ((await readdir(folder)).length === 0) return;
  } catch (cause) {
    throw refused(cause);
  }
  throw new HopbackError('invalid-argument', 'the folder for the pack has files in it already');
}

async function written(folder: string, { name, octets }: EvidenceFile): Promise<void> {
  const path = join(folder, name);
  try {
    await writeFile(path, octets, { flag: 'wx', mode: FILE_MODE });
    if (name === EXPORTED.script) await chmod(path, SCRIPT_MODE);
  } catch (cause) {
    throw refused(cause);
  }
}

function refused(cause: unknown): HopbackError {
  const code = systemCode(cause);
  return new HopbackError('storage-failed', `the disk refuses to write the pack: ${code}`, {
    retryable: true,
    cause,
    details: { code },
  });
}
