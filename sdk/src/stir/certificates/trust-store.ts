import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MACHINE_CLOCK, timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from './certificate.js';
import { CRL_MAX_BYTES, parseCrl } from './crl.js';
import type { CertificateRevocationList } from './crl.js';
import { parseCertificateBody } from './parse-certificate.js';
import type { X5uFailure, X5uRefusal } from './repository.js';
import { createRevocationSet } from './revocation.js';
import type { RefusedCrl, RevocationSet } from './revocation.js';
import { STI_PA_LIST_MAX_CHARS, verifyStiPaList } from './sti-pa-list.js';
import type { StiPaListFailureReason } from './sti-pa-list.js';

/**
 * Something that went wrong while a trust store was refreshed. `url` is what was fetched, `detail` is for people.
 * - `list`: the signed list could not be fetched or was refused. `expired` is also said of the list in use, once it has ended.
 * - `signer-chain`: what the `x5u` of the list names could not be fetched or holds no certificates.
 * - `crl`: a CRL could not be fetched or was refused; `out-of-date` is said of one in use that calls no certificate good any more.
 * - `crl-signer`: the signer of a CRL, which its AuthorityInfoAccess names, could not be fetched or holds no certificates.
 * - `cache`: the cache file could not be read or written, holds something else, or a list that is refused.
 * - `clock`: the clock gives no time, and without one nothing can be judged.
 */
export type TrustStoreProblem =
  | {
      readonly part: 'list';
      readonly reason: X5uRefusal | X5uFailure | StiPaListFailureReason;
      readonly url: string;
      readonly detail: string;
    }
  | {
      readonly part: 'signer-chain' | 'crl-signer';
      readonly reason: X5uRefusal | X5uFailure;
      readonly url: string;
      readonly detail: string;
    }
  | {
      readonly part: 'crl';
      readonly reason: X5uRefusal | X5uFailure | RefusedCrl['reason'] | 'out-of-date';
      /** Absent where it is not known which fetch the CRL came from, as for one that was in use before. */
      readonly url?: string;
      readonly detail: string;
    }
  | {
      readonly part: 'cache';
      readonly reason: 'unreadable' | 'malformed' | 'not-written' | StiPaListFailureReason;
      readonly detail: string;
    }
  | {
      readonly part: 'clock';
      readonly reason: 'no-time';
      readonly detail: string;
    };

/**
 * What certificates are judged by at one time: who may issue, what lies between, what was revoked. An immutable snapshot; a reload makes
 * a new one, and `version` tells whether results that were kept still hold.
 */
export interface TrustStore {
  /** Same content, same version: 32 hex digits. */
  readonly version: string;
  /** CA certificates, each once; never empty. */
  readonly anchors: readonly Certificate[];
  /** CA certificates that a path may go through beside those of its chain, each once. */
  readonly intermediates: readonly Certificate[];
  readonly revocation: RevocationSet;
  readonly source:
    | {
        readonly kind: 'sti-pa-list';
        readonly sequence: number;
        readonly expMs: number;
      }
    | { readonly kind: 'files' };
}

/**
 * Makes a snapshot of what is trusted. No anchors means that nothing can be verified, never that everything is trusted.
 * @param options - anchors, where they come from, what lies between and what was revoked; certificates given twice count once
 * @returns the store, frozen
 * @throws {@link HopbackError} `trust-list-rejected` when there is no anchor, or one that is no CA certificate
 * @see RFC 5280 section 6.1.1 (d), ATIS-1000080 section 6.3.3
 * @example
 * ```ts
 * const pki = new TestPki();
 * const root = parseCertificate(pki.root.der);
 * const anchors = root.status === 'parsed' ? [root.certificate] : [];
 * const store = createTrustStore({ anchors, source: { kind: 'files' } });
 * console.log(store.anchors.length, store.version.length); // 1 32
 * ```
 */
export function createTrustStore(options: {
  /** CA certificates, at least one. */
  readonly anchors: readonly Certificate[];
  readonly source: TrustStore['source'];
  /** CA certificates that a path may go through beside those of its chain. Default none. */
  readonly intermediates?: readonly Certificate[];
  /** Default: a set without CRLs, for which every certificate's status is unknown. */
  readonly revocation?: RevocationSet;
}): TrustStore {
  const anchors = distinct(options.anchors);
  if (anchors.length === 0)
    throw new HopbackError('trust-list-rejected', 'a trust store needs at least one trust anchor');
  const notCa = anchors.find(({ isCa }) => !isCa);
  if (notCa !== undefined) {
    throw new HopbackError('trust-list-rejected', `trust anchor ${notCa.subject.text} is not a CA certificate`, {
      details: { certificateSha256: notCa.sha256 },
    });
  }
  const intermediates = distinct(options.intermediates ?? []);
  const revocation = options.revocation ?? createRevocationSet([], { atMs: 0, issuers: [] });
  return Object.freeze({
    version: versionOf(anchors, intermediates, revocation),
    anchors,
    intermediates,
    revocation,
    source: options.source,
  });
}

