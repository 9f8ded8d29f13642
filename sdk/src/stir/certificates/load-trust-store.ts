import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { parseCertificateBody } from './certificate-body.js';
import type { Certificate } from './certificate.js';
import { CRL_MAX_BYTES, parseCrl } from './crl.js';
import type { CertificateRevocationList } from './crl.js';
import { STI_PA_LIST_MAX_CHARS } from './sti-pa-list.js';
import { verifyTrustStore } from './trust-store-material.js';
import type { TrustStoreMaterial, TrustStoreVerification } from './trust-store-material.js';
import type { TrustStore } from './trust-store.js';

/** Most bytes of one certificate file: a bundle of a few hundred CA certificates. */
export const CERTIFICATE_FILE_MAX_BYTES: number = 1024 * 1024;

/** Most certificates in one file, and most files in one directory. */
export const CERTIFICATE_FILE_MAX_CERTIFICATES = 1_000;

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

/** How a trust store is loaded. */
export interface LoadTrustStoreOptions {
  /** The instant that the list and the signers of CRLs are checked at. */
  readonly clock: Clock;
  /** The store in use: its list is not replaced by an older one, nor are its CRLs. */
  readonly previous?: TrustStore;
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
 * const pki = await createTestPki();
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await writeFile(`${directory}/list.jws`, pki.trustList({ withX5c: true }).jws);
 * await writeFile(`${directory}/sti-pa.pem`, pki.stiPaRoot.certificatePem);
 * const store = await loadTrustStore(
 *   { anchors: { kind: 'sti-pa-list', path: `${directory}/list.jws` }, stiPaRoots: [`${directory}/sti-pa.pem`] },
 *   { clock: createManualClock() },
 * );
 * await rm(directory, { recursive: true });
 * console.log(store.source.kind, store.anchors.length); // sti-pa-list 1
 * ```
 */
export async function loadTrustStore(files: TrustStoreFiles, options: LoadTrustStoreOptions): Promise<TrustStore> {
  const atMs = timeOf(options.clock);
  if (atMs === undefined) throw new HopbackError('invalid-configuration', 'The clock gives no time.');
  const [stiPaRoots, intermediates, crlSigners, crls] = await Promise.all([
    readCertificates(files.stiPaRoots),
    readCertificates(files.intermediates),
    readCertificates(files.crlSigners),
    Promise.all((files.crls ?? []).map(readCrl)),
  ]);
  const anchors = await readAnchors(files.anchors);
  const result = await verifyTrustStore(
    { anchors, stiPaRoots, intermediates, crls, crlSigners },
    { atMs, previous: options.previous },
  );
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

function listRejected(
  anchors: TrustStoreFiles['anchors'],
  { reason, detail }: TrustStoreVerification & { readonly status: 'rejected' },
): HopbackError {
  const path = anchors.kind === 'files' ? anchors.paths.join(', ') : anchors.path;
  return new HopbackError('trust-list-rejected', `the list of STI-CAs in ${path} was refused: ${reason} (${detail})`, {
    details: { path, reason },
  });
}

async function readCertificates(paths: readonly string[] | undefined): Promise<readonly Certificate[]> {
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
