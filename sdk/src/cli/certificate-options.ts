import { checkX5uUrl, createCertificateRepository, parseCertificateChain } from '../stir/index.js';
import type {
  CertificateLookup,
  CertificateRepository,
  CertificateRepositoryOptions,
  CertificateRepositoryService,
  X5uAllowList,
} from '../stir/index.js';
import { HopbackError } from '../errors.js';
import type { CliIo } from './io.js';
import { numberOption } from './options.js';
import type { Options, OptionSpecs } from './options.js';

export type UrlExceptionOption = 'allow-host' | 'allow-address' | 'allow-port';
export type LabOption = UrlExceptionOption | 'tls-ca';
export type RepositoryOption = LabOption | 'cache' | 'offline' | 'fetch-timeout';

/** Exceptions from the rules about URLs and addresses, for laboratories. */
export const URL_EXCEPTION_OPTIONS: OptionSpecs<UrlExceptionOption> = {
  'allow-host': { value: 'NAME', multiple: true, text: 'laboratory: permit this host name, such as localhost' },
  'allow-address': {
    value: 'CIDR',
    multiple: true,
    text: 'laboratory: permit this special-purpose network, such as 127.0.0.0/8',
  },
  'allow-port': { value: 'PORT', multiple: true, text: 'laboratory: permit this port beside 443 and 8443' },
};

/** The same, and whom web servers there are vouched for by. */
export const LAB_OPTIONS: OptionSpecs<LabOption> = {
  ...URL_EXCEPTION_OPTIONS,
  'tls-ca': { value: 'FILE', multiple: true, text: 'laboratory: PEM certificate that vouches for web servers' },
};

/** Where certificates come from. */
export const REPOSITORY_OPTIONS: OptionSpecs<RepositoryOption> = {
  cache: {
    value: 'DIR',
    env: 'HOPBACK_CACHE',
    text: 'directory of cached certificates; may be shared with a running service',
  },
  offline: { text: 'fetch nothing: what is not in the cache is not there' },
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