function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.sha256, certificate])).values()];
}

function versionOf(
  anchors: readonly Certificate[],
  intermediates: readonly Certificate[],
  revocation: RevocationSet,
): string {
  const parts = [anchors, intermediates, revocation.crls.map(({ crl }) => crl)].map((items) =>
    items
      .map(({ sha256 }) => sha256)
      .sort()
      .join(' '),
  );
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

/** What a trust store is made of, parsed and not verified yet; from files, from the network or from a cache. */
export interface TrustStoreMaterial {
  /** Certificates that are trusted as they are, or the policy administrator's signed list. */
  readonly anchors:
    | {
        readonly kind: 'certificates';
        readonly certificates: readonly Certificate[];
        readonly source: TrustStore['source'];
      }
    | {
        readonly kind: 'sti-pa-list';
        readonly jws: string;
        readonly signerChain?: readonly Certificate[];
      };
  readonly stiPaRoots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly crlSigners: readonly Certificate[];
}

/** When something is verified, and which store it would replace. */
export interface TrustStoreContext {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly previous: TrustStore | undefined;
}

type RejectedList = {
  readonly status: 'rejected';
  readonly reason: StiPaListFailureReason;
  readonly detail: string;
};

/** Who may issue, verified. */
export interface VerifiedAnchors {
  readonly status: 'accepted';
  readonly anchors: readonly Certificate[];
  readonly source: TrustStore['source'];
}

/**
 * The one way from what was read or fetched to a trust store: verifies the signed list and every CRL, and goes back to nothing older than
 * the store before. Never throws for what a list and CRLs hold.
 * @throws {@link HopbackError} `trust-list-rejected` where no anchor was given, or one that is no CA; `invalid-argument` for too many CRLs
 */
export async function verifyTrustStore(
  material: TrustStoreMaterial,
  context: TrustStoreContext,
): Promise<{ readonly status: 'accepted'; readonly trustStore: TrustStore } | RejectedList> {
  const revocation = revocationSetOf(material, material.stiPaRoots, context);
  const verified = await verifyTrustAnchors(material, { ...context, revocation });
  if (verified.status === 'rejected') return verified;
  return { status: 'accepted', trustStore: trustStoreOf(verified, material, context) };
}

/** The second part of {@link verifyTrustStore}: verifies the CRLs beside anchors that were verified. */
export function trustStoreOf(
  { anchors, source }: Omit<VerifiedAnchors, 'status'>,
  material: Omit<TrustStoreMaterial, 'anchors'>,
  context: TrustStoreContext,
): TrustStore {
  const { intermediates, stiPaRoots } = material;
  // With the roots of the policy administrator, whose own CRLs say which signers of lists are revoked.
  const revocation = revocationSetOf(material, [...anchors, ...intermediates, ...stiPaRoots], context);
  return createTrustStore({
    anchors,
    intermediates,
    revocation,
    source,
  });
}

function revocationSetOf(
  { crls, crlSigners, stiPaRoots }: Omit<TrustStoreMaterial, 'anchors'>,
  issuers: readonly Certificate[],
  { atMs, previous }: TrustStoreContext,
): RevocationSet {
  const before = previous && { previous: crlsOf(previous.revocation) };
  return createRevocationSet(crls, {
    atMs,
    issuers,
    stiPaRoots,
    signers: crlSigners,
    ...before,
  });
}

/** A set may hold on to the one before it; to that its CRLs alone, so that a process with many reloads does not hold all that ever were. */
function crlsOf({ crls }: RevocationSet): RevocationSet {
  return { crls, refused: [], lookup: () => ({ status: 'unknown', detail: 'replaced by another set' }) };
}

/**
 * The first part of {@link verifyTrustStore}: verifies the list where the anchors come from one. A list whose signer is revoked is rejected; a
 * signer of unknown status does not matter.
 */
export async function verifyTrustAnchors(
  { anchors, stiPaRoots }: Pick<TrustStoreMaterial, 'anchors' | 'stiPaRoots'>,
  { atMs, previous, revocation }: TrustStoreContext & { readonly revocation: RevocationSet | undefined },
): Promise<VerifiedAnchors | RejectedList> {
  if (anchors.kind === 'certificates')
    return { status: 'accepted', anchors: anchors.certificates, source: anchors.source };
  const { jws, signerChain } = anchors;
  const last = previous?.source.kind === 'sti-pa-list' ? previous.source : undefined;
  const result = await verifyStiPaList(jws, {
    stiPaRoots,
    atMs,
    ...defined({ signerChain, lastSequence: last?.sequence, lastExpMs: last?.expMs }),
    ...(revocation && {
      revocation: (certificate: Certificate, issuer: Certificate) => revocation.lookup(certificate, issuer, atMs),
    }),
  });
  if (result.status === 'rejected') return { status: 'rejected', reason: result.reason, detail: result.detail };
  const { sequence, expMs, anchors: listed } = result.list;
  return { status: 'accepted', anchors: listed, source: { kind: 'sti-pa-list', sequence, expMs } };
}

/** Most bytes of one certificate file: a bundle of a few hundred CA certificates. */
const CERTIFICATE_FILE_MAX_BYTES: number = 1024 * 1024;

/** Most certificates in one file, and most files in one directory. */
const CERTIFICATE_FILE_MAX_CERTIFICATES = 1_000;

/** Names of the files that are read from a directory; everything else there is left alone. */
const CERTIFICATE_FILE = /\.(?:pem|crt|cer)$/i;

/** Paths of what a trust store is loaded from. A path of certificates is a PEM or DER file, or a directory of `.pem`, `.crt` and `.cer` files. */
export interface TrustStoreFiles {
  /** Where the certificates of the STI-CAs come from: certificate files as they are, or the policy administrator's signed list. */
  readonly anchors:
    | { readonly kind: 'files'; readonly paths: readonly string[] }
    | {
        readonly kind: 'sti-pa-list';
        /** The signed list as downloaded: JWS compact. */
        readonly path: string;
        /** Certificates of the signer, end entity first. Default: those in the list's `x5c`. */
        readonly signerChainPath?: string;
      };
  /** Roots of the policy administrator, for the signed list and for the indirect CRL; paths of certificates, default none. */
  readonly stiPaRoots?: readonly string[];
  /** CA certificates that a path may go through beside those of its chain; paths of certificates, default none. */
  readonly intermediates?: readonly string[];
  /** CRL files, PEM or DER; default none, so that nothing is known of revocation. */
  readonly crls?: readonly string[];
  /** Certificates of CRL signers; paths of certificates, default none. */
  readonly crlSigners?: readonly string[];
}

/**
 * Loads a trust store from files. A certificate or CRL that cannot be parsed fails the whole load, so that the store in use stays; a CRL
 * that parses and cannot be trusted is listed in `revocation.refused`.
 * @param files - paths
 * @param options - clock, and the store to be replaced
 * @returns the new store, beside the one in use; hand it to `useTrustStore` of a verification service
 * @throws {@link HopbackError} `invalid-configuration` for a clock that gives no time, `storage-failed` when a file cannot be read, `trust-list-rejected` when its content is refused or
 *   no anchor is left
 * @see ATIS-1000080 section 6.3.3, ATIS-1000084, RFC 5280 section 6.1.1 (d)
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const pki = new TestPki();
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await writeFile(`${directory}/list.jws`, pki.trustList({ withX5c: true }).jws);
 * await writeFile(`${directory}/sti-pa.pem`, pki.stiPaRoot.certificatePem);
 * const store = await loadTrustStore(
 *   { anchors: { kind: 'sti-pa-list', path: `${directory}/list.jws` }, stiPaRoots: [`${directory}/sti-pa.pem`] },
 *   { clock: new ManualClock() },
 * );
 * await rm(directory, { recursive: true });
 * console.log(store.source.kind, store.anchors.length); // sti-pa-list 1
 * ```
 */
export async function loadTrustStore(
  files: TrustStoreFiles,
  options: {
    /** Says at which instant the list and the signers of CRLs are checked. Default: the machine's. */
    readonly clock?: Clock;
    /** The store in use: its list is not replaced by an older one, nor are its CRLs. */
    readonly previous?: TrustStore;
  } = {},
): Promise<TrustStore> {
  const atMs = timeOf(options.clock ?? MACHINE_CLOCK);
  if (atMs === undefined) throw new HopbackError('invalid-configuration', 'The clock gives no time.');
  const [stiPaRoots, intermediates, crlSigners, crls] = await Promise.all([
    readCertificates(files.stiPaRoots),
    readCertificates(files.intermediates),
    readCertificates(files.crlSigners),
    Promise.all((files.crls ?? []).map(readCrl)),
  ]);
  const anchors = await readAnchors(files.anchors);
  const material = {
    anchors,
    stiPaRoots,
    intermediates,
    crls,
    crlSigners,
  };
  const result = await verifyTrustStore(material, { atMs, previous: options.previous });
  if (result.status === 'accepted') return result.trustStore;
  throw listRejected(files.anchors, result);
}

async function readAnchors(anchors: TrustStoreFiles['anchors']): Promise<TrustStoreMaterial['anchors']> {
  if (anchors.kind === 'files') {
    const certificates = await readCertificates(anchors.paths);
    return { kind: 'certificates', certificates, source: { kind: 'files' } };
  }
  const { path, signerChainPath } = anchors;
  const jws = (await read(path, STI_PA_LIST_MAX_CHARS)).toString('latin1');
  if (signerChainPath === undefined) return { kind: 'sti-pa-list', jws };
  return { kind: 'sti-pa-list', jws, signerChain: await readCertificateFile(signerChainPath) };
}

function listRejected(anchors: TrustStoreFiles['anchors'], { reason, detail }: RejectedList): HopbackError {
  const path = anchors.kind === 'files' ? anchors.paths.join(', ') : anchors.path;
  return new HopbackError('trust-list-rejected', `the list of STI-CAs in ${path} was refused: ${reason} (${detail})`, {
    details: { path, reason },
  });
}

/** Whether two stores judge alike, and for as long. The version is that of the content; a list that was signed anew with the same content lasts longer, and so may a CRL by its signer. */
export function saysTheSame(one: TrustStore, other: TrustStore): boolean {
  const terms = ({ version, source, revocation }: TrustStore): string =>
    JSON.stringify([
      version,
      source,
      revocation.crls.map(({ crl, usableUntilMs }) => `${crl.sha256} ${usableUntilMs}`).sort(),
    ]);
  return terms(one) === terms(other);
}

/** @throws {@link HopbackError} `storage-failed` for a path that cannot be read, `trust-list-rejected` for one without certificates */
export async function readCertificates(paths: readonly string[] | undefined): Promise<readonly Certificate[]> {
  const files = (await Promise.all((paths ?? []).map(filesAt))).flat();
  return (await Promise.all(files.map(readCertificateFile))).flat();
}

async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => CERTIFICATE_FILE.test(name)).sort();
    if (names.length > CERTIFICATE_FILE_MAX_CERTIFICATES) {
      throw new HopbackError(
        'trust-list-rejected',
        `${path} has more than ${CERTIFICATE_FILE_MAX_CERTIFICATES} certificate files`,
        { details: { path } },
      );
    }
    return names.map((name) => join(path, name));
  } catch (error) {
    throw error instanceof HopbackError ? error : unreadable(path, error);
  }
}

