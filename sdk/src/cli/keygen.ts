import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options } from './options.js';
import { printJson, printLines } from './output.js';

/** `hopback keygen` */
export const keygenCommand: Command = {
  name: 'keygen',
  summary: 'make a private key for signing calls',
  usage: ['--out FILE', '(key to standard output)'],
  options: {
    out: { value: 'FILE', text: 'write here with mode 0600; a file that exists is never overwritten' },
  },
  notes: [
    'EC P-256, PKCS#8 PEM, the one kind that ES256 signs with. Keys that must not exist as a file belong into a key management ' +
      'service: the library signs with those through createExternalSigner.',
    'Exit codes: 0 made, 2 not understood, 4 the file is there already or cannot be written.',
  ],
  run,
};

async function run(options: Options<'out' | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --out FILE.']);
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const out = options.text('out');
  if (out !== undefined) await io.files.write(out, privateKey, { mode: 0o600, overwrite: false });
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

/** SHA-256 of the SubjectPublicKeyInfo, as `openssl pkey -pubout -outform DER | sha256sum` has it. */
function fingerprint(privateKeyPem: string): string {
  const spki = createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
