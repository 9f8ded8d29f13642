import { defined, instantText, printableText } from '../core/text.js';
import { HopbackError } from '../errors.js';
import { buildCertificatePath, CertificateRepository, parseCertificate, parseCertificateChain } from '../stir/index.js';
import { instantOption, readOperand } from './inputs/call-input.js';
import { EXIT, optionSpecs, requirePath, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import { shownText } from './kit/node-io.js';
import type { CliIo } from './kit/node-io.js';
import { countText, distanceText, report } from './kit/output.js';
import { FETCH_OPTIONS, fetchSettings, loadTrust, TRUST_OPTIONS } from './inputs/trust-options.js';
import type { Certificate } from '../stir/certificates/certificate.js';
import { roleOf, lintCertificate } from '../stir/certificates/profile-lint.js';
import type { LintFinding, ProfileVersion } from '../stir/certificates/profile-lint.js';
import { describeCertificate } from '../stir/certificates/parse-certificate.js';
import type { CertificatePath, CertificatePathResult, PathFailure } from '../stir/certificates/path.js';
import type { TrustStore } from '../stir/certificates/trust-store.js';
import { tnAuthListText } from '../stir/certificates/tn-auth-list.js';

/** Certificates and where they came from. */
interface GivenCertificates {
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
async function readCertificates(options: OptionsOf<typeof FETCH_OPTIONS>, io: CliIo): Promise<GivenCertificates> {
  const [operand] = options.operands;
  if (operand === undefined && io.stdin.isTty) throw new UsageError('name a certificate file or an https URL');
  if (options.operands.length > 1) throw new UsageError('one file or URL at a time');
  if (operand?.startsWith('https://') === true) return fetchChain(requirePath(operand), options, io);
  if (operand !== undefined && /^[a-z][a-z0-9+.-]{1,20}:\/\//i.test(operand))
    throw new UsageError('certificates are fetched over https only');
  const { bytes, source } = await readOperand(operand, io);
  if (bytes.length === 0) throw new UsageError(`${source} is empty`);
  return { chain: parseFile(bytes, source), source, notes: [] };
}

/** DER begins with a SEQUENCE, PEM with a dash or text. */
function parseFile(bytes: Uint8Array, source: string): readonly Certificate[] {
  if (bytes[0] === 0x30) {
    const parsed = parseCertificate(bytes);
    if (parsed.status === 'parsed') return [parsed.certificate];
    throw new UsageError(`${source} holds no certificates that can be read: ${parsed.detail}`);
  }
  const parsed = parseCertificateChain(bytes);
  if (parsed.status === 'parsed') return parsed.chain;
  throw new UsageError(`${source} holds no certificates that can be read: ${parsed.detail}`);
}

async function fetchChain(
  url: string,
  options: OptionsOf<typeof FETCH_OPTIONS>,
  io: CliIo,
): Promise<GivenCertificates> {
  await using repository = new CertificateRepository({ clock: io.clock, ...(await fetchSettings(options, io)) });
  const lookup = await repository.lookup(url);
  if (lookup.status === 'found') return { chain: lookup.chain, source: url, notes: lookup.notes };
  const code =
    lookup.status === 'refused' || lookup.reason === 'body-malformed' ? 'certificate-unusable' : 'network-failed';
  throw new HopbackError(code, `${shownText(url)} did not yield a certificate: ${lookup.reason} (${lookup.detail})`);
}

const INSPECT_OPTIONS = optionSpecs({
  'profile-version <EDITION>': {
    choices: ['v003', 'v004', 'v005'],
    text: 'check against this edition of ATIS-1000080; default the one in force when the certificate became valid',
  },
  ...FETCH_OPTIONS,
});

const INSPECT: CommandBody = {
  usage: ['[OPTION...] FILE|-', '[OPTION...] https://URL'],
  options: INSPECT_OPTIONS,
  notes: [
    'Takes PEM (a whole chain, end entity first) or DER. Does not check trust: hopback cert chain does.',
    'Exit codes: 0 valid now and within the profile, 1 not, 2 command line or input not valid or no certificate, 4 it could not be read or fetched.',
  ],
  run: runInspect,
};

/** One certificate and what is to be said of it. */
interface Inspected {
  readonly certificate: Certificate;
  readonly role: ReturnType<typeof roleOf>;
  readonly validity: 'valid' | 'expired' | 'not-yet-valid';
  readonly findings: readonly LintFinding[];
}

async function runInspect(options: OptionsOf<typeof INSPECT_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const given = await readCertificates(options, io);
  const version = options.text('profile-version') as ProfileVersion | undefined;
  const nowMs = io.clock.nowMs();
  const inspected = given.chain.map((certificate, at) => inspect(certificate, given.chain[at + 1], version, nowMs));
  const isFine = inspected.every(({ findings, validity }) => findings.length === 0 && validity === 'valid');
  const certificates = inspected.map(({ certificate, ...found }) => {
    const { der, publicKey: _publicKey, ...facts } = certificate;
    return { ...found, ...facts, derBase64: Buffer.from(der).toString('base64') };
  });
  const { source, notes } = given;
  const exitCode = isFine ? EXIT.ok : EXIT.negative;
  return report(
    options,
    io,
    {
      format: 'hopback.cert-inspect.1',
      exitCode,
      source,
      notes,
      certificates,
    },
    [
      ...notes.map((note) => `! ${note}`),
      ...inspected.flatMap((one, at) => inspectedText(one, at, inspected.length, nowMs)),
    ],
  );
}

function inspect(
  certificate: Certificate,
  issuer: Certificate | undefined,
  version: ProfileVersion | undefined,
  nowMs: number,
): Inspected {
  const role = roleOf(certificate);
  // A file may hold unrelated certificates: only a real issuer's key identifier is one to compare with.
  const isIssuer = issuer?.subject.canonical === certificate.issuer.canonical;
  const findings = lintCertificate(certificate, role, defined({ version, issuer: isIssuer ? issuer : undefined }));
  const isEarly = nowMs < certificate.notBeforeMs;
  const validity = isEarly ? 'not-yet-valid' : nowMs > certificate.notAfterMs ? 'expired' : 'valid';
  return { certificate, role, validity, findings };
}

function inspectedText(
  { certificate, role, validity, findings }: Inspected,
  at: number,
  of: number,
  nowMs: number,
): readonly string[] {
  const isFine = findings.length === 0 && validity === 'valid';
  const until = distanceText(certificate.notAfterMs, nowMs);
  const validityLine = {
    valid: `  ✓ valid, ends ${until}`,
    expired: `  ✗ expired ${until}`,
    'not-yet-valid': `  ✗ not valid yet, begins ${distanceText(certificate.notBeforeMs, nowMs)}`,
  }[validity];
  return [
    ...(at === 0 ? [] : ['']),
    `${isFine ? '✓' : '✗'} certificate ${String(at + 1)} of ${String(of)}: ${role}`,
    ...describeCertificate(certificate).map((line) => `  ${line}`),
    validityLine,
    ...(findings.length === 0 ? ['  ✓ follows the SHAKEN certificate profile (ATIS-1000080)'] : []),
    ...findings.map(
      ({ rule, since, expected, actual }) =>
        `  ✗ ${rule}: expected ${expected}, found ${printableText(actual)} (ATIS-1000080 ${since})`,
    ),
  ];
}

const CHAIN_OPTIONS = optionSpecs({
  ...TRUST_OPTIONS,
  'at <TIME>': 'build the path as of this time: ISO 8601 or epoch seconds',
  'revocation-unknown <CHOICE>': {
    choices: ['indeterminate', 'accept'],
    text: 'if the revocation status of a certificate is unknown: indeterminate (default), or accept',
  },
  ...FETCH_OPTIONS,
});

const CHAIN: CommandBody = {
  usage: ['[OPTION...] --trust PATH FILE|-', '[OPTION...] --trust PATH https://URL'],
  options: CHAIN_OPTIONS,
  notes: [
    'The first certificate of the file is the end entity. If no path is valid, shows each failed check of the ' +
      'best candidate path, with the expected and the actual value.',
    'Exit codes: 0 trusted and not revoked, 1 not trusted or revoked, 2 command line or input not valid or no certificate, 3 trusted but revocation ' +
      'is unknown, 4 trust, files or network not usable.',
  ],
  run: runChain,
};

async function runChain(options: OptionsOf<typeof CHAIN_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const given = await readCertificates(options, io);
  const at = options.text('at');
  const atMs = at === undefined ? io.clock.nowMs() : instantOption('at', at);
  const trustStore = await loadTrust(options, io, { nowMs: () => atMs });
  const result = buildCertificatePath(given.chain, {
    trustAnchors: trustStore.anchors,
    intermediates: trustStore.intermediates,
    revocation: (certificate, issuer) => trustStore.revocation.lookup(certificate, issuer, atMs),
    atMs,
  });
  const exitCode = exitCodeOf(result, options.text('revocation-unknown') === 'accept');
  const path = result.status === 'trusted' ? pathDocument(result.path) : undefined;
  const failures = result.status === 'untrusted' ? result.failures : undefined;
  const { source } = given;
  const document = {
    format: 'hopback.cert-chain.1',
    exitCode,
    source,
    atMs,
    status: result.status,
    failures,
    path,
  };
  return report(options, io, document, [
    ...chainText(result, { given, trustStore, atMs }),
    ...refusedLines(trustStore),
  ]);
}

const pathDocument = ({ certificates, ...path }: CertificatePath): unknown => ({
  ...path,
  certificates: certificates.map(({ sha256, subject }) => ({ sha256, subject: subject.text })),
});

function exitCodeOf(result: CertificatePathResult, isUnknownAccepted: boolean): ExitCode {
  if (result.status === 'untrusted') return EXIT.negative;
  const { status } = result.path.revocation;
  if (status === 'revoked') return EXIT.negative;
  return status === 'good' || isUnknownAccepted ? EXIT.ok : EXIT.indeterminate;
}

/** A CRL that is not used is one that somebody counted on. */
function refusedLines({ revocation }: TrustStore): readonly string[] {
  return revocation.refused.map(({ crl, reason, detail }) => {
    const why = detail === '' ? reason : `${reason} (${detail})`;
    return `  ! CRL of ${printableText(`${crl.issuer.text} is not used: ${why}`)}`;
  });
}

interface ChainContext {
  readonly given: GivenCertificates;
  readonly trustStore: TrustStore;
  readonly atMs: number;
}

function chainText(result: CertificatePathResult, context: ChainContext): readonly string[] {
  const when = instantText(context.atMs);
  if (result.status === 'trusted') return [`✓ trusted as of ${when}`, ...pathLines(result.path)];
  const known = knownCertificates(context);
  return [
    `✗ not trusted as of ${when}`,
    ...context.given.chain.map((certificate, at) => certificateLine(certificate, at)),
    ...result.failures.map((failure) => failureLine(failure, known)),
    ...issuerAdvice(result.failures, context),
  ];
}

function pathLines(path: CertificatePath): readonly string[] {
  const { certificates, revocation, tnAuthList, spc, validFromMs, validToMs } = path;
  return [
    ...certificates.map((certificate, at) => certificateLine(certificate, at, at === certificates.length - 1)),
    `  ✓ holds from ${instantText(validFromMs)} to ${instantText(validToMs)}`,
    `  ✓ may speak for ${spc === undefined ? printableText(tnAuthListText(tnAuthList)) : `SPC ${spc}`}`,
    revocationLine(revocation),
  ];
}

function revocationLine(revocation: CertificatePath['revocation']): string {
  if (revocation.status === 'good') return '  ✓ revocation: good, by current CRLs';
  if (revocation.status === 'unknown') return `  ? revocation: unknown (${revocation.detail})`;
  const { revokedAtMs, crlReason, certificateSha256 } = revocation;
  const why = crlReason === undefined ? '' : `, ${crlReason}`;
  return `  ✗ revocation: revoked ${instantText(revokedAtMs)}${why}, certificate ${certificateSha256}`;
}

function certificateLine(certificate: Certificate, at: number, isAnchor = false): string {
  const what = isAnchor ? 'trust anchor' : at === 0 ? 'end entity' : 'issuer';
  return `    ${'  '.repeat(at)}${at === 0 ? '' : '└ '}${printableText(certificate.subject.text)} (${what})`;
}

function failureLine(
  { reason, certificateSha256, expected, actual }: PathFailure,
  known: ReadonlyMap<string, Certificate>,
): string {
  const subject = known.get(certificateSha256)?.subject.text ?? certificateSha256;
  const shown = (value: string | number): string =>
    typeof value === 'number' && OF_INSTANTS.has(reason) ? instantText(value) : String(value);
  const values = [
    expected === undefined ? '' : `expected ${shown(expected)}`,
    actual === undefined ? '' : `found ${shown(actual)}`,
  ];
  const text = values.filter((value) => value !== '').join(', ');
  return `  ✗ ${reason}: ${printableText(text === '' ? subject : `${text}; ${subject}`)}`;
}

/** Failures whose numbers are milliseconds since the epoch; of others they are counts. */
const OF_INSTANTS: ReadonlySet<PathFailure['reason']> = new Set([
  'certificate-expired',
  'certificate-not-yet-valid',
  'certificate-revoked',
]);

function knownCertificates({ given, trustStore }: ChainContext): ReadonlyMap<string, Certificate> {
  const all = [...given.chain, ...trustStore.intermediates, ...trustStore.anchors];
  return new Map(all.map((certificate) => [certificate.sha256, certificate]));
}

/** Where the way ended, and for what name one would have to look. */
function issuerAdvice(failures: readonly PathFailure[], { given, trustStore }: ChainContext): readonly string[] {
  if (!failures.some(({ reason }) => reason === 'no-path-to-trust-anchor')) return [];
  const last = given.chain.at(-1);
  const issuer = printableText(last?.issuer.text ?? '');
  const anchors = countText(trustStore.anchors.length, 'trust anchor');
  return ['', 'What to do', `  - Look for ${issuer}: it is neither in the file nor trusted (${anchors} loaded).`];
}

export const COMMANDS = { 'cert inspect': INSPECT, 'cert chain': CHAIN };
