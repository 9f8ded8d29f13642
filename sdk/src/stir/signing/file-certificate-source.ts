import { open } from 'node:fs/promises';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { CERTIFICATE_CHAIN_MAX_BYTES } from '../certificates/parse-certificate.js';
import { readSigningCertificate, requireSigningCertificate } from './certificate-source.js';
import type {
  CertificateSource,
  SigningCertificate,
  SigningCertificateResult,
  SigningCertificateText,
} from './certificate-source.js';
import { timeOf } from '../../core/runtime/clock.js';
import { credentialProblem, examineCredential } from './credential.js';
import type { CredentialOwner, CredentialRefusal } from './credential.js';

/** Settings of {@link createFileCertificateSource}. */
export interface FileCertificateSourceOptions extends Omit<SigningCertificateText, 'chainPem'> {
  /** A PEM file: end entity first, then everything above it that verifiers need. */
  readonly path: string;
  /**
   * Whose certificate it has to be, and by which clock. A file that comes too early, with the certificate of a key that is not in
   * use yet, is then left alone instead of stopping every signature.
   */
  readonly owner?: CredentialOwner & { readonly clock: Clock };
}

/** What a reload did. */
export type CertificateReload =
  /** Another certificate, path or x5u is in force. */
  | { readonly status: 'changed'; readonly signingCertificate: SigningCertificate }
  | { readonly status: 'unchanged'; readonly signingCertificate: SigningCertificate }
  /** The file cannot be used; what was in force stays in force. `detail` is for people. */
  | {
      readonly status: 'kept';
      readonly signingCertificate: SigningCertificate;
      readonly reason: 'unreadable' | 'chain-malformed' | 'chain-out-of-order' | 'x5u-refused' | CredentialRefusal;
      readonly detail: string;
    };

/** A source that reads its certificate from a file, when asked to. */
export interface FileCertificateSource extends CertificateSource {
  /**
   * Reads the file again, from after the call: what the file held then is in force when the promise resolves. Calls during a reading
   * share the next one. Never rejects.
   */
  readonly reload: () => Promise<CertificateReload>;
  /** As for every source, and always there. */
  readonly subscribe: NonNullable<CertificateSource['subscribe']>;
}

/**
 * Makes a source that holds what a file held when it was last read and found good.
 * @param options - the file and where its content is published
 * @returns the source; it reads again when `reload` is called, and holds neither file nor timer in between
 * @throws {@link HopbackError} `storage-failed` when the file cannot be read at first, `certificate-unusable` when it holds no usable
 * chain or another owner's, `invalid-configuration` when the x5u is refused
 * @see RFC 8226 section 7
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const path = `${directory}/chain.pem`;
 * const pki = await createTestPki();
 * await writeFile(path, pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * const source = await createFileCertificateSource({ path, x5u: 'https://certificates.example.com/1234.pem' });
 * await writeFile(path, pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * console.log((await source.reload()).status); // changed
 * await rm(directory, { recursive: true });
 * ```
 */
export async function createFileCertificateSource(
  options: FileCertificateSourceOptions,
): Promise<FileCertificateSource> {
  const first = await readChain(options);
  if (first.status === 'unreadable') {
    throw new HopbackError('storage-failed', 'The certificate file cannot be read.', {
      retryable: true,
      cause: first.cause,
    });
  }
  let current = requireSigningCertificate(first);
  const refusal = ownerProblem(current, options.owner);
  if (refusal !== undefined) {
    const { reason, detail } = refusal;
    throw new HopbackError('certificate-unusable', `The certificate must not be signed under: ${detail}.`, {
      details: { reason },
    });
  }
  const listeners = new Set<(certificate: SigningCertificate) => void>();
  const readAgain = async (): Promise<CertificateReload> => {
    const outcome = judgeReload(current, await readChain(options), options.owner);
    if (outcome.status !== 'changed') return outcome;
    current = outcome.signingCertificate;
    for (const listener of listeners) tell(listener, current);
    return outcome;
  };

  return {
    current: () => current,
    reload: oneAfterAnother(readAgain),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * Runs work once at a time. Who asks while it runs does not get the run that is under way, which may have looked already, but
 * the one after it.
 * @param work - never rejects
 */
function oneAfterAnother<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  let queued: Promise<Result> | undefined;
  const start = (): Promise<Result> => {
    queued = undefined;
    const run = work().finally(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };
  return () => {
    if (queued !== undefined) return queued;
    if (running === undefined) return start();
    queued = running.then(start, start);
    return queued;
  };
}

type ChainReading = SigningCertificateResult | { readonly status: 'unreadable'; readonly cause: unknown };

async function readChain(options: FileCertificateSourceOptions): Promise<ChainReading> {
  try {
    return readSigningCertificate({ ...options, chainPem: await readBounded(options.path) });
  } catch (cause) {
    return { status: 'unreadable', cause };
  }
}

/** One octet more than a chain may have tells that a file is too large, without reading all of it. */
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const octets = new Uint8Array(CERTIFICATE_CHAIN_MAX_BYTES + 1);
    let length = 0;
    while (length < octets.length) {
      const { bytesRead } = await file.read(octets, length, octets.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return octets.subarray(0, length);
  } finally {
    await file.close();
  }
}

function judgeReload(
  current: SigningCertificate,
  reading: ChainReading,
  owner: FileCertificateSourceOptions['owner'],
): CertificateReload {
  const kept = { status: 'kept', signingCertificate: current } as const;
  if (reading.status === 'unreadable') {
    return {
      ...kept,
      reason: 'unreadable',
      detail: reading.cause instanceof Error ? reading.cause.message : 'no reason given',
    };
  }
  if (reading.status === 'unusable') return { ...kept, reason: reading.reason, detail: reading.detail };
  const { signingCertificate } = reading;
  if (isSame(current, signingCertificate)) return { status: 'unchanged', signingCertificate: current };
  const refusal = ownerProblem(signingCertificate, owner);
  return refusal === undefined ? { status: 'changed', signingCertificate } : { ...kept, ...refusal };
}

function ownerProblem(
  signingCertificate: SigningCertificate,
  owner: FileCertificateSourceOptions['owner'],
): { readonly reason: CredentialRefusal; readonly detail: string } | undefined {
  if (owner === undefined) return undefined;
  const problem = credentialProblem(examineCredential(signingCertificate, owner), timeOf(owner.clock) ?? Number.NaN);
  return problem === undefined
    ? undefined
    : { reason: problem.reason, detail: `${problem.actual}, expected ${problem.expected}` };
}

function isSame(a: SigningCertificate, b: SigningCertificate): boolean {
  return (
    a.x5u === b.x5u &&
    a.chain.length === b.chain.length &&
    a.chain.every((link, at) => link.sha256 === b.chain[at]?.sha256)
  );
}

/** A listener that throws must not undo the reload nor keep the others from hearing of it. */
function tell(listener: (certificate: SigningCertificate) => void, certificate: SigningCertificate): void {
  try {
    listener(certificate);
  } catch {
    // What a listener does with the news is its own affair.
  }
}
