import { buildCertificatePath, revocationAt, tnAuthListText } from '../stir/index.js';
import type { Certificate, CertificatePath, CertificatePathResult, PathFailure, TrustStore } from '../stir/index.js';
import { printableText } from '../core/text.js';
import { CERTIFICATE_OPERAND_OPTIONS, readCertificates } from './certificate-operand.js';
import type { CertificateOperandOption, GivenCertificates } from './certificate-operand.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, instantText, printJson, printLines } from './output.js';
import { instantOption } from './party-options.js';
import { loadTrust, TRUST_OPTIONS } from './trust-options.js';
import type { TrustOption } from './trust-options.js';

type ChainOption = CertificateOperandOption | TrustOption | 'at' | 'revocation-unknown' | 'json';

const OPTIONS: OptionSpecs<Exclude<ChainOption, 'json'>> = {
  ...TRUST_OPTIONS,
  at: { value: 'TIME', text: 'build the path as of this time: ISO 8601 or epoch seconds' },
  'revocation-unknown': {
    value: 'CHOICE',
    choices: ['indeterminate', 'accept'],
    text: 'where nobody knows of revocation: indeterminate (default), or accept',
  },
  ...CERTIFICATE_OPERAND_OPTIONS,
};

/** `hopback cert chain` */
export const certChainCommand: Command = {
  name: 'cert chain',
  summary: 'build the path from a certificate to a trust anchor',
  usage: ['[OPTION...] --trust PATH FILE|-', '[OPTION...] --trust PATH https://URL'],
  options: OPTIONS,
  notes: [
    'The first certificate of the file is the end entity. Every failure of the path that comes closest is shown, with both values.',
    'Exit codes: 0 trusted and not revoked, 1 not trusted or revoked, 2 not understood or no certificate, 3 trusted but revocation ' +
      'is unknown, 4 trust, files or network.',
  ],
  run,
};

async function run(options: Options<ChainOption>, io: CliIo): Promise<ExitCode> {
  const given = await readCertificates(options, io);
  const at = options.text('at');
  const atMs = at === undefined ? io.clock.nowMs() : instantOption('at', at);
  const trustStore = await loadTrust(options, io, { nowMs: () => atMs });
  const result = buildCertificatePath(given.chain, {
    trustAnchors: trustStore.anchors,
    intermediates: trustStore.intermediates,
    revocation: revocationAt(trustStore.revocation, atMs),
    atMs,
  });
  const exitCode = exitCodeOf(result, options.text('revocation-unknown') === 'accept');
  if (options.isOn('json')) printJson(io, jsonOf(result, { given, atMs, exitCode }));
  else printLines(io, [...textOf(result, { given, trustStore, atMs }), ...refusedLines(trustStore)]);
  return exitCode;
}

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

function textOf(result: CertificatePathResult, context: ChainContext): readonly string[] {
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
  const revocationLine = {
    good: () => '  ✓ revocation: good, by current CRLs',
    revoked: () => `  ✗ revocation: ${revocation.status === 'revoked' ? revokedText(revocation) : ''}`,
    unknown: () => `  ? revocation: unknown (${revocation.status === 'unknown' ? revocation.detail : ''})`,
  }[revocation.status]();
  return [
    ...certificates.map((certificate, at) => certificateLine(certificate, at, at === certificates.length - 1)),
    `  ✓ holds from ${instantText(validFromMs)} to ${instantText(validToMs)}`,
    `  ✓ may speak for ${spc === undefined ? printableText(tnAuthListText(tnAuthList)) : `SPC ${spc}`}`,
    revocationLine,
  ];
}

function revokedText({
  revokedAtMs,
  crlReason,
  certificateSha256,
}: CertificatePath['revocation'] & { readonly status: 'revoked' }): string {
  const why = crlReason === undefined ? '' : `, ${crlReason}`;
  return `revoked ${instantText(revokedAtMs)}${why}, certificate ${certificateSha256}`;
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

function jsonOf(
  result: CertificatePathResult,
  { given, atMs, exitCode }: { readonly given: GivenCertificates; readonly atMs: number; readonly exitCode: ExitCode },
): unknown {
  const frame = { format: 'hopback.cert-chain.1', exitCode, source: given.source, atMs, status: result.status };
  if (result.status === 'untrusted') return { ...frame, failures: result.failures };
  const { certificates, ...path } = result.path;
  return {
    ...frame,
    path: { ...path, certificates: certificates.map(({ sha256, subject }) => ({ sha256, subject: subject.text })) },
  };
}
