import { join } from 'node:path';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { checkX5uUrl, createCertificateRepository, loadTrustStore, parseCertificateChain } from '../../stir/index.js';
import type {
  CertificateLookup,
  CertificateRepository,
  CertificateRepositoryOptions,
  CertificateRepositoryService,
  RepositoryStats,
  TrustStore,
  TrustStoreFiles,
  X5uAllowList,
} from '../../stir/index.js';
import { numberOption, UsageError } from '../kit/command.js';
import type { Options, OptionSpecs } from '../kit/command.js';
import type { CliIo } from '../kit/io.js';
import { countText } from '../kit/output.js';

export type TrustOption = 'trust' | 'intermediates' | 'sti-pa-root' | 'sti-pa-signer' | 'crl' | 'crl-signer';

/** Whom to trust, and who was revoked. */
export const TRUST_OPTIONS: OptionSpecs<TrustOption> = {
  trust: {
    value: 'PATH',
    multiple: true,
    env: 'HOPBACK_TRUST',
    text: 'STI-CA root certificates (file or directory), or the signed list of the STI-PA',
  },
  intermediates: { value: 'PATH', multiple: true, text: 'additional intermediate certificates for the path' },
  'sti-pa-root': {
    value: 'PATH',
    multiple: true,
    env: 'HOPBACK_STI_PA_ROOT',
    text: "root certificate of the STI-PA: verifies the STI-PA's list and CRL, never calls",
  },
  'sti-pa-signer': { value: 'FILE', text: "certificate chain of the list's signer, if the list does not contain it" },
  crl: { value: 'FILE', multiple: true, env: 'HOPBACK_CRL', text: "CRL, such as the STI-PA's (PEM or DER)" },
  'crl-signer': { value: 'PATH', multiple: true, env: 'HOPBACK_CRL_SIGNER', text: 'certificate of the CRL signer' },
};

/** Most bytes of a signed list that are looked at to tell it from certificates. */
const MAX_LIST_BYTES = 1024 * 1024;

/**
 * Loads the trust store that options name.
 * @param clock - as of when lists and CRLs are judged
 * @throws {@link UsageError} when no trust is named; {@link HopbackError} of `loadTrustStore`
 */
export async function loadTrust(options: Options<TrustOption>, io: CliIo, clock: Clock): Promise<TrustStore> {
  requireTrust(options);
  return loadTrustStore(await trustFiles(options, io), { clock });
}

/**
 * @param hints - what else the command at hand offers to whoever trusts nobody yet
 * @throws {@link UsageError} when no trust is named
 */
export function requireTrust(options: Options<TrustOption>, hints: readonly string[] = []): void {
  if (options.texts('trust').length > 0) return;
  throw new UsageError('nothing is trusted yet: say whom with --trust', [
    '--trust PATH takes the STI-CA root certificates or the signed list of the STI-PA; HOPBACK_TRUST stands in for it.',
    ...hints,
  ]);
}

async function trustFiles(options: Options<TrustOption>, io: CliIo): Promise<TrustStoreFiles> {
  return {
    anchors: await anchorFiles(options, io),
    stiPaRoots: options.texts('sti-pa-root'),
    intermediates: options.texts('intermediates'),
    crls: options.texts('crl'),
    crlSigners: options.texts('crl-signer'),
  };
}

async function anchorFiles(options: Options<TrustOption>, io: CliIo): Promise<TrustStoreFiles['anchors']> {
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
  const signerChainPath = options.text('sti-pa-signer');
  return { kind: 'sti-pa-list', path, ...(signerChainPath === undefined ? {} : { signerChainPath }) };
}

/** A JWS begins with `eyJ`, base64url of `{"`. What cannot be read is for the trust store to report. */
async function isSignedList(path: string, io: CliIo): Promise<boolean> {
  const body = await io.files.read(path, MAX_LIST_BYTES).catch(() => undefined);
  return body !== undefined && Buffer.from(body.subarray(0, 64)).toString('latin1').trimStart().startsWith('eyJ');
}

export type UrlExceptionOption = 'allow-host' | 'allow-address' | 'allow-port';
export type LabOption = UrlExceptionOption | 'tls-ca';
export type RepositoryOption = LabOption | 'cache' | 'offline' | 'fetch-timeout';

/** Exceptions from the rules about URLs and addresses, for laboratories. */
export const URL_EXCEPTION_OPTIONS: OptionSpecs<UrlExceptionOption> = {
  'allow-host': { value: 'NAME', multiple: true, text: 'for test networks: allow this host name, such as localhost' },
  'allow-address': {
    value: 'CIDR',
    multiple: true,
    text: 'for test networks: allow this special-purpose network, such as 127.0.0.0/8',
  },
  'allow-port': {
    value: 'PORT',
    multiple: true,
    text: 'for test networks: allow this port in addition to 443 and 8443',
  },
};

/** The same, and whom web servers there are vouched for by. */
export const LAB_OPTIONS: OptionSpecs<LabOption> = {
  ...URL_EXCEPTION_OPTIONS,
  'tls-ca': { value: 'FILE', multiple: true, text: 'for test networks: root certificate (PEM) for HTTPS servers' },
};

