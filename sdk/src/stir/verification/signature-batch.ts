import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import type { SignatureJob } from '../es256.js';

/** Public keys that a signature thread has not seen yet travel once, as SPKI, under a number. */
export interface NumberedKey {
  readonly number: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

/** What goes to a signature thread: jobs packed into one buffer, which changes hands instead of being copied. */
export interface SignatureBatch {
  readonly id: number;
  readonly count: number;
  /** Keys that the jobs name and the thread has not seen. */
  readonly keys: readonly NumberedKey[];
  /** Whether the thread forgets all keys before it takes these. */
  readonly forgetKeys: boolean;
  /** Per job: key number and input length (4 octets each, big endian), signature (64), input. */
  readonly packed: Uint8Array<ArrayBuffer>;
}

/** What comes back: one octet per job, 1 where the signature verifies. */
export interface SignatureBatchResult {
  readonly id: number;
  readonly valid: Uint8Array<ArrayBuffer>;
}

/** One job as it lies in a batch. */
export interface PackedJob {
  readonly keyNumber: number;
  readonly signature: Uint8Array;
  readonly signingInput: Uint8Array;
}

/** Packs jobs into one buffer. */
export function packJobs(
  jobs: readonly SignatureJob[],
  keyNumber: (job: SignatureJob) => number,
): Uint8Array<ArrayBuffer> {
  const size = jobs.reduce((sum, job) => sum + JOB_HEAD_OCTETS + job.signingInput.length, 0);
  // Not from Node's shared pool: the buffer is handed over whole.
  const packed = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const job of jobs) {
    packed.writeUInt32BE(keyNumber(job), at);
    packed.writeUInt32BE(job.signingInput.length, at + 4);
    packed.set(job.signature, at + 8);
    packed.write(job.signingInput, at + JOB_HEAD_OCTETS, 'latin1');
    at += JOB_HEAD_OCTETS + job.signingInput.length;
  }
  return packed;
}

/** Takes the jobs out of a buffer again, without copying. */
export function* unpackJobs(packed: Uint8Array, count: number): Generator<PackedJob> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const inputEnd = at + JOB_HEAD_OCTETS + view.getUint32(at + 4);
    yield {
      keyNumber: view.getUint32(at),
      signature: packed.subarray(at + 8, at + JOB_HEAD_OCTETS),
      signingInput: packed.subarray(at + JOB_HEAD_OCTETS, inputEnd),
    };
    at = inputEnd;
  }
}

const JOB_HEAD_OCTETS = 8 + ES256_SIGNATURE_OCTETS;
