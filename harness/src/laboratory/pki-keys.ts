import { createTestKey, testKeyFromPem } from '@hopback/sdk/testing';
import type { TestPkiKeys, TestPkiRole } from '@hopback/sdk/testing';

/** Private keys of a test PKI, PEM by role: with them it is the same PKI each time. */
export type PkiKeysPem = Readonly<Record<TestPkiRole, string>>;

/** New keys for all roles. */
export const newPkiKeys = (): PkiKeysPem => ({
  ...{ root: newKey(), intermediate: newKey() },
  ...{ stiPaRoot: newKey(), stiPaSigner: newKey(), stiPaCrlIssuer: newKey() },
  tlsRoot: newKey(),
});

const newKey = (): string => createTestKey().privateKeyPem;

/** The keys as a test PKI takes them. @throws what the sdk throws for a text that is no key */
export function pkiKeysFromPem(keys: PkiKeysPem): TestPkiKeys {
  const { root, intermediate, stiPaRoot, stiPaSigner, stiPaCrlIssuer, tlsRoot } = keys;
  const made = Object.entries({ root, intermediate, stiPaRoot, stiPaSigner, stiPaCrlIssuer, tlsRoot });
  return Object.fromEntries(made.map(([role, pem]) => [role, testKeyFromPem(pem)])) as TestPkiKeys;
}
