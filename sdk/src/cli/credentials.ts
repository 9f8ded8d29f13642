import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { attempt } from '../core/runtime/deadline.js';
import { defined } from '../core/text.js';
import { HopbackError } from '../errors.js';
import { readPublicKeyJwk } from '../internal/index.js';
import { writePemBlock } from '../stir/certificates/certificate.js';
import { tnAuthListText } from '../stir/certificates/tn-auth-list.js';
import type { TnAuthEntry } from '../stir/index.js';
import { EXTENSION_OIDS, extension, tnAuthListDer } from '../testing/issue-certificate.js';
import {
  bitString,
  contextConstructed,
  integer,
  nameDer,
  nameText,
  objectIdentifier,
  sequence,
  set,
} from '../testing/test-key.js';
import type { TestName } from '../testing/test-key.js';
import { readOperand, telephoneNumberOption } from './inputs/call-input.js';
import { passphraseOf } from './inputs/key-files.js';
import { optionSpecs, refuseOperands, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { printLines, report } from './kit/output.js';
import { textFile } from './inputs/trust-options.js';

const KEYGEN_OPTIONS = optionSpecs({
  'out <FILE>': 'write here with mode 0600; a file that exists is never overwritten',
  jwk: 'print the public key as a JWK, which a traceback platform registers; needs --out or --key',
  'key <FILE>': 'use this key instead of making one, PEM or JWK; - for standard input',
  'key-id <ID>': 'kid of the JWK; default that of a JWK, or sha256: and its RFC 7638 thumbprint',
});

const KEYGEN: CommandBody = {
  usage: ['--out FILE', '--out FILE --jwk', '--key FILE --jwk', '(key to standard output)'],
  options: KEYGEN_OPTIONS,
  notes: [
    'The JWK holds no private member and can be sent to the operator of the platform, who registers it with ' +
      'hopback-harness clients register --key. HOPBACK_KEY_PASSPHRASE opens an encrypted --key.',
    'Makes an EC P-256 key, the only kind that ES256 accepts, as PKCS#8 PEM. If your key must never be in a file, ' +
      'keep it in a key management service and sign through createExternalSigner.',
    'Exit codes: 0 made, 2 command line or input not valid, 4 the file is there already or cannot be written.',
  ],
  run: runKeygen,
};

type KeygenOptions = OptionsOf<typeof KEYGEN_OPTIONS>;

async function runKeygen(options: KeygenOptions, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --out FILE.']);
  const [out, existing] = [options.text('out'), options.text('key')];
  if (existing !== undefined && (out !== undefined || !options.isOn('jwk')))
    throw new UsageError('--key goes with --jwk and without --out: no key is made');
  if (options.isOn('jwk') && out === undefined && existing === undefined)
    throw new UsageError('--jwk needs --out FILE for a new key, or --key FILE', [
      'hopback keygen --out client.key --jwk',
    ]);
  if (options.text('key-id') !== undefined && !options.isOn('jwk'))
    throw new UsageError('--key-id names a JWK: it goes with --jwk');
  if (existing !== undefined) return printJwk(options, io, await keyText(existing, io));
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  if (out !== undefined) await io.files.write(out, privateKey, { mode: 0o600, overwrite: false });
  if (options.isOn('jwk')) return printJwk(options, io, privateKey);
  const publicKeySha256 = fingerprint(privateKey);
  const where = out === undefined ? { privateKeyPem: privateKey } : { path: out };
  if (out === undefined && !options.isOn('json')) io.stdout.write(privateKey);
  return report(options, io, { format: 'hopback.keygen.1', ...where, publicKeySha256 }, [
    ...(out === undefined
      ? []
      : [`✓ ${out}: EC P-256 private key, mode 0600`, `  public key SHA-256 ${publicKeySha256}`]),
  ]);
}

/** Octets of a file with a key at most. */
const MAX_KEY_BYTES = 65_536;

async function keyText(path: string, io: CliIo): Promise<string> {
  return Buffer.from((await readOperand(path, io, MAX_KEY_BYTES)).bytes).toString('utf8');
}

/** Prints the JWK alone, so that it can be put into a file. */
async function printJwk(options: KeygenOptions, io: CliIo, key: string): Promise<ExitCode> {
  const { jwk } = await readPublicKeyJwk(key, defined({ keyId: options.text('key-id'), passphrase: passphraseOf(io) }));
  if (!options.isOn('json')) io.stdout.write(`${JSON.stringify(jwk)}\n`);
  return report(options, io, { format: 'hopback.keygen.1', publicKeyJwk: jwk }, []);
}

/** SHA-256 of the SubjectPublicKeyInfo, as `openssl pkey -pubout -outform DER | sha256sum` has it. */
function fingerprint(privateKeyPem: string): string {
  const spki = createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}

/**
 * Writes a PKCS#10 request signed with ECDSA and SHA-256, the TNAuthList as an extension request.
 * @param key - P-256 private key; its public half is what is to be certified
 * @returns PEM
 * @see RFC 2986 section 4, RFC 2985 section 5.4.2, RFC 8226 section 9
 */
function writeCertificationRequest(key: KeyObject, subject: TestName, tnAuthList: readonly TnAuthEntry[]): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const extensions = sequence(extension(EXTENSION_OIDS.tnAuthList, false, tnAuthListDer(tnAuthList)));
  const attributes = contextConstructed(0, sequence(objectIdentifier(EXTENSION_REQUEST), set(extensions)));
  const info = sequence(integer(0), nameDer(subject), publicKey, attributes);
  const signature = sign('sha256', info, { key, dsaEncoding: 'der' });
  const request = sequence(info, sequence(objectIdentifier(ECDSA_WITH_SHA256)), bitString(signature));
  return writePemBlock(request, 'CERTIFICATE REQUEST');
}

