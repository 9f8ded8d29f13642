import { describeCertificate, lintCertificate, roleOf } from '../stir/index.js';
import type { Certificate, LintFinding, ProfileVersion } from '../stir/index.js';
import { printableText } from '../core/text.js';
import { CERTIFICATE_OPERAND_OPTIONS, readCertificates } from './certificate-operand.js';
import type { CertificateOperandOption, GivenCertificates } from './certificate-operand.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { distanceText, printJson, printLines } from './output.js';

type InspectOption = CertificateOperandOption | 'profile-version' | 'json';

const OPTIONS: OptionSpecs<Exclude<InspectOption, 'json'>> = {
  'profile-version': {
    value: 'EDITION',
    choices: ['v003', 'v004', 'v005'],
    text: 'hold it to this edition of ATIS-1000080; default what was in force when it became valid',
  },
  ...CERTIFICATE_OPERAND_OPTIONS,
};

/** `hopback cert inspect` */
export const certInspectCommand: Command = {
  name: 'cert inspect',
  summary: 'show certificates and where they leave the SHAKEN profile',
  usage: ['[OPTION...] FILE|-', '[OPTION...] https://URL'],
  options: OPTIONS,
  notes: [
    'Takes PEM (a whole chain, end entity first) or DER. Says nothing about trust: that is hopback cert chain.',
    'Exit codes: 0 valid now and within the profile, 1 not, 2 not understood or no certificate, 4 it could not be read or fetched.',
  ],
  run,
};

/** One certificate and what is to be said of it. */
interface Inspected {
  readonly certificate: Certificate;
  readonly role: ReturnType<typeof roleOf>;
  readonly validity: 'valid' | 'expired' | 'not-yet-valid';
  readonly findings: readonly LintFinding[];
}

async function run(options: Options<InspectOption>, io: CliIo): Promise<ExitCode> {
  const given = await readCertificates(options, io);
  const version = options.text('profile-version') as ProfileVersion | undefined;
  const nowMs = io.clock.nowMs();
  const inspected = given.chain.map((certificate, at) =>
    inspect(certificate, { issuer: given.chain[at + 1], version, nowMs }),
  );
  const isFine = inspected.every(({ findings, validity }) => findings.length === 0 && validity === 'valid');
  const exitCode = isFine ? EXIT.ok : EXIT.negative;
  if (options.isOn('json')) printJson(io, jsonOf(given, inspected, exitCode));
  else
    printLines(io, [
      ...given.notes.map((note) => `! ${note}`),
      ...inspected.flatMap((one, at) => textOf(one, { at, of: inspected.length, nowMs })),
    ]);
  return exitCode;
}

function inspect(
  certificate: Certificate,
  {
    issuer,
    version,
    nowMs,
  }: { readonly issuer: Certificate | undefined; readonly version: ProfileVersion | undefined; readonly nowMs: number },
): Inspected {
  const role = roleOf(certificate);
  // A file may hold unrelated certificates: only a real issuer's key identifier is one to compare with.
  const isIssuer = issuer?.subject.canonical === certificate.issuer.canonical;
  const findings = lintCertificate(certificate, role, {
    ...(version === undefined ? {} : { version }),
    ...(issuer !== undefined && isIssuer ? { issuer } : {}),
  });
  const isEarly = nowMs < certificate.notBeforeMs;
  const validity = isEarly ? 'not-yet-valid' : nowMs > certificate.notAfterMs ? 'expired' : 'valid';
  return { certificate, role, validity, findings };
}

function textOf(
  { certificate, role, validity, findings }: Inspected,
  { at, of, nowMs }: { readonly at: number; readonly of: number; readonly nowMs: number },
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

function jsonOf(given: GivenCertificates, inspected: readonly Inspected[], exitCode: ExitCode): unknown {
  const certificates = inspected.map(({ certificate, role, validity, findings }) => {
    const { der, publicKey: _publicKey, ...facts } = certificate;
    return { role, validity, ...facts, derBase64: Buffer.from(der).toString('base64'), findings };
  });
  return { format: 'hopback.cert-inspect.1', exitCode, source: given.source, notes: given.notes, certificates };
}
