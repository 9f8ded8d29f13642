import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { AttestationPolicy, createLocalSigner, DEFAULT_ATTESTATION_POLICY } from '../../stir/index.js';
import { CALL_ROLES, CALL_SOURCES, MAX_BASIS_CHARS, NUMBER_OWNERSHIPS } from '../../stir/signing/attestation-policy.js';
import { readSigningCertificate } from '../../stir/signing/certificate-source.js';
import type { AttestationFacts, AttestationPolicyData, SigningCertificate } from '../../stir/index.js';
import { readPrivateKey } from '../credentials.js';
import { optionSpecs, UsageError } from '../kit/command.js';
import type { Options, OptionsOf } from '../kit/command.js';
import type { CliIo } from '../kit/node-io.js';
import { printLines } from '../kit/output.js';
import { allowListOf, textFile, URL_EXCEPTION_OPTIONS } from './trust-options.js';
import type { LocalSigner } from '../../stir/signing/signer.js';

/** With what a provider signs. */
export const CREDENTIAL_OPTIONS = optionSpecs({
  'key <FILE> [HOPBACK_KEY]': 'file of the private key, P-256 PEM; HOPBACK_KEY_PASSPHRASE opens an encrypted one',
  'certificate <FILE> [HOPBACK_CERTIFICATE]': 'PEM chain as the x5u serves it, end entity first',
  'x5u <URL> [HOPBACK_X5U]': 'where verifiers fetch that chain',
  'spc <CODE>': 'service provider code; default the one of the certificate',
  ...URL_EXCEPTION_OPTIONS,
});

/** What is known of the call, for the attestation policy. */
export const FACT_OPTIONS = optionSpecs({
  'attest <A|B|C>': { choices: ['A', 'B', 'C'], text: 'attestation that was decided elsewhere; needs --basis' },
  'basis <TEXT>': 'why --attest: a sentence for the record, to be shown to a regulator',
  'role <ROLE>': { choices: CALL_ROLES, text: `role for this call: ${CALL_ROLES.join(', ')}` },
  'customer <NAME>': 'your name for the customer, for the record',
  'customer-known': 'the customer is known and can be identified',
  'caller-authenticated': 'you verified that the call comes from that customer',
  'number-ownership <HOW>': {
    choices: NUMBER_OWNERSHIPS,
    text: `right to the number: ${NUMBER_OWNERSHIPS.join(', ')}`,
  },
  'received-from <WHOM>': { choices: CALL_SOURCES, text: `who sent you the call: ${CALL_SOURCES.join(', ')}` },
  'trunk <NAME>': 'trunk or trunk group, for rules about it',
  'policy <FILE>': 'attestation policy as JSON; default that of ATIS-1000074',
});

/**
 * Loads key and certificate.
 * @throws {@link UsageError} when one is not named; {@link HopbackError} `key-unusable`, `certificate-unusable` or `storage-failed`
 */
export async function loadCredentials(options: OptionsOf<typeof CREDENTIAL_OPTIONS>, io: CliIo) {
  const signer = await loadSigner(options.needed('key'), io);
  const chainPem = await textFile(options.needed('certificate'), io);
  const allow = allowListOf(options);
  const read = readSigningCertificate({
    chainPem,
    x5u: options.needed('x5u'),
    ...defined({ x5uPolicy: allow && { allow } }),
  });
  if (read.status === 'unusable') {
    if (read.reason === 'x5u-refused') throw new UsageError(`--x5u is no URL that verifiers fetch: ${read.detail}`);
    throw new HopbackError('certificate-unusable', `the certificate chain cannot be used: ${read.detail}`);
  }
  const { signingCertificate } = read;
  return { signer, signingCertificate, spc: options.text('spc') ?? spcOf(signingCertificate) };
}

/** Loads a private key, and says so when others can read the file. */
export async function loadSigner(path: string, io: CliIo): Promise<LocalSigner> {
  const { privateKeyPem, passphrase } = await readPrivateKey(path, io);
  const mode = await io.files.mode(path);
  if (mode !== undefined && (mode & 0o077) !== 0) {
    printLines(io, [`! ${path} is open to other users (mode ${mode.toString(8)}): chmod 600 ${path}`], io.stderr);
  }
  return createLocalSigner({ privateKeyPem, ...defined({ passphrase }) });
}

/** Facts and policy of a call. @throws {@link UsageError} when nothing is said that an attestation could rest on */
export async function attestationOf(
  options: OptionsOf<typeof FACT_OPTIONS>,
  io: CliIo,
): Promise<{ readonly facts: AttestationFacts; readonly policy: AttestationPolicy }> {
  const facts = factsOf(options);
  requireBasis(options);
  return { facts, policy: await attestationPolicyOf(options, io, options.text('attest') !== undefined) };
}

/**
 * The policy that `--policy` names, or the default one.
 * @param hearsRequests - whether the default one lets requests bring a level: a policy that is named says so itself
 */
export async function attestationPolicyOf(
  options: Options<'policy'>,
  io: CliIo,
  hearsRequests: boolean,
): Promise<AttestationPolicy> {
  const path = options.text('policy');
  if (path !== undefined) return new AttestationPolicy(await policyFile(path, io));
  const data = DEFAULT_ATTESTATION_POLICY;
  return new AttestationPolicy(hearsRequests ? { ...data, explicitAttestation: 'permitted' } : data);
}

/** A level that no rule gives needs somebody's reason, and a reason without a level would be lost. */
function requireBasis(options: OptionsOf<typeof FACT_OPTIONS>): void {
  const isExplicit = options.text('attest') !== undefined;
  const basis = options.text('basis');
  if (!isExplicit && basis !== undefined)
    throw new UsageError('--basis goes with --attest: otherwise the policy states the basis');
  if (isExplicit && (basis ?? '').trim() === '') {
    throw new UsageError('--attest needs --basis: why the call is attested so, in a sentence for the record', [
      'Or leave --attest out and say what is known of the call: the policy then decides.',
    ]);
  }
  if ((basis ?? '').length > MAX_BASIS_CHARS)
    throw new UsageError(`--basis has at most ${String(MAX_BASIS_CHARS)} characters`);
}

function factsOf(options: OptionsOf<typeof FACT_OPTIONS>): AttestationFacts {
  const role = options.needed('role', 'say in which role this call is signed: --role, with what is known of it', [
    '--role originating --customer-known --caller-authenticated --number-ownership owned gives A by the default policy.',
  ]);
  // The options were checked against the choices, which are these words.
  return defined({
    role: role as AttestationFacts['role'],
    customerKnown: options.isOn('customer-known'),
    callerAuthenticated: options.isOn('caller-authenticated'),
    numberOwnership: options.text('number-ownership') as AttestationFacts['numberOwnership'],
    receivedFrom: options.text('received-from') as AttestationFacts['receivedFrom'],
    customer: options.text('customer'),
    trunk: options.text('trunk'),
  });
}

async function policyFile(path: string, io: CliIo): Promise<AttestationPolicyData> {
  const text = await textFile(path, io);
  try {
    // AttestationPolicy checks every part of it.
    return JSON.parse(text) as AttestationPolicyData;
  } catch {
    throw new UsageError(`${path} is no JSON`);
  }
}

function spcOf({ certificate }: SigningCertificate): string {
  const [spc, ...more] = (certificate.tnAuthList ?? []).flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
  if (spc !== undefined && more.length === 0) return spc;
  throw new UsageError('the certificate does not have exactly one service provider code: give --spc');
}
