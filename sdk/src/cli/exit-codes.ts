import type { HopbackErrorCode } from '../errors.js';

/** What the `hopback` command exits with. Stable: scripts are written against these numbers. */
export const EXIT = {
  /** Verified, signed, found in order. */
  ok: 0,
  /** A failed verdict, a refusal to sign, a certificate that is not trusted, a check of `doctor` that failed. */
  negative: 1,
  /** The command line or the input cannot be understood. */
  usage: 2,
  /** Neither good nor bad: something could not be checked. */
  indeterminate: 3,
  /** A file, a key, a trust list or the network that the command needs is not usable. */
  environment: 4,
  /** A bug of ours. @see sysexits.h, EX_SOFTWARE */
  internal: 70,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Exit code of an error that a command let out. */
export const EXIT_OF_ERROR: Readonly<Record<HopbackErrorCode, ExitCode>> = {
  'invalid-argument': EXIT.usage,
  'invalid-configuration': EXIT.usage,
  'key-unusable': EXIT.environment,
  'certificate-unusable': EXIT.environment,
  'signer-failed': EXIT.environment,
  'storage-failed': EXIT.environment,
  'log-inconsistent': EXIT.negative,
  'network-failed': EXIT.environment,
  'trust-list-rejected': EXIT.environment,
  unavailable: EXIT.environment,
  unauthorized: EXIT.environment,
  'request-refused': EXIT.environment,
  'response-unreadable': EXIT.environment,
  aborted: EXIT.environment,
  closed: EXIT.internal,
  internal: EXIT.internal,
};
