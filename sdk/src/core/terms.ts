/**
 * Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.
 * @see RFC 8588 section 4
 */
export type Attestation = 'A' | 'B' | 'C';

/**
 * The `verstat` value that a verification service reports for a call.
 * @see 3GPP TS 24.229 section 7.2A.20, ATIS-1000082
 */
export type Verstat = 'TN-Validation-Passed' | 'TN-Validation-Failed' | 'No-TN-Validation';

/** A telephone number in canonical form: digits, `*` and `#` only, no leading `+`. @see RFC 8224 section 8.3 */
export type CanonicalTn = string;

/** Service Provider Code: an OCN or similar, 1 to 15 characters of `0-9A-Z`. @see RFC 8226 section 9 */
export type Spc = string;
