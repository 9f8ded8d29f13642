import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HopbackError } from '../../errors.js';
import { ES256_SIGNATURE_OCTETS, verifyEs256 } from '../es256.js';
import type { SignatureJob } from '../es256.js';

/** Public keys that a signature thread has not seen yet travel once, as SPKI, under a number. */
interface NumberedKey {
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
interface PackedJob {
  readonly keyNumber: number;
  readonly signature: Uint8Array;
  readonly signingInput: Uint8Array;
}

/** Packs jobs into one buffer. */
function packJobs(jobs: readonly SignatureJob[], keyNumber: (job: SignatureJob) => number): Uint8Array<ArrayBuffer> {
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

/**
 * Where signatures are checked: in the calling thread ({@link INLINE_SIGNATURE_CHECKER}), in threads of its own
 * ({@link SignaturePool}), or wherever you like. @see RFC 7518 section 3.4
 */
export interface SignatureChecker {
  /**
   * Checks signatures; one boolean per job, in order.
   * @param jobs - what is to be checked; empty lists are not asked about
   * @returns the results, or a promise of them; undefined for a job that could not be checked. Where it throws or rejects, a
   * verification service takes all of the jobs for unchecked
   */
  readonly check: (
    jobs: readonly SignatureJob[],
  ) => readonly (boolean | undefined)[] | Promise<readonly (boolean | undefined)[]>;
}

/**
 * Checks in the calling thread, at once. The default: one ES256 check takes some 0.1 ms of a processor of today, which the event
 * loop does not miss up to a few hundred calls a second; `npm run bench` measures it. Beyond that, {@link SignaturePool}.
 */
export const INLINE_SIGNATURE_CHECKER: {
  /** Checks signatures; one boolean per job, in order. Never throws for peer input. */
  readonly check: (jobs: readonly SignatureJob[]) => readonly boolean[];
} = { check: checkInline };

/** As {@link INLINE_SIGNATURE_CHECKER}, for callers that must not wait. */
export function checkInline(jobs: readonly SignatureJob[]): readonly boolean[] {
  return jobs.map(verifyEs256);
}

/** One result per job, in order; undefined, or missing, for a job that was not checked. */
export type Signatures = readonly (boolean | undefined)[];

/** Of jobs none of which was checked. */
export const NO_RESULTS: Signatures = [];

/** A checker that throws, rejects or answers with something else has checked nothing, and nothing is not false. */
export function checkSafely(
  checker: SignatureChecker,
  jobs: readonly SignatureJob[],
): Signatures | Promise<Signatures> {
  if (jobs.length === 0) return NO_RESULTS;
  try {
    const checked: unknown = checker.check(jobs);
    return isSignatures(checked) ? checked : settled(checked);
  } catch {
    return NO_RESULTS;
  }
}

async function settled(checked: unknown): Promise<Signatures> {
  try {
    const signatures = await checked;
    return isSignatures(signatures) ? signatures : NO_RESULTS;
  } catch {
    return NO_RESULTS;
  }
}

const isSignatures = (checked: unknown): checked is Signatures => Array.isArray(checked);

/**
 * Jobs that may wait or be under way in a pool by default: at some 0.1 ms each, a little less than a second of work for two
 * threads. Whoever comes later would be too late for a call anyway.
 */
export const MAX_JOBS_IN_POOL = 16_384;

/**
 * Checks signatures in threads of its own, so that the event loop is left to the calls: `signatureChecker` of a verification service.
 * Jobs that arrive in one turn of the event loop travel together, which is what makes a thread cheaper than the libuv pool. An idle pool
 * keeps no process alive; close it all the same.
 * @see RFC 7518 section 3.4
 * @example
 * ```ts
 * const clock = new ManualClock();
 * const root = parseCertificate(new TestPki().root.der);
 * if (root.status === 'malformed') throw new Error(root.detail);
 * const trustStore = createTrustStore({ anchors: [root.certificate], source: { kind: 'files' } });
 * await using certificates = new CertificateRepository({ clock });
 * await using signatureChecker = new SignaturePool({ threads: 2 });
 * const service = new VerificationService({ certificates, trustStore, clock, signatureChecker });
 * console.log((await service.verify({ identity: [] })).reasons[0]); // identity-absent
 * ```
 */
export class SignaturePool implements SignatureChecker, AsyncDisposable {
  readonly #threads: Thread[] = [];
  readonly #maxJobs: number;
  #jobs = 0;
  readonly #queue: Waiting[] = [];
  #isScheduled = false;
  #isClosed = false;

  /**
   * Starts the threads.
   * @param options - threads and room; defaults are one thread per processor and 16,384
   * @throws {@link HopbackError} `invalid-configuration` when a setting is out of range
   */
  constructor(
    options: {
      /** Threads that check signatures, 1 to 256. Default: one per processor. */
      readonly threads?: number;
      /** Jobs that may wait or be under way at a time; further ones are left unchecked at once. Default 16,384. */
      readonly maxJobs?: number;
    } = {},
  ) {
    const threads = inRange('threads', options.threads ?? availableParallelism(), MAX_THREADS);
    this.#maxJobs = inRange('maxJobs', options.maxJobs ?? MAX_JOBS_IN_POOL, MAX_POOL_JOBS);
    for (let index = 0; index < threads; index += 1) {
      const thread: Thread = {
        worker: openWorker(),
        batches: new Map(),
        keyNumbers: new Map(),
        nextId: 0,
        deaths: 0,
      };
      this.#threads.push(thread);
      this.#listen(thread);
    }
  }

  /** Checks signatures; never rejects. A job that finds no room, or whose thread dies, comes back undefined: not checked. */
  check(jobs: readonly SignatureJob[]): Promise<readonly (boolean | undefined)[]> {
    if (jobs.length === 0) return Promise.resolve([]);
    if (this.#isClosed || this.#jobs + jobs.length > this.#maxJobs) return Promise.resolve(jobs.map(() => undefined));
    this.#jobs += jobs.length;
    return new Promise((resolve) => {
      this.#queue.push({ jobs, resolve });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#dispatch();
      });
    });
  }

  /** Stops the threads; jobs that were not checked come back undefined. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giveUp(this.#queue.splice(0));
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Gives what waits to the threads with the least to do, in batches of even size. */
  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#leastBusy();
      if (thread === undefined) return;
      // A fair share of what waits, so that no thread idles while another has it all.
      const share = Math.ceil(this.#queue.length / this.#threads.length);
      send(thread, this.#queue.splice(0, Math.min(JOBS_PER_BATCH, share)));
    }
  }

  #leastBusy(): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread.batches.size < (best?.batches.size ?? BATCHES_PER_THREAD)) best = thread;
    }
    return best;
  }

  #listen(thread: Thread): void {
    const { worker } = thread;
    worker.on('message', (result: SignatureBatchResult) => {
      const waiting = thread.batches.get(result.id) ?? [];
      thread.batches.delete(result.id);
      thread.deaths = 0;
      if (thread.batches.size === 0) worker.unref();
      this.#settle(waiting, result.valid);
      this.#dispatch();
    });
    // A thread that dies has checked nothing of what it held; another takes its place.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      for (const waiting of thread.batches.values()) this.#giveUp(waiting);
      thread.batches.clear();
      if (this.#isClosed) return;
      thread.deaths += 1;
      if (thread.deaths < MAX_DEATHS) this.#revive(thread);
      else this.#retire(thread);
      this.#dispatch();
    });
  }

  #revive(thread: Thread): void {
    thread.worker = openWorker();
    thread.keyNumbers.clear();
    this.#listen(thread);
  }

  /** A thread that cannot live is not started for ever; with the last one the pool stops checking, and says so by undefined. */
  #retire(thread: Thread): void {
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    if (this.#threads.length > 0) return;
    this.#isClosed = true;
    this.#giveUp(this.#queue.splice(0));
  }

  #settle(waiting: readonly Waiting[], valid: Uint8Array): void {
    let at = 0;
    for (const { jobs, resolve } of waiting) {
      const from = at;
      resolve(jobs.map((_job, index) => valid[from + index] === 1));
      at += jobs.length;
      this.#jobs -= jobs.length;
    }
  }

  #giveUp(waiting: readonly Waiting[]): void {
    for (const { jobs, resolve } of waiting) {
      this.#jobs -= jobs.length;
      resolve(jobs.map(() => undefined));
    }
  }
}