/** RFC 2985 section 5.4.2 */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
/** RFC 5758 section 3.2 */
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** A private key as its file has it, known to be one that signs calls. */
interface PrivateKeyFile {
  readonly key: KeyObject;
  readonly privateKeyPem: string;
  /** Of an encrypted file. */
  readonly passphrase?: string;
}

/**
 * Reads a private key of an operator, and says of a file that is none what it is.
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `key-unusable` when it holds no P-256 private key or is encrypted
 * and HOPBACK_KEY_PASSPHRASE does not open it
 */
export async function readPrivateKey(path: string, io: CliIo): Promise<PrivateKeyFile> {
  const privateKeyPem = await textFile(path, io);
  const passphrase = io.env[PASSPHRASE];
  const secret = defined({ passphrase });
  const label = /-----BEGIN ((?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY)-----/.exec(privateKeyPem)?.[1];
  if (label === undefined) throw unusable(path, 'holds no private key in PEM');
  const isEncrypted = label.startsWith('ENCRYPTED') || privateKeyPem.includes('Proc-Type: 4,ENCRYPTED');
  if (isEncrypted && passphrase === undefined)
    throw unusable(path, `is encrypted: ${PASSPHRASE} must hold its passphrase`);
  const key = attempt(() => createPrivateKey({ key: privateKeyPem, format: 'pem', ...secret }));
  const why = isEncrypted ? `is encrypted, and ${PASSPHRASE} does not open it` : 'holds a damaged private key';
  if (key === undefined) throw unusable(path, why);
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails } = key;
  if (type !== 'ec') throw unusable(path, `holds a key of the type ${type}: calls are signed with EC P-256 alone`);
  const { namedCurve = 'unknown' } = asymmetricKeyDetails ?? {};
  if (namedCurve !== 'prime256v1')
    throw unusable(path, `holds a key of the curve ${namedCurve}, not P-256 (prime256v1)`);
  return { key, privateKeyPem, ...secret };
}

/** Variable that opens an encrypted key: an option would show in the list of processes. */
const PASSPHRASE = 'HOPBACK_KEY_PASSPHRASE';

const unusable = (path: string, what: string): HopbackError => new HopbackError('key-unusable', `${path} ${what}`);

const CSR_OPTIONS = optionSpecs({
  'key <FILE> [HOPBACK_KEY]': 'private key, P-256 PEM (hopback keygen); HOPBACK_KEY_PASSPHRASE opens an encrypted one',
  'spc <CODE>': 'service provider code: the one entry of the TNAuthList in a SHAKEN certificate',
  'tn <TN...>': 'a telephone number of a delegate certificate, with + or its country code',
  'range <TN:COUNT...>': 'COUNT numbers from TN on, of a delegate certificate',
  'organization <NAME>': 'O of the subject: the legal name of the provider',
  'country <CC>': 'C of the subject; default US',
  'common-name <NAME>': 'CN of the subject; default "SHAKEN" and the code, as the profile has it',
  'out <FILE>': 'new file to write, instead of standard output',
});

const CSR: CommandBody = {
  usage: ['--key FILE --spc CODE --organization NAME [--out FILE]'],
  options: CSR_OPTIONS,
  notes: [
    'PKCS#10, signed with ECDSA and SHA-256, the TNAuthList as an extension request (RFC 8226). The SHAKEN profile has exactly ' +
      'one SPC; --tn and --range are for delegate certificates (RFC 9060).',
    'Exit codes: 0 made, 2 command line or input not valid, 4 the key is not usable, or the file is there already or cannot be written.',
    '  hopback keygen --out sp.key\n  hopback csr --key sp.key --spc 1234 --organization "Example Telephone" --out sp.csr',
  ],
  run: runCsr,
};