/** Where certificates come from. */
export const REPOSITORY_OPTIONS: OptionSpecs<RepositoryOption> = {
  cache: {
    value: 'DIR',
    env: 'HOPBACK_CACHE',
    text: 'directory of cached certificates; may be shared with a running service',
  },
  offline: { text: 'fetch nothing; use only certificates in the cache' },
  'fetch-timeout': { value: 'MS', text: 'longest fetch of a certificate, milliseconds; default 2000' },
  ...LAB_OPTIONS,
};

/** What a file of certificates may have. @see ATIS-1000080: a chain is a few KB */
const MAX_CERTIFICATE_FILE_BYTES = 1024 * 1024;

/** The laboratory exceptions that options name; undefined when there are none. */
export function allowListOf(options: Options<UrlExceptionOption>): X5uAllowList | undefined {
  const hosts = options.texts('allow-host').map((host) => host.toLowerCase());
  const addresses = options.texts('allow-address');
  const ports = options
    .texts('allow-port')
    .flatMap((text) => numberOption(text, { name: 'allow-port', min: 1, max: 65_535 }) ?? []);
  if (hosts.length + addresses.length + ports.length === 0) return undefined;
  return { hosts, addresses, ports };
}

/** What options say of fetching: exceptions, web server trust, deadline. */
export async function fetchSettings(
  options: Options<Exclude<RepositoryOption, 'cache' | 'offline'>>,
  io: CliIo,
): Promise<Pick<CertificateRepositoryOptions, 'allow' | 'ca' | 'deadlineMs'>> {
  const allow = allowListOf(options);
  const ca = await Promise.all(options.texts('tls-ca').map((path) => textFile(path, io)));
  const deadlineMs = numberOption(options.text('fetch-timeout'), { name: 'fetch-timeout', min: 1, max: 60_000 });
  return {
    ...(allow === undefined ? {} : { allow }),
    ...(ca.length === 0 ? {} : { ca }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}

/** Opens the repository that options name. The caller closes it. */
export async function openRepository(
  options: Options<RepositoryOption>,
  io: CliIo,
): Promise<CertificateRepositoryService> {
  const directory = options.text('cache');
  return createCertificateRepository({
    clock: io.clock,
    ...(await fetchSettings(options, io)),
    ...(directory === undefined ? {} : { directory }),
    ...(options.isOn('offline') ? { fetch: notFetched } : {}),
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
  { allow, io }: { readonly allow: X5uAllowList | undefined; readonly io: CliIo },
): Promise<CertificateRepository> {
  const parsed = parseCertificateChain(await smallFile(path, io));
  if (parsed.status === 'malformed') {
    throw new HopbackError('certificate-unusable', `${path} is no PEM certificate chain: ${parsed.detail}`);
  }
  const nowMs = io.clock.nowMs();
  const peek = (url: string): CertificateLookup => {
    const checked = checkX5uUrl(url, allow === undefined ? {} : { allow });
    if (checked.status === 'refused') return checked;
    return { status: 'found', url, chain: parsed.chain, fetchedAtMs: nowMs, freshUntilMs: nowMs, notes: [] };
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

/** Most bytes of one file of a cache, with room beside the largest that is written. */
const MAX_CACHE_FILE_BYTES = 65_536;

/** The cache directory of a command that cannot do without. @throws {@link UsageError} when there is none */
export function cacheDirectory(options: Options<'cache'>): string {
  const directory = options.text('cache');
  if (directory !== undefined) return directory;
  throw new UsageError('say which cache: --cache DIR, or HOPBACK_CACHE');
}

/**
 * Everything in a cache directory that is JSON, unchecked: to be counted. What is usable of it, `restore` of a repository says.
 * @throws {@link HopbackError} `storage-failed` when there is no such directory
 */
export async function cachedEnvelopes(directory: string, io: CliIo): Promise<readonly unknown[]> {
  const names = await io.files.list(directory);
  if (names === undefined) throw new HopbackError('storage-failed', `${directory} does not exist`);
  const envelopes: unknown[] = [];
  // One after the other: thousands of open files at once would be more than the machine permits.
  for (const name of names.filter((candidate) => candidate.endsWith('.json'))) {
    const body = await io.files.read(join(directory, name), MAX_CACHE_FILE_BYTES).catch(() => undefined);
    const envelope = body === undefined ? undefined : parsed(body);
    if (envelope !== undefined) envelopes.push(envelope);
  }
  return envelopes;
}

/** @throws {@link HopbackError} `storage-failed` when there is no such directory */
export async function requireDirectory(directory: string, io: CliIo): Promise<void> {
  if ((await io.files.list(directory)) === undefined)
    throw new HopbackError('storage-failed', `${directory} does not exist`);
}

/**
 * A directory that is not there yet is made with its first entry; one that cannot be one is no cache.
 * @throws {@link HopbackError} `storage-failed` when it cannot be listed, such as a file
 */
export async function requireUsable(directory: string, io: CliIo): Promise<void> {
  await io.files.list(directory);
}

/** What was fetched or imported must have reached the disk. @throws {@link HopbackError} `storage-failed` when it did not */
export function requireStored({ diskWriteFailures }: RepositoryStats): void {
  if (diskWriteFailures === 0) return;
  const failed = countText(diskWriteFailures, 'certificate chain');
  throw new HopbackError('storage-failed', `${failed} could not be written to the cache`);
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
