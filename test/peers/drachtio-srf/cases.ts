import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { THEIR_TESTS } from './network.js';

/** A test file to run. */
export interface RunFile {
  /** Relative to the folder of tests; absolute for a file of ours. */
  readonly name: string;
  /** Number of assertions that have to pass. */
  readonly assertions: number;
  /** Scenarios of callees that complete at least one call. */
  readonly answered: readonly string[];
}

export const RUN_FILES: readonly RunFile[] = [
  { name: 'b2b.js', assertions: 19, answered: ['uas-prack.xml', 'uas-cancel.xml', 'uas-404.xml'] },
  { name: 'proxy.js', assertions: 2, answered: ['uas.xml'] },
  { name: 'refer.js', assertions: 1, answered: [] },
  { name: 'reinvite-tests.js', assertions: 1, answered: [] },
  {
    name: 'uac.js',
    assertions: 19,
    answered: [
      ...['uas.xml', 'uas-prack.xml', 'uas-302.xml', 'uas-cancel.xml', 'uas-auth-register.xml'],
      ...['uas-auth-register-no-realm.xml', 'uas-bye-with-auth.xml', 'uas-reinvite-with-auth.xml'],
    ],
  },
  { name: 'uas.js', assertions: 8, answered: [] },
  { name: 'utils.js', assertions: 27, answered: [] },
];

/** Our file for the scenarios that no test file of drachtio-srf completes. */
export const FURTHER_SCENARIOS: RunFile = {
  name: fileURLToPath(new URL('./further-scenarios.cjs', import.meta.url)),
  assertions: 10,
  answered: [
    ...['uas-options-expect-200.xml', 'uas-auth.xml', 'uas-reinvite.xml', 'uas-update-with-sdp.xml'],
    ...['uas-reinvite-overlap.xml', 'uas-refer.xml'],
  ],
};

/** Files that are not run, by name relative to the folder of tests, and the reason. */
export type NotCovered = readonly [pattern: RegExp, reason: string];

export const FILES_NOT_RUN: readonly NotCovered[] = [
  [/^unit-tests\/.*\.js$/, 'unit tests of drachtio-srf, without a server'],
  [/^parser\.js$/, 'unit test of drachtio-srf, without a server; never ends, and is not in `index.js`'],
  [/^subscribe\.js$/, 'never sends the second NOTIFY that its SIPp scenario waits for; not in `index.js`'],
  [/^benchmark\//, 'benchmark of the parser of drachtio-srf, without a server'],
  [
    /^docker_(?:start|stop)\.js$|^docker-compose-testbed\.yaml$/,
    'start containers; the driver reads the list of services from the compose file',
  ],
  [/^(?:index|sipp)\.js$/, 'start the other files and SIPp; `sipp.js` is used by the files above'],
  [
    /^scripts\/(?:b2b|proxy|refer-b2b|refer-uas|uas|crash-signatures)\.js$/,
    'applications and helpers of the files above',
  ],
  [/^scripts\/reject\.js$/, 'an application that no test uses'],
  [/^scenarios\/pcap\//, 'audio for `uac-pcap.xml`'],
];

/** Scenarios of which single runs may fail without a fault of the server, and why. At least one run has to pass. */
export const SCENARIOS_THAT_MAY_FAIL: ReadonlyMap<string, string> = new Map([
  ['uac-drop-one-200.xml', 'drops three of four responses at random, and is repeated if it drops all of them'],
  ['uac-drop-one-503.xml', 'drops three of four responses at random, and is repeated if it drops all of them'],
  [
    'uas.xml',
    'has no step for the CANCEL of a call whose application disconnects, as `uac.js` does right after one INVITE is sent',
  ],
  ['uas-reinvite-overlap.xml', 'has no step for the BYE that `uac.js` sends at the end; complete without that BYE'],
]);

/** Scenarios that do not complete, and why. */
export const SCENARIOS_NOT_COVERED: ReadonlyMap<string, string> = new Map([
  [
    'uas-200-ok-no-contact-cancel.xml',
    'waits for a CANCEL after its 200. `b2b.js` uses it and passes, but nobody can cancel an answered call',
  ],
  [
    'uas-407-no-auth-header.xml',
    'waits for credentials after a 407 without a challenge. `uac.js` uses it, passes, and asserts that none are sent',
  ],
  [
    'uac-drop-200-then-cancel.xml',
    'expects 481 for a CANCEL after the 200. The embedded server answers [200, and the call continues](drachtio-compatibility.md#calls-that-come-in)',
  ],
  [
    'uac-spammer-expect-603.xml',
    'needs the spammer list of drachtio-server, which is [not covered](drachtio-compatibility.md#what-is-not-covered)',
  ],
  ['uac-pcap.xml', 'needs root, to send audio from a raw socket. Its SIP messages are those of `uac.xml`'],
]);

/** Every file in the folder of tests, relative to it, with `/` between the parts. */
export function theirFiles(): readonly string[] {
  return readdirSync(THEIR_TESTS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(THEIR_TESTS, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
