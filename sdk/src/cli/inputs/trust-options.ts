import { defined } from '../../core/text.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { CertificateRepository, loadTrustStore, parseCertificateChain } from '../../stir/index.js';
import { checkX5uUrl } from '../../stir/certificates/x5u-url-policy.js';
import type {
  CertificateLookup,
  CertificateRepositoryOptions,
  RepositoryStats,
  TrustStore,
  TrustStoreFiles,
  VerificationServiceOptions,
  X5uAllowList,
} from '../../stir/index.js';
import { optionSpecs, UsageError, wholeNumber } from '../kit/command.js';
import type { Options, OptionsOf } from '../kit/command.js';
import type { CliIo } from '../kit/node-io.js';
import { countText } from '../kit/output.js';

/** Whom to trust, and who was revoked. */
export const TRUST_OPTIONS = optionSpecs({
  'trust <PATH...> [HOPBACK_TRUST]': 'STI-CA root certificates (file or directory), or the signed list of the STI-PA',
  'intermediates <PATH...>': 'additional intermediate certificates for the path',
  'sti-pa-root <PATH...> [HOPBACK_STI_PA_ROOT]':
    "root certificate of the STI-PA: verifies the STI-PA's list and CRL, never calls",
  'sti-pa-signer <FILE>': "certificate chain of the list's signer, if the list does not contain it",
  'crl <FILE...> [HOPBACK_CRL]': "CRL, such as the STI-PA's (PEM or DER)",
  'crl-signer <PATH...> [HOPBACK_CRL_SIGNER]': 'certificate of the CRL signer',
});

/** Most bytes of a signed list that are looked at to tell it from certificates. */
const MAX_LIST_BYTES = 1024 * 1024;

/**
 * Loads the trust store that options name.
 * @param clock - as of when lists and CRLs are judged
 * @throws {@link UsageError} when no trust is named; {@link HopbackError} of `loadTrustStore`
 */
export async function loadTrust(
  options: OptionsOf<typeof TRUST_OPTIONS>,
  io: CliIo,
  clock: Clock,
): Promise<TrustStore> {
  requireTrust(options);
  const files = {
    anchors: await anchorFiles(options, io),
    stiPaRoots: options.texts('sti-pa-root'),
    intermediates: options.texts('intermediates'),
    crls: options.texts('crl'),
    crlSigners: options.texts('crl-signer'),
  };
  return loadTrustStore(files, { clock });
}

/**
 * @param hints - what else the command at hand offers to whoever trusts nobody yet
 * @throws {@link UsageError} when no trust is named
 */
export function requireTrust(options: OptionsOf<typeof TRUST_OPTIONS>, hints: readonly string[] = []): void {
  if (options.texts('trust').length > 0) return;
  throw new UsageError('nothing is trusted yet: give --trust PATH', [
    '--trust PATH takes the STI-CA root certificates or the signed list of the STI-PA; HOPBACK_TRUST stands in for it.',
    ...hints,
  ]);
}

async function anchorFiles(options: OptionsOf<typeof TRUST_OPTIONS>, io: CliIo): Promise<TrustStoreFiles['anchors']> {
  const paths = options.texts('trust');
  const lists = await Promise.all(paths.map((path) => isSignedList(path, io)));
  const path = paths[lists.indexOf(true)];
  if (path === undefined) return { kind: 'files', paths };
  if (paths.length > 1) throw new UsageError(`${path} is a signed list: it is the only --trust then`);
  if (options.texts('sti-pa-root').length === 0) {
    throw new UsageError(`${path} is a signed list, and nothing says who may sign it`, [
      "Add the STI-PA's root certificate, obtained apart from the list: --sti-pa-root FILE",
    ]);
  }
  return defined({ kind: 'sti-pa-list', path, signerChainPath: options.text('sti-pa-signer') } as const);
}

/** A JWS begins with `eyJ`, base64url of `{"`. What cannot be read is for the trust store to report. */
async function isSignedList(path: string, io: CliIo): Promise<boolean> {
  const body = await io.files.read(path, MAX_LIST_BYTES).catch(() => undefined);
  return body !== undefined && Buffer.from(body.subarray(0, 64)).toString('latin1').trimStart().startsWith('eyJ');
}

/** Exceptions from the rules about URLs and addresses, for laboratories. */
export const URL_EXCEPTION_OPTIONS = optionSpecs({
  'allow-host <NAME...>': 'for test networks: allow this host name, such as localhost',
  'allow-address <CIDR...>': 'for test networks: allow this special-purpose network, such as 127.0.0.0/8',
  'allow-port <PORT...>': 'for test networks: allow this port in addition to 443 and 8443',
});

/** The same, and whom web servers there are vouched for by. */
export const LAB_OPTIONS = optionSpecs({
  ...URL_EXCEPTION_OPTIONS,
  'tls-ca <FILE...>': 'for test networks: root certificate (PEM) for HTTPS servers',
});