interface Waiting {
  readonly jobs: readonly SignatureJob[];
  readonly resolve: (results: readonly (boolean | undefined)[]) => void;
}

interface Thread {
  worker: Worker;
  /** Batches under way, oldest first. */
  readonly batches: Map<number, readonly Waiting[]>;
  readonly keyNumbers: Map<KeyObject, number>;
  nextId: number;
  /** Times in a row that the thread ended without having answered. */
  deaths: number;
}

const MAX_DEATHS = 3;
const MAX_THREADS = 256;
const MAX_POOL_JOBS = 1_000_000;
/** A thread works on one batch while the next one waits; more would only take time from jobs that come later. */
const BATCHES_PER_THREAD = 2;
/** 64 signatures take some 5 ms: as long as a job may wait behind others of its batch. */
const JOBS_PER_BATCH = 64;
/** Certificates in use at a time; past it a thread starts afresh, which costs it a few hundred imports of keys. */
const MAX_KEYS_PER_THREAD = 4096;

function inRange(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new HopbackError('invalid-configuration', `${name} must be an integer from 1 to ${String(max)}`);
}

function send(thread: Thread, waiting: readonly Waiting[]): void {
  const jobs = waiting.flatMap((entry) => entry.jobs);
  const forgetKeys = thread.keyNumbers.size + jobs.length > MAX_KEYS_PER_THREAD;
  if (forgetKeys) thread.keyNumbers.clear();
  const keys: NumberedKey[] = [];
  const packed = packJobs(jobs, ({ publicKey }) => {
    const known = thread.keyNumbers.get(publicKey);
    if (known !== undefined) return known;
    const number = thread.keyNumbers.size;
    thread.keyNumbers.set(publicKey, number);
    keys.push({ number, spki: publicKey.export({ type: 'spki', format: 'der' }) });
    return number;
  });
  const id = thread.nextId;
  thread.nextId += 1;
  thread.batches.set(id, waiting);
  const batch: SignatureBatch = {
    id,
    count: jobs.length,
    keys,
    forgetKeys,
    packed,
  };
  thread.worker.postMessage(batch, [packed.buffer]);
  thread.worker.ref();
}

/** An idle pool must not keep a process alive; one with work does, since somebody waits for it. */
function openWorker(): Worker {
  const worker = new Worker(new URL('./signature-thread.js', import.meta.url));
  worker.unref();
  return worker;
}
