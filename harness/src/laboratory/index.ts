import { chmod, writeFile } from 'node:fs/promises';
import { createTestKey } from '@hopback/sdk/testing';
import type { TestPkiOptions } from '@hopback/sdk/testing';
import { z } from 'zod';

/** Writes a file that nobody else may read. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  // A file that was there keeps its mode.
  await chmod(path, 0o600);
}

/** The value of a JSON text; undefined for invalid JSON, so that a schema refuses it. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A private key, PEM; no key that anybody uses is nearly as long. */
export const keyPem: z.ZodType<string> = z.string().min(1).max(32_768);

type TestPkiKeys = NonNullable<TestPkiOptions['keys']>;

/** Members that the keys of a test PKI have to have. */
export const PKI_KEYS_SHAPE: Readonly<Record<keyof TestPkiKeys, z.ZodType<string>>> = {
  root: keyPem,
  intermediate: keyPem,
  stiPaRoot: keyPem,
  stiPaSigner: keyPem,
  stiPaCrlIssuer: keyPem,
  tlsRoot: keyPem,
};

/** Private keys of a test PKI, PEM by role: with them it is the same PKI each time. */
export type PkiKeysPem = Readonly<Record<keyof TestPkiKeys, string>>;

/** New keys for all roles. */
export const newPkiKeys = (): PkiKeysPem => ({
  root: newKey(),
  intermediate: newKey(),
  stiPaRoot: newKey(),
  stiPaSigner: newKey(),
  stiPaCrlIssuer: newKey(),
  tlsRoot: newKey(),
});

const newKey = (): string => createTestKey().privateKeyPem;

/** The keys as a test PKI takes them. @throws what the sdk throws for a text that is no key */
export function pkiKeysFromPem(keys: PkiKeysPem): TestPkiKeys {
  const { root, intermediate, stiPaRoot, stiPaSigner, stiPaCrlIssuer, tlsRoot } = keys;
  const made = Object.entries({
    root,
    intermediate,
    stiPaRoot,
    stiPaSigner,
    stiPaCrlIssuer,
    tlsRoot,
  });
  return Object.fromEntries(made.map(([role, pem]) => [role, createTestKey('P-256', pem)])) as TestPkiKeys;
}

/** What XML cannot hold at all. @see XML 1.0 section 2.2 */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Text for XML and HTML, in elements and in attributes. */
export const escapeMarkup = (text: string): string =>
  text
    .replaceAll(NOT_XML, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
