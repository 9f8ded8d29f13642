import { createCertificateRepository, parseCertificate, parseCertificateChain } from '../stir/index.js';
import type { Certificate } from '../stir/index.js';
import { HopbackError } from '../errors.js';
import { fetchSettings, LAB_OPTIONS } from './certificate-options.js';
import type { LabOption } from './certificate-options.js';
import { MAX_INPUT_BYTES } from './io.js';
import type { CliIo } from './io.js';
import { requirePath } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

export type CertificateOperandOption = LabOption | 'fetch-timeout';

/** Options of commands whose operand is a certificate. */
export const CERTIFICATE_OPERAND_OPTIONS: OptionSpecs<CertificateOperandOption> = {
  'fetch-timeout': { value: 'MS', text: 'longest fetch, milliseconds; default 2000' },
  ...LAB_OPTIONS,
};

/** Certificates and where they came from. */
export interface GivenCertificates {
  readonly chain: readonly Certificate[];
  readonly source: string;
  /** Deviations of the web server, when fetched. */
  readonly notes: readonly string[];
}

/**
 * Reads the certificates that an operand names: a PEM or DER file, standard input, or an x5u URL, which is fetched as a verifier would.
 * @throws {@link UsageError} when there is no operand, or what it holds is no certificate; {@link HopbackError} `storage-failed` when
 * a file cannot be read, `network-failed` when a URL could not be fetched, `certificate-unusable` when it serves no certificate
 */
export async function readCertificates(
  options: Options<CertificateOperandOption>,
  io: CliIo,
): Promise<GivenCertificates> {
  const [operand] = options.operands;
  if (operand === undefined && io.stdin.isTty) throw new UsageError('name a certificate file or an https URL');
  if (options.operands.length > 1) throw new UsageError('one file or URL at a time');
  if (operand?.startsWith('https://') === true) return fetchChain(requirePath(operand), options, io);
  if (operand !== undefined && /^[a-z][a-z0-9+.-]{1,20}:\/\//i.test(operand))
    throw new UsageError('certificates are fetched over https only');
  const isFile = operand !== undefined && operand !== '-';
  const bytes = isFile
    ? await io.files.read(requirePath(operand), MAX_INPUT_BYTES)
    : await io.stdin.read(MAX_INPUT_BYTES);
  const source = isFile ? shownText(operand) : 'standard input';
  if (bytes === undefined) throw new UsageError(`${source} has more than ${String(MAX_INPUT_BYTES)} bytes`);
  if (bytes.length === 0) throw new UsageError(`${source} is empty`);
  return { chain: parseFile(bytes, source), source, notes: [] };
}

/** DER begins with a SEQUENCE, PEM with a dash or text. */
function parseFile(bytes: Uint8Array, source: string): readonly Certificate[] {
  if (bytes[0] === 0x30) {
    const parsed = parseCertificate(bytes);
    if (parsed.status === 'parsed') return [parsed.certificate];
    throw notCertificates(source, parsed.detail);
  }
  const parsed = parseCertificateChain(bytes);
  if (parsed.status === 'parsed') return parsed.chain;
  throw notCertificates(source, parsed.detail);
}

/** As of any other input: a command that was given something else was not understood. */
function notCertificates(source: string, detail: string): UsageError {
  return new UsageError(`${source} holds no certificates that can be read: ${detail}`);
}

async function fetchChain(
  url: string,
  options: Options<CertificateOperandOption>,
  io: CliIo,
): Promise<GivenCertificates> {
  await using repository = createCertificateRepository({ clock: io.clock, ...(await fetchSettings(options, io)) });
  const lookup = await repository.lookup(url);
  if (lookup.status === 'found') return { chain: lookup.chain, source: url, notes: lookup.notes };
  const code =
    lookup.status === 'refused' || lookup.reason === 'body-malformed' ? 'certificate-unusable' : 'network-failed';
  throw new HopbackError(code, `${shownText(url)} did not yield a certificate: ${lookup.reason} (${lookup.detail})`);
}
