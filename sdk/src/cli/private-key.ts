import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { HopbackError } from '../errors.js';
import { textFile } from './certificate-options.js';
import type { CliIo } from './io.js';

/** A private key as its file has it, known to be one that signs calls. */
export interface PrivateKeyFile {
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
  const secret = passphrase === undefined ? {} : { passphrase };
  const label = /-----BEGIN ((?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY)-----/.exec(privateKeyPem)?.[1];
  if (label === undefined) throw unusable(path, 'holds no private key in PEM');
  const isEncrypted = label.startsWith('ENCRYPTED') || privateKeyPem.includes('Proc-Type: 4,ENCRYPTED');
  if (isEncrypted && passphrase === undefined)
    throw unusable(path, `is encrypted: ${PASSPHRASE} must hold its passphrase`);
  const key = imported({ key: privateKeyPem, format: 'pem', ...secret });
  if (key === undefined) {
    throw unusable(
      path,
      isEncrypted ? `is encrypted, and ${PASSPHRASE} does not open it` : 'holds a damaged private key',
    );
  }
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails } = key;
  if (type !== 'ec') throw unusable(path, `holds a key of the type ${type}: calls are signed with EC P-256 alone`);
  const { namedCurve = 'unknown' } = asymmetricKeyDetails ?? {};
  if (namedCurve !== 'prime256v1')
    throw unusable(path, `holds a key of the curve ${namedCurve}, not P-256 (prime256v1)`);
  return { key, privateKeyPem, ...secret };
}

/** Variable that opens an encrypted key: an option would show in the list of processes. */
const PASSPHRASE = 'HOPBACK_KEY_PASSPHRASE';

function imported(input: Parameters<typeof createPrivateKey>[0]): KeyObject | undefined {
  try {
    return createPrivateKey(input);
  } catch {
    return undefined;
  }
}

const unusable = (path: string, what: string): HopbackError => new HopbackError('key-unusable', `${path} ${what}`);
