import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readPublicKeyJwk } from '../platform/index.js';
import type { Command } from './command.js';
import { passphraseOf } from './configuration-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options } from './options.js';
import { printJson, printLines } from './output.js';
import { UsageError } from './usage-error.js';

/** `hopback keygen` */
export const keygenCommand: Command = {
  name: 'keygen',
  summary: 'make a private key, or print the public JWK of one',
  usage: ['--out FILE', '--out FILE --jwk', '--key FILE --jwk', '(key to standard output)'],
  options: {
    out: { value: 'FILE', text: 'write here with mode 0600; a file that exists is never overwritten' },
    jwk: { text: 'print the public key as a JWK, which a traceback platform registers; needs --out or --key' },
    key: { value: 'FILE', text: 'make no key: take this one, PEM or JWK; - for standard input' },
    'key-id': { value: 'ID', text: 'kid of the JWK; default that of a JWK, or sha256: and its RFC 7638 thumbprint' },
  },
  notes: [
    'The JWK holds no private member, so that it can be mailed to whoever runs the platform: hopback-harness clients register --key takes it. ' +
      'HOPBACK_KEY_PASSPHRASE opens an encrypted --key.',
    'EC P-256, PKCS#8 PEM, the one kind that ES256 signs with. Keys that must not exist as a file belong into a key management ' +
      'service: the library signs with those through createExternalSigner.',
    'Exit codes: 0 made, 2 not understood, 4 the file is there already or cannot be written.',
  ],
  run,
};

type KeygenOptions = Options<'out' | 'jwk' | 'key' | 'key-id' | 'json'>;

async function run(options: KeygenOptions, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --out FILE.']);
  const [out, existing] = [options.text('out'), options.text('key')];
  if (existing !== undefined && (out !== undefined || !options.isOn('jwk')))
    throw new UsageError('--key goes with --jwk, and without --out: it makes no key');
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
  if (options.isOn('json')) {
    const where = out === undefined ? { privateKeyPem: privateKey } : { path: out };
    printJson(io, { format: 'hopback.keygen.1', exitCode: EXIT.ok, ...where, publicKeySha256 });
    return EXIT.ok;
  }
  if (out === undefined) io.stdout.write(privateKey);
  else printLines(io, [`✓ ${out}: EC P-256 private key, mode 0600`, `  public key SHA-256 ${publicKeySha256}`]);
  return EXIT.ok;
}

/** Octets of a file with a key at most. */
const MAX_KEY_BYTES = 65_536;

async function keyText(path: string, io: CliIo): Promise<string> {
  const bytes = path === '-' ? await io.stdin.read(MAX_KEY_BYTES) : await io.files.read(path, MAX_KEY_BYTES);
  if (bytes === undefined) throw new UsageError(`--key: ${path} has more than ${MAX_KEY_BYTES} octets`);
  return Buffer.from(bytes).toString('utf8');
}

/** Prints the JWK alone, so that it can be put into a file. */
async function printJwk(options: KeygenOptions, io: CliIo, key: string): Promise<ExitCode> {
  const [keyId, passphrase] = [options.text('key-id'), passphraseOf(io)];
  const { jwk } = await readPublicKeyJwk(key, {
    ...(keyId !== undefined && { keyId }),
    ...(passphrase !== undefined && { passphrase }),
  });
  if (options.isOn('json')) printJson(io, { format: 'hopback.keygen.1', exitCode: EXIT.ok, publicKeyJwk: jwk });
  else io.stdout.write(`${JSON.stringify(jwk)}\n`);
  return EXIT.ok;
}

/** SHA-256 of the SubjectPublicKeyInfo, as `openssl pkey -pubout -outform DER | sha256sum` has it. */
function fingerprint(privateKeyPem: string): string {
  const spki = createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
