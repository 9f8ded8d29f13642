import type { KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { MACHINE_CLOCK, timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import type { Spc } from '../../core/telephone-number.js';
import { HopbackError } from '../../errors.js';
import { sameChain } from '../certificates/certificate.js';
import type { Certificate } from '../certificates/certificate.js';
import {
  CERTIFICATE_CHAIN_MAX_BYTES,
  DEFAULT_SIGNATURE_ALGORITHMS,
  checkSignature,
  parseCertificateChain,
} from '../certificates/parse-certificate.js';
import { createPathMemory, extendPath, namesChain, startPath } from '../certificates/path.js';
import type { PathFailure, PathFailureReason, PathRules } from '../certificates/path.js';
import { checkX5uUrl } from '../certificates/x5u-url-policy.js';
import type { X5uAllowList } from '../certificates/x5u-url-policy.js';
import { tell } from '../../core/runtime/deadline.js';

/** What a provider signs with, apart from the key: its certificate, the path above it, and where both are published. */
export interface SigningCertificate {
  /** The provider's own certificate. */
  readonly certificate: Certificate;
  /** Everything that the x5u serves, end entity first, each certificate issued by the next. */
  readonly chain: readonly Certificate[];
  /** Where verifiers fetch the chain: goes into each PASSporT. @see RFC 8225 section 4.4 */
  readonly x5u: string;
}

/** Where an authentication service gets its certificate from, at every signature anew. */
export interface CertificateSource {
  /** The certificate in force, the same object for as long as it does not change; undefined while there is none. Does no IO. */
  readonly current: () => SigningCertificate | undefined;
  /** Calls the listener with each certificate that comes into force from now on; the returned function ends that. */
  readonly subscribe?: (listener: (certificate: SigningCertificate) => void) => () => void;
}

/** A chain and its address, not looked at yet. */
export interface SigningCertificateText {
  /** PEM, end entity first, at most 16 KiB. */
  readonly chainPem: string | Uint8Array;
  /** The https URL that serves this chain, or how it is made of the provider's certificate. */
  readonly x5u: string | ((certificate: Certificate) => string);
  /** Exceptions for laboratories; default none. */
  readonly x5uPolicy?: { readonly allow?: X5uAllowList };
}

/**
 * Reads a chain the way a verifier will, each certificate issued and signed by the next, and its x5u against the same URL rules that
 * verifiers apply. Read is not trusted: no anchor is asked.
 * @see RFC 8226 section 7, ATIS-1000074 (x5u)
 */
export function readSigningCertificate(text: SigningCertificateText) {
  const parsed = parseCertificateChain(text.chainPem);
  if (parsed.status === 'malformed') return unusable('chain-malformed', `${parsed.reason}: ${parsed.detail}`);
  const { chain } = parsed;
  const [certificate] = chain;
  if (certificate === undefined) return unusable('chain-malformed', 'no certificate');
  const gap = chain.findIndex((issued, index) => !isIssuedBy(issued, chain[index + 1]));
  if (gap >= 0) {
    return unusable(
      'chain-out-of-order',
      `certificate ${String(gap + 1)} is not issued by certificate ${String(gap + 2)}`,
    );
  }
  const x5u = typeof text.x5u === 'string' ? text.x5u : text.x5u(certificate);
  const url = checkX5uUrl(x5u, text.x5uPolicy);
  if (url.status === 'refused') return unusable('x5u-refused', `${url.reason}: ${url.detail}`);
  const signingCertificate: SigningCertificate = { certificate, chain, x5u };
  return { status: 'read', signingCertificate } as const;
}

/**
 * A source whose certificate never changes.
 * @param options - the chain and where it is published
 * @returns the source; it always gives the same object
 * @throws {@link HopbackError} `certificate-unusable` when the chain cannot be read or is out of order,
 * `invalid-configuration` when the x5u is no URL that verifiers fetch
 * @see RFC 8225 section 4.4, RFC 8226 section 7
 * @example
 * ```ts
 * const pki = new TestPki();
 * const { chainPem } = pki.issueServiceProvider({ spc: '1234' });
 * const source = createStaticCertificateSource({ chainPem, x5u: 'https://certificates.example.com/1234.pem' });
 * // The provider's own certificate and the intermediate CA above it.
 * console.log(source.current()?.chain.length); // 2
 * ```
 */
export function createStaticCertificateSource(options: SigningCertificateText): CertificateSource {
  const signingCertificate = requireSigningCertificate(readSigningCertificate(options));
  return { current: () => signingCertificate };
}

/**
 * The certificate of a result.
 * @throws {@link HopbackError} as {@link createStaticCertificateSource}
 */
function requireSigningCertificate(result: ReturnType<typeof readSigningCertificate>): SigningCertificate {
  if (result.status === 'read') return result.signingCertificate;
  const { reason, detail } = result;
  if (reason === 'x5u-refused') {
    throw new HopbackError('invalid-configuration', `The x5u is no URL that verifiers fetch: ${detail}.`, {
      details: { reason },
    });
  }
  throw new HopbackError('certificate-unusable', `The certificate chain cannot be used: ${detail}.`, {
    details: { reason },
  });
}

/** By name and signature: a CA that was exchanged for another of the same name is no issuer. */
function isIssuedBy(issued: Certificate, issuer: Certificate | undefined): boolean {
  if (issuer === undefined) return true;
  return namesChain(issued, issuer) && checkSignature(issued, issuer) !== 'invalid';
}

const unusable = (reason: 'chain-malformed' | 'chain-out-of-order' | 'x5u-refused', detail: string) =>
  ({ status: 'unusable', reason, detail }) as const;

/** Why a certificate must not be signed under. */
export type CredentialRefusal =
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'key-mismatch'
  | 'spc-mismatch'
  /** Verifiers would refuse it whatever the time: self-signed, wrong key usage, a link that the next did not sign. */
  | 'certificate-unsuitable';

/** A certificate that must not be used: what it would have to be, and what it is. */
interface CredentialProblem {
  readonly reason: CredentialRefusal;
  readonly expected: string;
  readonly actual: string;
}

/** Whose certificate it has to be: the TNAuthList must have the code, and the key is the signer's, P-256. */
interface CredentialOwner {
  readonly spc: Spc;
  readonly publicKey: KeyObject;
}

/** What of a certificate does not depend on the time: worked out once, for every signature under it. */
export interface Credential {
  readonly signingCertificate: SigningCertificate;
  /** Key, SPC or certificate that must not be used at any time; undefined when all may. */
  readonly problem: CredentialProblem | undefined;
  /** From when every certificate of the chain is valid, milliseconds since the epoch, included. */
  readonly notBeforeMs: number;
  /** Until when every certificate of the chain is valid, milliseconds since the epoch, included. */
  readonly notAfterMs: number;
}

/**
 * Compares a certificate with the key that would sign and the provider that would be named by the signature, and makes the checks
 * that every verifier will make and that no later time changes: key usage, critical extensions, each link signed by the next.
 * @see RFC 8224 section 4 (authority over the identity), 47 CFR 64.6301 (own certificate), RFC 8226 section 9, RFC 5280 section 6.1
 */
export function examineCredential(signingCertificate: SigningCertificate, owner: CredentialOwner): Credential {
  const { certificate, chain } = signingCertificate;
  let notBeforeMs = -Infinity;
  let notAfterMs = Infinity;
  for (const link of chain) {
    notBeforeMs = Math.max(notBeforeMs, link.notBeforeMs);
    notAfterMs = Math.min(notAfterMs, link.notAfterMs);
  }
  return {
    signingCertificate,
    problem: keyProblem(certificate, owner) ?? spcProblem(certificate, owner) ?? chainProblem(signingCertificate),
    notBeforeMs,
    notAfterMs,
  };
}

/** Whether a signature may be made under a certificate at an instant. @see RFC 8224 section 6.1 step 3, RFC 5280 section 4.1.2.5 */
export function credentialProblem(credential: Credential, nowMs: number): CredentialProblem | undefined {
  if (credential.problem !== undefined) return credential.problem;
  // Written so that NaN, which compares as false with everything, is refused.
  if (!(nowMs <= credential.notAfterMs)) {
    return { reason: 'certificate-expired', expected: `not after ${iso(credential.notAfterMs)}`, actual: iso(nowMs) };
  }
  if (!(nowMs >= credential.notBeforeMs)) {
    const expected = `not before ${iso(credential.notBeforeMs)}`;
    return { reason: 'certificate-not-yet-valid', expected, actual: iso(nowMs) };
  }
  return undefined;
}

function keyProblem(certificate: Certificate, owner: CredentialOwner): CredentialProblem | undefined {
  if (certificate.publicKey.equals(owner.publicKey)) return undefined;
  return {
    reason: 'key-mismatch',
    expected: 'the public key of the signer',
    actual: `the key of certificate ${certificate.sha256}`,
  };
}

function spcProblem(certificate: Certificate, owner: CredentialOwner): CredentialProblem | undefined {
  const spcs = (certificate.tnAuthList ?? []).flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
  if (spcs.includes(owner.spc)) return undefined;
  return { reason: 'spc-mismatch', expected: owner.spc, actual: spcs.length === 0 ? 'no SPC' : spcs.join(', ') };
}

/** The path checks of verification over the chain as published, but for dates, revocation and the anchor above it. */
function chainProblem({ certificate, chain }: SigningCertificate): CredentialProblem | undefined {
  const [target, ...issuers] = chain;
  if (target?.sha256 !== certificate.sha256) {
    return unsuitable('the certificate first in its chain', target?.sha256 ?? 'an empty chain');
  }
  // A root may vouch for itself, whoever signs calls may not.
  if (isSelfIssued(target)) return unsuitable('a certificate of another issuer', 'a self-signed certificate');
  const memory = createPathMemory(DEFAULT_SIGNATURE_ALGORITHMS);
  const rules: PathRules = { ...TIMELESS_RULES, atMs: target.notBeforeMs, memory };
  let path = startPath(target, rules);
  for (const [at, issuer] of issuers.entries()) {
    path = extendPath(path, issuer, { ...rules, isAnchor: at === issuers.length - 1 && isSelfIssued(issuer) });
  }
  const failure = path.failures.find(({ reason }) => !OF_THE_HOUR.has(reason));
  return failure === undefined ? undefined : unsuitable(expectedOf(failure), actualOf(failure));
}

const TIMELESS_RULES: Omit<PathRules, 'atMs' | 'memory'> = {
  purpose: 'passport',
  algorithms: DEFAULT_SIGNATURE_ALGORITHMS,
  revocation: () => ({ status: 'unknown', detail: 'not looked at before signing' }),
};

/** Asked at every signature instead. */
const OF_THE_HOUR: ReadonlySet<PathFailureReason> = new Set(['certificate-expired', 'certificate-not-yet-valid']);

const isSelfIssued = ({ issuer, subject }: Certificate): boolean => issuer.canonical === subject.canonical;

const unsuitable = (expected: string, actual: string): CredentialProblem => ({
  reason: 'certificate-unsuitable',
  expected,
  actual,
});

const expectedOf = ({ expected }: PathFailure): string =>
  expected === undefined ? 'a chain that verifiers accept' : String(expected);

const actualOf = ({ reason, certificateSha256, actual }: PathFailure): string =>
  `${reason}${actual === undefined ? '' : ` (${String(actual)})`} of certificate ${certificateSha256}`;

/** Years beyond 9999 are not dates that a certificate can carry, but a clock can be anything. */
function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

/** Settings of {@link FileCertificateSource}. */
export interface FileCertificateSourceOptions extends Omit<SigningCertificateText, 'chainPem'> {
  /** A PEM file: end entity first, then everything above it that verifiers need. */
  readonly path: string;
  /**
   * Whose certificate it has to be. A file that comes too early, with the certificate of a key that is not in
   * use yet, is then left alone instead of stopping every signature.
   */
  readonly owner?: {
    readonly spc: Spc;
    readonly publicKey: KeyObject;
    /** Says whether it is in force. Default: the machine's. */
    readonly clock?: Clock;
  };
}

/**
 * A source that holds what a file held when it was last read and found good. It reads again when `reload` is called, and holds neither
 * file nor timer in between.
 * @see RFC 8226 section 7
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const path = `${directory}/chain.pem`;
 * const pki = new TestPki();
 * await writeFile(path, pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * const source = await FileCertificateSource.open({ path, x5u: 'https://certificates.example.com/1234.pem' });
 * await writeFile(path, pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * console.log((await source.reload()).status); // changed
 * await rm(directory, { recursive: true });
 * ```
 */
export class FileCertificateSource implements CertificateSource {
  readonly #options: FileCertificateSourceOptions;
  #current: SigningCertificate;
  readonly #listeners = new Set<(certificate: SigningCertificate) => void>();
  #running: Promise<CertificateReload> | undefined;
  #queued: Promise<CertificateReload> | undefined;

  private constructor(options: FileCertificateSourceOptions, current: SigningCertificate) {
    this.#options = { ...options };
    this.#current = current;
  }

  /**
   * Reads the file for the first time.
   * @param options - the file and where its content is published
   * @throws {@link HopbackError} `storage-failed` when the file cannot be read at first, `certificate-unusable` when it holds no usable
   * chain or another owner's, `invalid-configuration` when the x5u is refused
   */
  static async open(options: FileCertificateSourceOptions): Promise<FileCertificateSource> {
    const first = await readChain(options);
    if (first.status === 'unreadable') {
      const { cause } = first;
      throw new HopbackError('storage-failed', 'The certificate file cannot be read.', {
        retryable: true,
        cause,
      });
    }
    const current = requireSigningCertificate(first);
    const refusal = ownerProblem(current, options.owner);
    if (refusal !== undefined) {
      const { reason, detail } = refusal;
      throw new HopbackError('certificate-unusable', `The certificate must not be used for signing: ${detail}.`, {
        details: { reason },
      });
    }
    return new FileCertificateSource(options, current);
  }

  /** The certificate in force. */
  current(): SigningCertificate {
    return this.#current;
  }

  /** Calls the listener with each certificate that comes into force from now on; the returned function ends that. */
  subscribe(listener: (certificate: SigningCertificate) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Reads the file again, from after the call: what the file held then is in force when the promise resolves. Calls during a reading
   * share the next one, since the one under way may have looked already. Never rejects.
   */
  reload(): Promise<
    /** With `changed`, another certificate, path or x5u is in force. */
    | { readonly status: 'changed' | 'unchanged'; readonly signingCertificate: SigningCertificate }
    /** The file cannot be used; what was in force stays in force. `detail` is for people. */
    | {
        readonly status: 'kept';
        readonly signingCertificate: SigningCertificate;
        readonly reason: 'unreadable' | 'chain-malformed' | 'chain-out-of-order' | 'x5u-refused' | CredentialRefusal;
        readonly detail: string;
      }
  > {
    if (this.#queued !== undefined) return this.#queued;
    if (this.#running === undefined) return this.#startReading();
    const again = (): Promise<CertificateReload> => this.#startReading();
    this.#queued = this.#running.then(again, again);
    return this.#queued;
  }

  #startReading(): Promise<CertificateReload> {
    this.#queued = undefined;
    const run = this.#readAgain().finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }

  async #readAgain(): Promise<CertificateReload> {
    const { owner } = this.#options;
    const outcome = judgeReload(this.#current, await readChain(this.#options), owner);
    if (outcome.status !== 'changed') return outcome;
    this.#current = outcome.signingCertificate;
    for (const listener of this.#listeners) tell(listener, this.#current);
    return outcome;
  }
}

type CertificateReload = Awaited<ReturnType<FileCertificateSource['reload']>>;

type ChainReading =
  ReturnType<typeof readSigningCertificate> | { readonly status: 'unreadable'; readonly cause: unknown };

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
    const detail = reading.cause instanceof Error ? reading.cause.message : 'no reason given';
    return { ...kept, reason: 'unreadable', detail };
  }
  if (reading.status === 'unusable') return { ...kept, reason: reading.reason, detail: reading.detail };
  const { signingCertificate } = reading;
  const isSame = current.x5u === signingCertificate.x5u && sameChain(current.chain, signingCertificate.chain);
  if (isSame) return { status: 'unchanged', signingCertificate: current };
  const refusal = ownerProblem(signingCertificate, owner);
  return refusal === undefined ? { status: 'changed', signingCertificate } : { ...kept, ...refusal };
}

function ownerProblem(
  signingCertificate: SigningCertificate,
  owner: FileCertificateSourceOptions['owner'],
): { readonly reason: CredentialRefusal; readonly detail: string } | undefined {
  if (owner === undefined) return undefined;
  const problem = credentialProblem(
    examineCredential(signingCertificate, owner),
    timeOf(owner.clock ?? MACHINE_CLOCK) ?? Number.NaN,
  );
  return problem === undefined
    ? undefined
    : { reason: problem.reason, detail: `${problem.actual}, expected ${problem.expected}` };
}
