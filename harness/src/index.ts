/**
 * A SIP test network in which the truth is known. This release carries its version only; the network comes next.
 * @packageDocumentation
 */

/** Version of this package, as its package.json says. */
export const HARNESS_VERSION: string = '0.1.0';
