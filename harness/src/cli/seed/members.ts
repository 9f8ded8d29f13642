import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { createPlatformClient, privateKeyJwt } from '@hopback/sdk/platform';
import type { PlatformClient } from '@hopback/sdk/platform';
import { keptSecret } from '../../platform/database/index.js';
import { writeProfile } from '../platform/profiles.js';

/** Somebody who calls the platform in the demo. */
export interface DemoMember {
  readonly word: string;
  readonly clientId: string;
  readonly client: PlatformClient;
  /** Public half of the key of its client, with `kid`. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** Where members of a demo have their profiles and keys. */
export const demoFolder = (directory: string): string => join(directory, 'demo');

/** A key of P-256 in a file that its owner alone may read, made where it is not there. */
export async function demoKey(
  path: string,
  keyId: string,
): Promise<{ readonly pem: string; readonly jwk: Readonly<Record<string, unknown>> }> {
  const kept = await keptSecret(path, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' });
  });
  const pem = kept.toString('utf8');
  return { pem, jwk: { ...createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' }), kid: keyId } };
}

/** The client of a member, with its key and profile in the folder of the demo. */
export async function demoMember(
  word: string,
  { baseUrl, directory }: { readonly baseUrl: string; readonly directory: string },
): Promise<DemoMember> {
  const folder = demoFolder(directory);
  const [keyId, clientId, keyFile] = [`${word}-1`, `demo-${word}`, join(folder, `${word}.pem`)];
  const { pem, jwk } = await demoKey(keyFile, keyId);
  await writeProfile(join(folder, `${word}.json`), { baseUrl, clientId, keyId, keyFile });
  return { word, clientId, jwk, client: await clientOf({ baseUrl, clientId, keyId, key: pem }) };
}

/** A client that signs its own assertions. */
export async function clientOf(by: {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly keyId: string;
  readonly key: string;
}): Promise<PlatformClient> {
  const { baseUrl, clientId, keyId, key } = by;
  const authorization = await privateKeyJwt({ tokenUrl: `${baseUrl}/oauth/token`, clientId, keyId, key });
  return createPlatformClient({ baseUrl, authorization });
}
