import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { createLogSigner, type LogSigner } from '@hopback/sdk/log';
import { isThere, keptSecret, openKeyRing, type KeyRing } from '../database/index.js';

/** The folder of a platform: its keys, and where everything else lies that is not in its database. */
export interface PlatformHome {
  readonly directory: string;
  readonly keyRing: KeyRing;
  /** Signs checkpoints of the audit, manifests and lists of receipts. */
  readonly signer: LogSigner;
  /** Signs receipts of answers. */
  readonly receiptKey: HomeKey;
  /** 32 octets that documents and productions are encrypted with. */
  readonly fileKey: Uint8Array;
  /** Of the first operator. */
  readonly operatorKey: HomeKey;
  readonly folders: PlatformFolders;
}

/** A key of P-256 in a file of the folder. */
export interface HomeKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** PEM, PKCS#8, readable by its owner alone. */
  readonly file: string;
}

/** Where things lie, as absolute as `directory` is. */
export interface PlatformFolders {
  readonly database: string;
  readonly live: string;
  readonly audit: string;
  readonly files: string;
  readonly keys: string;
}

/** Octets of the key of files: AES-256. */
const FILE_KEY_BYTES = 32;

/**
 * Opens the folder of a platform, and makes what is not there: keys above all, each in a file that its owner alone may read. Whoever has a
 * backup without `keys` reads no number of it.
 * @param directory - made where it is not there
 * @throws HopbackError `key-unusable` for a file that is no key, or that others may read, and where there are data and their keys are gone; `storage-failed`
 */
export async function openPlatformHome(directory: string): Promise<PlatformHome> {
  const folders = foldersOf(directory);
  await requireKeysOfData(folders);
  const signerFile = await keyFile(folders.keys, 'signer');
  const receipts = await keyFile(folders.keys, 'receipts');
  const operator = await keyFile(folders.keys, 'operator');
  return {
    directory,
    folders,
    keyRing: await openKeyRing(join(folders.keys, 'ring.json')),
    signer: createLogSigner(signerFile.pem),
    receiptKey: homeKey('receipts-1', receipts),
    operatorKey: homeKey('operator-1', operator),
    fileKey: await fileKeyOf(join(folders.keys, 'files.key')),
  };
}

/** Where things lie in a folder of a platform. */
export function foldersOf(directory: string): PlatformFolders {
  return {
    database: join(directory, 'database'),
    live: join(directory, 'live'),
    audit: join(directory, 'audit'),
    files: join(directory, 'files'),
    keys: join(directory, 'keys'),
  };
}

/** New keys would read nothing of what is there, and a platform with both old and new data is harder to mend than one that does not start. */
async function requireKeysOfData({ keys, ...folders }: PlatformFolders): Promise<void> {
  if (await isThere(join(keys, 'ring.json'))) return;
  for (const folder of Object.values(folders)) {
    if (await isThere(folder))
      throw new HopbackError(
        'key-unusable',
        `${folder} exists, but its keys are missing: restore their backup to ${keys}`,
      );
  }
}

interface KeyFile {
  readonly file: string;
  readonly pem: string;
}

function homeKey(keyId: string, { file, pem }: KeyFile): HomeKey {
  try {
    return { keyId, file, privateKey: createPrivateKey(pem) };
  } catch (cause) {
    throw new HopbackError('key-unusable', `${file} is no private key: PKCS#8, PEM`, { cause });
  }
}

async function keyFile(folder: string, name: string): Promise<KeyFile> {
  const file = join(folder, `${name}.pem`);
  const pem = await keptSecret(file, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' });
  });
  return { file, pem: pem.toString('utf8') };
}

async function fileKeyOf(file: string): Promise<Uint8Array> {
  const octets = await keptSecret(file, () => randomBytes(FILE_KEY_BYTES));
  if (octets.length !== FILE_KEY_BYTES)
    throw new HopbackError('key-unusable', `${file} is not a file key: it has ${octets.length} octets`);
  return octets;
}
