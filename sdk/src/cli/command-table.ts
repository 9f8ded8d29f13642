import { createRequire } from 'node:module';
import type { CliIo } from './kit/node-io.js';
import type { CommandBody, CommandEntry, Program } from './kit/command.js';

type Load = () => Promise<{ readonly COMMANDS: Readonly<Record<string, CommandBody>> }>;

const verify: Load = () => import('./verify.js');
const sign: Load = () => import('./sign.js');
const decode: Load = () => import('./decode.js');
const cert: Load = () => import('./cert.js');
const cache: Load = () => import('./cache.js');
const recordsImport: Load = () => import('./records/import.js');
const recordsTail: Load = () => import('./records/tail.js');
const recordsSharing: Load = () => import('./records/sharing.js');
const credentials: Load = () => import('./credentials.js');
const recordsFind: Load = () => import('./records/find.js');
const recordsCoverage: Load = () => import('./records/coverage.js');
const recordsSql: Load = () => import('./records/sql.js');
const recordsHolds: Load = () => import('./records/holds.js');
const evidence: Load = () => import('./evidence.js');
const tracebackIntake: Load = () => import('./traceback-intake.js');
const tracebackShow: Load = () => import('./traceback-show.js');
const tracebackAnswer: Load = () => import('./traceback-answer.js');
const serve: Load = () => import('./serve.js');
const config: Load = () => import('./config.js');
const redirect: Load = () => import('./redirect.js');
const doctor: Load = () => import('./doctor.js');

/** All commands with their summaries, in the order of the help. */
const ROWS: readonly (readonly [name: string, summary: string, load: Load])[] = [
  ['verify', 'verify the Identity headers of a call and show why', verify],
  ['sign', 'sign a call, or its diversion', sign],
  ['decode', 'show what an Identity header says, without verifying it', decode],
  ['cert inspect', 'show certificates and their deviations from the SHAKEN profile', cert],
  ['cert chain', 'build the path from a certificate to a trust anchor', cert],
  ['cache preload', 'fetch certificates before calls need them', cache],
  ['cache export', 'write all cached certificates into one file', cache],
  ['cache import', 'import certificates that another machine exported', cache],
  ['records import', 'read files of call records into a store', recordsImport],
  ['records tail', 'follow switches, store their records, and stream those that may be shared', recordsTail],
  ['records preview', 'show which call records would be sent, in which form and why', recordsSharing],
  ['records rejects', 'list rows that could not be read', recordsImport],
  ['records dead-letters', 'list records that the platform refused permanently, and decide about them', recordsSharing],
  ['keygen', 'make a private key, or print the public JWK of one', credentials],
  ['csr', 'make a certificate signing request with a TNAuthList', credentials],
  ['records find', 'find calls, or show for which times the store is not complete', recordsFind],
  ['records coverage', 'show for which times each source is complete', recordsCoverage],
  ['records stats', 'show how much the record store holds', recordsCoverage],
  ['records sql', 'query call records with a SELECT statement', recordsSql],
  ['records export', 'write call records as Parquet files', recordsSql],
  ['records hold', 'protect calls from retention', recordsHolds],
  ['records holds', 'list the holds in force, or every hold and release', recordsHolds],
  ['records release', 'end a hold', recordsHolds],
  ['records expire', 'remove calls that are older than retention', recordsHolds],
  ['evidence verify', 'name the first bad entry of a log of evidence, or what is wrong with a pack', evidence],
  ['evidence show', 'list the packs of a folder of evidence, or show one', evidence],
  ['evidence export', 'write a pack to a folder that openssl and sha256sum alone can check', evidence],
  ['traceback intake', 'read traceback requests from text, e-mail or CSV, and show doubtful values', tracebackIntake],
  ['traceback list', 'list traceback requests and notices, with deadline, state and queue', tracebackShow],
  [
    'traceback show',
    'show a traceback request: the candidate calls side by side, and the possible answers',
    tracebackShow,
  ],
  ['traceback answer', 'decide a traceback request as a person; the responder signs and sends', tracebackAnswer],
  [
    'traceback policy try',
    'show what a policy would have answered to past requests, and which rules held the others back',
    tracebackAnswer,
  ],
  ['serve', 'answer switches over HTTP: verify and sign their calls', serve],
  ['config check', 'check the configuration of serve, and show the line of each problem', config],
  ['config schema', 'print the JSON Schema of the configuration, for editors', config],
  ['config init', 'ask for the settings and write the configuration', config],
  ['config account', 'make the account line for the review page of tracebacks', config],
  ['redirect', 'sign and verify calls for SBCs that ask by SIP redirect', redirect],
  ['doctor', 'check machine, trust, cache, key and certificate', doctor],
];

/** All commands. Each is loaded when it is asked for. */
export const COMMANDS: readonly CommandEntry[] = ROWS.map(([name, summary, load]) => ({
  name,
  summary,
  load: async () => {
    const body = (await load()).COMMANDS[name];
    if (body === undefined) throw new TypeError(`${name} is in the table of commands, and not in its file`);
    return { name, summary, ...body };
  },
}));

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
