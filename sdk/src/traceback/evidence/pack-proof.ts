import type { MerkleLog, ProvedEntry } from '../../log/merkle-log.js';
import { HopbackError } from '../../errors.js';
import { parseEntry } from './evidence.schema.js';

/** An entry of the log about a pack, with its proof. */
export interface LoggedProof extends ProvedEntry {
  readonly kind: 'pack' | 'answer' | 'receipt';
}

/**
 * Finds what an open log says about a pack.
 * @param log - of the store that the pack is in; all of it is read
 * @param packId - as {@link EvidenceWriter.write} gave it
 * @returns the entries about it, in order, each with a proof under the newest checkpoint
 * @throws {@link HopbackError} `invalid-argument` when the log does not know the pack; `log-inconsistent`, `storage-failed`, `closed`
 * @see {@link readEvidencePack}, for a log that another process has open; RFC 9162 section 2.1.3
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const store = await openEvidenceStore({ directory, logId: 'example.com/evidence', signer });
 * await packProofs(store.log, 'no-pack').catch((error: { code: string }) => console.log('refused', error.code));
 * await store.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function packProofs(log: MerkleLog, packId: string): Promise<readonly LoggedProof[]> {
  const found: { readonly leafIndex: number; readonly kind: LoggedProof['kind'] }[] = [];
  for (let next = 0; next < log.size;) {
    const entries = await log.read(next, { maxEntries: 1_024 });
    for (const { leafIndex, octets } of entries) {
      const entry = parseEntry(octets);
      if (entry?.packId === packId) found.push({ leafIndex, kind: entry.kind });
    }
    next += entries.length;
  }
  if (!found.some(({ kind }) => kind === 'pack')) {
    throw new HopbackError('invalid-argument', `the log ${log.logId} has no entry of the pack ${packId}`);
  }
  return Promise.all(found.map(async ({ leafIndex, kind }) => ({ ...(await log.prove(leafIndex)), kind })));
}