/** How certificates are fetched. */
export const FETCH_OPTIONS = optionSpecs({
  'fetch-timeout <MS>': 'longest fetch of a certificate, milliseconds; default 2000',
  ...LAB_OPTIONS,
});

/** Where cached certificates are. */
export const CACHE_OPTIONS = optionSpecs({
  'cache <DIR> [HOPBACK_CACHE]': 'directory of cached certificates; may be shared with a running service',
});

/** Where certificates come from. */
export const REPOSITORY_OPTIONS = optionSpecs({
  ...CACHE_OPTIONS,
  offline: 'fetch nothing; use only certificates in the cache',
  ...FETCH_OPTIONS,
});

/** What a file of certificates may have. @see ATIS-1000080: a chain is a few KB */
const MAX_CERTIFICATE_FILE_BYTES = 1024 * 1024;

/** The laboratory exceptions that options name; undefined when there are none. */
export function allowListOf(options: OptionsOf<typeof URL_EXCEPTION_OPTIONS>): X5uAllowList | undefined {
  const hosts = options.texts('allow-host').map((host) => host.toLowerCase());
  const addresses = options.texts('allow-address');
  const ports = options.texts('allow-port').map((text) => wholeNumber('--allow-port', text, { min: 1, max: 65_535 }));
  if (hosts.length + addresses.length + ports.length === 0) return undefined;
  return { hosts, addresses, ports };
}

/** What options say of fetching: exceptions, web server trust, deadline. */
export async function fetchSettings(
  options: OptionsOf<typeof FETCH_OPTIONS>,
  io: CliIo,
): Promise<Pick<CertificateRepositoryOptions, 'allow' | 'ca' | 'deadlineMs'>> {
  const ca = await Promise.all(options.texts('tls-ca').map((path) => textFile(path, io)));
  return defined({
    allow: allowListOf(options),
    ca: ca.length === 0 ? undefined : ca,
    deadlineMs: options.number('fetch-timeout', 1, 60_000),
  });
}

/** Opens the repository that options name. The caller closes it. */
export async function openRepository(
  options: OptionsOf<typeof REPOSITORY_OPTIONS>,
  io: CliIo,
): Promise<CertificateRepository> {
  return new CertificateRepository({
    clock: io.clock,
    ...(await fetchSettings(options, io)),
    ...defined({ directory: options.text('cache'), fetch: options.isOn('offline') ? notFetched : undefined }),
  });
}

const notFetched: NonNullable<CertificateRepositoryOptions['fetch']> = (url) =>
  Promise.resolve({ status: 'failed', url, reason: 'connect-failed', detail: 'offline, and not in the cache' });

/**
 * A repository that has one chain for every URL that may be fetched: that of a file.
 * @throws {@link HopbackError} `certificate-unusable` when the file holds no chain
 */
export async function repositoryOfFile(
  path: string,
  allow: X5uAllowList | undefined,
  io: CliIo,
): Promise<VerificationServiceOptions['certificates']> {
  const parsed = parseCertificateChain(await smallFile(path, io));
  if (parsed.status === 'malformed') {
    throw new HopbackError('certificate-unusable', `${path} is no PEM certificate chain: ${parsed.detail}`);
  }
  const nowMs = io.clock.nowMs();
  const peek = (url: string): CertificateLookup => {
    const checked = checkX5uUrl(url, allow === undefined ? {} : { allow });
    if (checked.status === 'refused') return checked;
    return {
      status: 'found',
      url,
      chain: parsed.chain,
      fetchedAtMs: nowMs,
      freshUntilMs: nowMs,
      notes: [],
    };
  };
  const lookup = (url: string): Promise<CertificateLookup> => Promise.resolve(peek(url));
  return { peek, lookup, revalidate: lookup };
}

/** A small text file of the operator: PEM, JSON. @throws {@link HopbackError} `storage-failed` when it cannot be read or is large */
export async function textFile(path: string, io: CliIo): Promise<string> {
  return Buffer.from(await smallFile(path, io)).toString('utf8');
}

async function smallFile(path: string, io: CliIo): Promise<Uint8Array> {
  const bytes = await io.files.read(path, MAX_CERTIFICATE_FILE_BYTES);
  if (bytes !== undefined) return bytes;
  throw new HopbackError('storage-failed', `${path} has more than ${String(MAX_CERTIFICATE_FILE_BYTES)} bytes`);
}

/** The cache directory of a command that cannot do without. @throws {@link UsageError} when there is none */
export function cacheDirectory(options: Options<'cache'>): string {
  return options.needed('cache', 'say which cache: --cache DIR, or HOPBACK_CACHE');
}

/** What was fetched or imported must have reached the disk. @throws {@link HopbackError} `storage-failed` when it did not */
export function requireStored({ diskWriteFailures }: RepositoryStats): void {
  if (diskWriteFailures === 0) return;
  const failed = countText(diskWriteFailures, 'certificate chain');
  throw new HopbackError('storage-failed', `${failed} could not be written to the cache`);
}
