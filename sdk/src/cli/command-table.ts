import { createRequire } from 'node:module';
import type { CliIo } from './kit/io.js';
import type { CommandEntry, Program } from './kit/command.js';

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'verify',
    summary: 'verify the Identity headers of a call and show why',
    load: async () => (await import('./verify.js')).verifyCommand,
  },
  {
    name: 'sign',
    summary: 'sign a call, or its diversion',
    load: async () => (await import('./sign.js')).signCommand,
  },
  {
    name: 'decode',
    summary: 'show what an Identity header says, without verifying it',
    load: async () => (await import('./decode.js')).decodeCommand,
  },
  {
    name: 'cert inspect',
    summary: 'show certificates and their deviations from the SHAKEN profile',
    load: async () => (await import('./cert.js')).certInspectCommand,
  },
  {
    name: 'cert chain',
    summary: 'build the path from a certificate to a trust anchor',
    load: async () => (await import('./cert.js')).certChainCommand,
  },
  {
    name: 'cache preload',
    summary: 'fetch certificates before calls need them',
    load: async () => (await import('./cache.js')).cachePreloadCommand,
  },
  {
    name: 'cache export',
    summary: 'write all cached certificates into one file',
    load: async () => (await import('./cache.js')).cacheExportCommand,
  },
  {
    name: 'cache import',
    summary: 'import certificates that another machine exported',
    load: async () => (await import('./cache.js')).cacheImportCommand,
  },
  {
    name: 'records import',
    summary: 'read files of call records into a store',
    load: async () => (await import('./records-import.js')).recordsImportCommand,
  },
  {
    name: 'records tail',
    summary: 'follow switches, store their records, and stream those that may be shared',
    load: async () => (await import('./records-tail.js')).recordsTailCommand,
  },
  {
    name: 'records preview',
    summary: 'show which call records would be sent, in which form and why',
    load: async () => (await import('./records-sharing.js')).recordsPreviewCommand,
  },
  {
    name: 'records rejects',
    summary: 'list rows that could not be read',
    load: async () => (await import('./records-import.js')).recordsRejectsCommand,
  },
  {
    name: 'records dead-letters',
    summary: 'list records that the platform refused permanently, and decide about them',
    load: async () => (await import('./records-sharing.js')).recordsDeadLettersCommand,
  },
  {
    name: 'keygen',
    summary: 'make a private key, or print the public JWK of one',
    load: async () => (await import('./credentials.js')).keygenCommand,
  },
  {
    name: 'csr',
    summary: 'make a certificate signing request with a TNAuthList',
    load: async () => (await import('./credentials.js')).csrCommand,
  },
  {
    name: 'records find',
    summary: 'find calls, or show for which times the store is not complete',
    load: async () => (await import('./records-find.js')).recordsFindCommand,
  },
  {
    name: 'records coverage',
    summary: 'show for which times each source is complete',
    load: async () => (await import('./records-coverage.js')).recordsCoverageCommand,
  },
  {
    name: 'records stats',
    summary: 'show how much the record store holds',
    load: async () => (await import('./records-coverage.js')).recordsStatsCommand,
  },
  {
    name: 'records hold',
    summary: 'protect calls from retention',
    load: async () => (await import('./records-holds.js')).recordsHoldCommand,
  },
  {
    name: 'records holds',
    summary: 'list the holds in force, or every hold and release',
    load: async () => (await import('./records-holds.js')).recordsHoldsCommand,
  },
  {
    name: 'records release',
    summary: 'end a hold',
    load: async () => (await import('./records-holds.js')).recordsReleaseCommand,
  },
  {
    name: 'records expire',
    summary: 'remove calls that are older than retention',
    load: async () => (await import('./records-holds.js')).recordsExpireCommand,
  },
  {
    name: 'evidence verify',
    summary: 'name the first bad entry of a log of evidence, or what is wrong with a pack',
    load: async () => (await import('./evidence.js')).evidenceVerifyCommand,
  },
  {
    name: 'evidence show',
    summary: 'list the packs of a folder of evidence, or show one',
    load: async () => (await import('./evidence.js')).evidenceShowCommand,
  },
  {
    name: 'evidence export',
    summary: 'write a pack to a folder that openssl and sha256sum alone can check',
    load: async () => (await import('./evidence.js')).evidenceExportCommand,
  },
  {
    name: 'traceback intake',
    summary: 'read traceback requests from text, e-mail or CSV, and show doubtful values',
    load: async () => (await import('./traceback-intake.js')).tracebackIntakeCommand,
  },
  {
    name: 'traceback list',
    summary: 'list traceback requests and notices, with deadline, state and queue',
    load: async () => (await import('./traceback-show.js')).tracebackListCommand,
  },
  {
    name: 'traceback show',
    summary: 'show a traceback request: the candidate calls side by side, and the possible answers',
    load: async () => (await import('./traceback-show.js')).tracebackShowCommand,
  },
  {
    name: 'traceback answer',
    summary: 'decide a traceback request as a person; the responder signs and sends',
    load: async () => (await import('./traceback-answer.js')).tracebackAnswerCommand,
  },
  {
    name: 'traceback policy try',
    summary: 'show what a policy would have answered to past requests, and which rules held the others back',
    load: async () => (await import('./traceback-answer.js')).tracebackPolicyTryCommand,
  },
  {
    name: 'serve',
    summary: 'answer switches over HTTP: verify and sign their calls',
    load: async () => (await import('./serve.js')).serveCommand,
  },
  {
    name: 'config check',
    summary: 'check the configuration of serve, and show the line of each problem',
    load: async () => (await import('./config.js')).configCheckCommand,
  },
  {
    name: 'config schema',
    summary: 'print the JSON Schema of the configuration, for editors',
    load: async () => (await import('./config.js')).configSchemaCommand,
  },
  {
    name: 'config init',
    summary: 'ask for the settings and write the configuration',
    load: async () => (await import('./config.js')).configInitCommand,
  },
  {
    name: 'config account',
    summary: 'make the account line for the review page of tracebacks',
    load: async () => (await import('./config.js')).configAccountCommand,
  },
  {
    name: 'redirect',
    summary: 'sign and verify calls for SBCs that ask by SIP redirect',
    load: async () => (await import('./redirect.js')).redirectCommand,
  },
  {
    name: 'doctor',
    summary: 'check machine, trust, cache, key and certificate',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
];

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };

/** The program `hopback`. */
export const HOPBACK: Program<CliIo> = {
  name: 'hopback',
  summary: 'verify and sign calls (STIR/SHAKEN), keep and find call records, answer tracebacks',
  version,
  commands: COMMANDS,
  notes: [
    'Exit codes: 0 passed or in order; 1 failed verdict or negative finding; 2 command line or input not valid; 3 indeterminate; 4 a file, key, list or ' +
      'the network is not usable; 70 an internal error (a bug in Hopback).',
  ],
};
