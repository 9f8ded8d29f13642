import type { TestPkiRole } from '@hopback/sdk/testing';
import { z } from 'zod';

/** A private key, PEM; no key that anybody uses is nearly as long. */
export const keyPem: z.ZodType<string> = z.string().min(1).max(32_768);

/** Members that the keys of a test PKI have to have. */
export const PKI_KEYS_SHAPE: Readonly<Record<TestPkiRole, z.ZodType<string>>> = {
  root: keyPem,
  intermediate: keyPem,
  stiPaRoot: keyPem,
  stiPaSigner: keyPem,
  stiPaCrlIssuer: keyPem,
  tlsRoot: keyPem,
};
