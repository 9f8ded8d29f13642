import { TEST_NOW_MS } from '../manual-clock.js';
import { createPassport, TEST_DEST_TN, TEST_ORIG_ID, TEST_ORIG_TN } from '../passport.js';
import type { PassportOptions } from '../passport.js';
import { issueCertificate } from '../issue-certificate.js';
import type { TestCertificate } from '../test-key.js';

/** Verification profiles that a fault makes a statement about. */
export type FaultProfile = 'shaken' | 'rfc8224';

/** A call that faulty PASSporTs are made for: one fitting signer, one attacker, the numbers and the time. */
export interface PassportFaultContext {
  /** Has authority for the caller's number; its chain is what `x5u` serves. */
  readonly signer: TestCertificate;
  readonly x5u: string;
  /** The verifier's time, seconds since the epoch. */
  readonly nowSeconds: number;
  readonly origTn: string;
  readonly destTn: string;
  readonly origId: string;
  /** Self-signed, same subject as the signer, another key. */
  readonly attacker: TestCertificate;
}

/** What {@link PassportFault.build} yields. */
export interface FaultyIdentityHeader {
  readonly identityHeader: string;
  /** The failure reason that a verifier of this library gives, among others; absent where the header is accepted. */
  readonly expectedReasonHint?: string;
}

/** One way in which an Identity header is wrong, or only looks wrong. */
export interface PassportFault {
  /** One sentence: what was done to an otherwise right header. */
  readonly description: string;
  /** Profiles under which it must never pass. */
  readonly refusedBy: readonly FaultProfile[];
  /** Profiles under which it must pass all the same; a profile in neither list is not judged. */
  readonly acceptedBy: readonly FaultProfile[];
  /** Writes the header for a call. */
  readonly build: (context: PassportFaultContext) => FaultyIdentityHeader;
}

/** Settings of {@link createPassportFaultContext}. */
export interface PassportFaultContextOptions {
  readonly signer: TestCertificate;
  readonly x5u: string;
  /** The verifier's time, milliseconds since the epoch; default {@link TEST_NOW_MS}. */
  readonly nowMs?: number;
  readonly origTn?: string;
  readonly destTn?: string;
  readonly origId?: string;
}

/**
 * Completes the call that faulty PASSporTs are made for, with an attacker of its own. Never throws.
 * @param options - the provider that may sign, where its chain is, and what of the call is to be otherwise than default
 * @returns what every entry of the catalogues is built from
 * @see RFC 8224 section 12 for what attackers try
 * @example
 * ```ts
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const context = createPassportFaultContext({ signer, x5u: 'https://certs.example/1234.pem' });
 * const { expectedReasonHint } = PASSPORT_FAULTS['signature-der'].build(context);
 * console.log(expectedReasonHint); // signature-invalid
 * ```
 */
export function createPassportFaultContext(options: PassportFaultContextOptions): PassportFaultContext {
  const { signer, x5u } = options;
  return {
    signer,
    x5u,
    nowSeconds: Math.floor((options.nowMs ?? TEST_NOW_MS) / 1000),
    origTn: options.origTn ?? TEST_ORIG_TN,
    destTn: options.destTn ?? TEST_DEST_TN,
    origId: options.origId ?? TEST_ORIG_ID,
    attacker: issueCertificate({
      issuer: 'self',
      subject: signer.subject,
      serialNumber: signer.serialNumber,
      notBeforeMs: signer.notBeforeMs,
      notAfterMs: signer.notAfterMs,
    }),
  };
}

/** The right token of a context, with changes. */
export function passportOptions(context: PassportFaultContext, changes: Partial<PassportOptions>): PassportOptions {
  const { signer, x5u, nowSeconds, origTn, destTn, origId } = context;
  return { signer, x5u, iatSeconds: nowSeconds, origTn, destTn, origId, ...changes };
}

/** A fault made by changing what the token is built of. */
export function refused(
  reason: string,
  description: string,
  change: (context: PassportFaultContext) => Partial<PassportOptions>,
): PassportFault {
  return refusedText(
    reason,
    description,
    (context) => createPassport(passportOptions(context, change(context))).identityHeader,
  );
}

/** A fault made by changing the text of the header. */
export function refusedText(
  reason: string,
  description: string,
  write: (context: PassportFaultContext) => string,
): PassportFault {
  return {
    description,
    refusedBy: ['shaken', 'rfc8224'],
    acceptedBy: [],
    build: (context) => ({ identityHeader: write(context), expectedReasonHint: reason }),
  };
}

/** Something unusual that is right all the same. */
export function accepted(description: string, write: (context: PassportFaultContext) => string): PassportFault {
  return {
    description,
    refusedBy: [],
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) => ({ identityHeader: write(context) }),
  };
}

/** Header value of the right token, with changes. */
export function headerOf(context: PassportFaultContext, changes: Partial<PassportOptions> = {}): string {
  return createPassport(passportOptions(context, changes)).identityHeader;
}
