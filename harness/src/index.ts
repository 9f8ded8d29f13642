/**
 * A SIP test network in which the truth is known, for tests of what carries, signs, verifies or blocks calls.
 *
 * - **Phones:** {@link createPhone} registers, calls and answers as it is told; {@link createBlockingSubscriber} is one whose
 *   call-blocking app rejects unwanted calls and reports them.
 * - **Faults:** {@link createChaosRelay} stands between two hops and loses, delays, reorders and cuts, the same way for the same seed.
 * - **A server:** {@link createDrachtioServer} of `@hopback/harness/drachtio` speaks SIP for applications written with drachtio-srf.
 *
 * Every example on these pages is a program: all that it names of `@hopback/harness` and `@hopback/harness/drachtio` is imported, the
 * rest is there. A `console.log` says in a comment what it prints. All of them run in the tests.
 * @packageDocumentation
 */
export * from './faults/index.js';
export * from './network/index.js';
export * from './phones/index.js';
export { HARNESS_VERSION } from './version.js';