async function runCsr(options: OptionsOf<typeof CSR_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the key with --key FILE, and the file to write with --out FILE.']);
  const tnAuthList = entriesOf(options);
  const subject = subjectOf(options, tnAuthList);
  const path = options.needed('key', '--key is needed', ['hopback keygen --out FILE makes one']);
  const { key } = await readPrivateKey(path, io);
  const pem = writeCertificationRequest(key, subject, tnAuthList);
  const out = options.text('out');
  if (out !== undefined) await io.files.write(out, pem, { mode: 0o644, overwrite: false });
  const subjectText = nameText(subject);
  // What is asked for, as it was read: a number that was meant otherwise shows here. Beside the request where that is the output.
  const lines = [`✓ ${out ?? 'request'}: ${subjectText}; TNAuthList ${tnAuthListText(tnAuthList)}`];
  if (out === undefined && !options.isOn('json')) {
    io.stdout.write(pem);
    printLines(io, lines, io.stderr);
  }
  const document = {
    format: 'hopback.csr.1',
    subject: subjectText,
    tnAuthList,
    pem,
    path: out,
  };
  return report(options, io, document, out === undefined ? [] : lines);
}

/** @see RFC 8226 section 9 */
function entriesOf(options: OptionsOf<typeof CSR_OPTIONS>): readonly TnAuthEntry[] {
  const spc = options.text('spc');
  if (spc !== undefined && !/^[0-9A-Z]{1,15}$/.test(spc)) throw new UsageError('--spc is 1 to 15 of 0-9 and A-Z');
  const entries: readonly TnAuthEntry[] = [
    ...(spc === undefined ? [] : [{ kind: 'spc', spc } as const]),
    ...options.texts('tn').map((text) => ({ kind: 'one', tn: numberOf('tn', text) }) as const),
    ...options.texts('range').map(rangeOf),
  ];
  if (entries.length > 0) return entries;
  throw new UsageError('a TNAuthList needs an entry: --spc, --tn or --range');
}

/** All numbers behind one North American area code; wider ranges are typing errors. */
const MAX_RANGE = 10_000_000;

/** From TN on, within its number of digits, and in North America within its area code. @see RFC 8226 section 9 */
function rangeOf(text: string): TnAuthEntry {
  const colon = text.lastIndexOf(':');
  const count = /^\d{1,8}$/.test(text.slice(colon + 1)) ? Number(text.slice(colon + 1)) : 0;
  if (colon < 0 || count < 2 || count > MAX_RANGE)
    throw new UsageError(`--range is TN:COUNT with a count from 2 to ${String(MAX_RANGE)}`);
  const start = numberOf('range', text.slice(0, colon));
  if (!/^\d+$/.test(start)) throw new UsageError('--range must begin with a number of digits only, without * or #');
  // Fifteen digits at most: exact.
  const last = String(Number(start) + count - 1).padStart(start.length, '0');
  const isNorthAmerican = start.startsWith('1') && start.length === 11;
  if (last.length > start.length || (isNorthAmerican && !last.startsWith(start.slice(0, 4))))
    throw new UsageError('--range runs past the last number with the same start: lower the count, or give two ranges');
  return { kind: 'range', start, count };
}

/** @see RFC 8226 section 9, TelephoneNumber */
const MAX_NUMBER_CHARS = 15;

function numberOf(option: string, text: string): string {
  const tn = telephoneNumberOption(option, text);
  if (tn.length <= MAX_NUMBER_CHARS) return tn;
  throw new UsageError(`--${option} must have at most ${String(MAX_NUMBER_CHARS)} digits`);
}

/** @see RFC 5280 appendix A.1, ub-organization-name and ub-common-name */
const MAX_NAME_CHARS = 64;

/** Exactly C, O and CN, in this order. @see ATIS-1000080 section 6.4.1 */
function subjectOf(options: OptionsOf<typeof CSR_OPTIONS>, [first]: readonly TnAuthEntry[]): TestName {
  const organization = options.needed('organization', '--organization is needed: the legal name of the provider');
  const commonName = options.text('common-name') ?? (first?.kind === 'spc' ? `SHAKEN ${first.spc}` : undefined);
  const country = options.text('country') ?? 'US';
  if (commonName === undefined) throw new UsageError('--common-name is needed where there is no --spc');
  if (!/^[A-Z]{2}$/.test(country)) throw new UsageError('--country is two letters, such as US');
  if (organization.length > MAX_NAME_CHARS || commonName.length > MAX_NAME_CHARS)
    throw new UsageError(`--organization and --common-name have at most ${String(MAX_NAME_CHARS)} characters`);
  return [
    { type: 'C', value: country },
    { type: 'O', value: organization },
    { type: 'CN', value: commonName },
  ];
}

export const COMMANDS = { keygen: KEYGEN, csr: CSR };