async function readCertificateFile(path: string): Promise<readonly Certificate[]> {
  const body = await read(path, CERTIFICATE_FILE_MAX_BYTES);
  const result = parseCertificateBody(body, {
    maxBytes: CERTIFICATE_FILE_MAX_BYTES,
    maxCertificates: CERTIFICATE_FILE_MAX_CERTIFICATES,
  });
  if (result.status === 'malformed') {
    throw new HopbackError('trust-list-rejected', `${path} is not a certificate file: ${result.detail}`, {
      details: { path, reason: result.reason },
    });
  }
  return result.chain;
}

async function readCrl(path: string): Promise<CertificateRevocationList> {
  const result = parseCrl(await read(path, CRL_MAX_BYTES));
  if (result.status === 'parsed') return result.crl;
  throw new HopbackError('trust-list-rejected', `${path} is not a CRL: ${result.detail}`, {
    details: { path, reason: result.reason },
  });
}

async function read(path: string, maxBytes: number): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new HopbackError('trust-list-rejected', `${path} has ${size} bytes, at most ${maxBytes}`, {
        details: { path, size },
      });
    return await readFile(path);
  } catch (error) {
    throw error instanceof HopbackError ? error : unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): HopbackError {
  return new HopbackError('storage-failed', `${path} cannot be read: check that it exists and is readable`, {
    cause,
    details: { path },
    retryable: true,
  });
}
