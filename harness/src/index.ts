/**
 * A SIP test network in which the truth is known: phones and a relay that loses, delays and cuts, beside the drachtio server of
 * `@hopback/harness/drachtio`.
 * @packageDocumentation
 */
export * from './faults/index.js';
export * from './phones/index.js';
export { HARNESS_VERSION } from './version.js';
