import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { HopbackError } from '../errors.js';
import { verifyCheckpoint } from '../log/index.js';
import type { EvidencePack } from '../traceback/index.js';
import { textFile } from './certificate-options.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

/** Names of {@link EVIDENCE_TRUST_OPTIONS}. */
export type EvidenceTrustOption = 'key' | 'checkpoint';

/** Options of every command that looks at evidence. */
export const EVIDENCE_TRUST_OPTIONS: OptionSpecs<EvidenceTrustOption> = {
  key: {
    value: 'FILE',
    multiple: true,
    text: 'PEM of a public key or certificate that may sign log and packs, from elsewhere than DIR; default the key in DIR, which proves nothing of whose it is',
  },
  checkpoint: {
    value: 'FILE',
    multiple: true,
    text: 'signed checkpoint that was kept elsewhere: a log that was cut or written anew since does not agree with it',
  },
};

/** What a folder of evidence is. */
export type EvidenceFolder = 'store' | 'pack';

/** Keys and checkpoints of a command line. */
export interface EvidenceTrust {
  readonly publicKeys: readonly KeyObject[];
  /** Whether the keys were given, and not taken out of the folder. */
  readonly areGiven: boolean;
  readonly checkpoints: readonly string[];
}

/**
 * Tells a store from an exported pack.
 * @throws {@link HopbackError} `storage-failed` for a folder that is neither
 */
export async function evidenceFolder(directory: string, io: CliIo): Promise<EvidenceFolder> {
  const names = await io.files.list(directory);
  if (names?.includes('manifest.json') === true) return 'pack';
  if (names?.includes('log') === true) return 'store';
  throw new HopbackError(
    'storage-failed',
    `${shownText(directory)} is no folder of evidence: neither log nor manifest.json is in it`,
  );
}

/** The one folder of a command line. @throws {@link UsageError} */
export function folderOperand(operand: string | undefined): string {
  if (operand !== undefined) return operand;
  throw new UsageError('say which folder of evidence: DIR');
}

/** Reads what a store is to be held against. @throws {@link HopbackError} `key-unusable`, `storage-failed` */
export async function evidenceTrust(
  options: Options<EvidenceTrustOption>,
  io: CliIo,
  directory: string,
): Promise<EvidenceTrust> {
  const given = options.texts('key');
  const paths = given.length > 0 ? given : [join(directory, 'public-key.pem')];
  return {
    publicKeys: await publicKeyFiles(paths, io),
    areGiven: given.length > 0,
    checkpoints: await Promise.all(options.texts('checkpoint').map((path) => textFile(path, io))),
  };
}

/** Public keys by the files that they are in. @throws {@link HopbackError} `key-unusable`, `storage-failed` */
export async function publicKeyFiles(paths: readonly string[], io: CliIo): Promise<readonly KeyObject[]> {
  return (await Promise.all(paths.map((path) => publicKeyFile(path, io)))).flat();
}

/** A store, and not an exported pack. @throws {@link HopbackError} `storage-failed`; {@link UsageError} */
export async function requireStore(directory: string, io: CliIo): Promise<void> {
  if ((await evidenceFolder(directory, io)) === 'store') return;
  throw new UsageError(`${shownText(directory)} is an exported pack: hopback evidence verify looks at those`);
}

/**
 * Which of the keys signed a pack, or a checkpoint.
 * @throws {@link HopbackError} `key-unusable` when none did
 */
export function signingKey(signed: EvidencePack | string | undefined, keys: readonly KeyObject[]): KeyObject {
  const found = keys.find((key) => {
    if (typeof signed === 'string') return verifyCheckpoint(signed, { publicKeys: [key] }).status === 'passed';
    const der = key.export({ type: 'spki', format: 'der' });
    return signed?.manifest.signer.publicKeySha256 === hash('sha256', der, 'hex');
  });
  if (found !== undefined) return found;
  throw new HopbackError('key-unusable', 'the pack is signed by none of the keys: --key FILE, once for each');
}

const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]*-----END PUBLIC KEY-----/g;

/** All public keys of a file; of certificates the first, those behind it are of who issued it. */
async function publicKeyFile(path: string, io: CliIo): Promise<readonly KeyObject[]> {
  const pem = await textFile(path, io);
  if (/-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----/.test(pem)) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds a private key: what verifies is the public one`);
  }
  try {
    return (pem.match(PUBLIC_KEY) ?? [pem]).map((block) => createPublicKey(block));
  } catch (cause) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds no public key and no certificate in PEM`, {
      cause,
    });
  }
}
