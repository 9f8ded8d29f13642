import { stringify } from 'yaml';
import { readConfiguration } from '../sidecar/index.js';
import { CALL_ROLES } from '../stir/index.js';
import type { Command } from './command.js';
import { problemLines } from './configuration-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options } from './options.js';
import { printLines } from './output.js';

/** `hopback config init` */
export const configInitCommand: Command = {
  name: 'config init',
  summary: 'ask what is needed, and write that configuration',
  usage: ['[--output FILE] [--overwrite]'],
  options: {
    output: { value: 'FILE', text: 'default hopback.yaml' },
    overwrite: { text: 'put it in the place of a file that is there' },
  },
  notes: [
    'An empty answer takes what stands in brackets. Answers may also come from a pipe, one a line. hopback config check looks at what was written.',
    'Exit codes: 0 written; 2 the answers make no configuration; 4 the file cannot be written, or is there already.',
  ],
  run,
};

interface Question {
  readonly id: string;
  readonly text: string;
  readonly preset: string;
  /** Whether it is asked, after the answers so far. */
  readonly isAsked?: (answers: ReadonlyMap<string, string>) => boolean;
}

const isSigning = (answers: ReadonlyMap<string, string>): boolean => /^y(?:es)?$/i.test(answers.get('signs') ?? '');
const isPublished = (answers: ReadonlyMap<string, string>): boolean =>
  isListed(answers) && answers.get('list')?.startsWith('https://') === true;
const isListed = (answers: ReadonlyMap<string, string>): boolean => answers.get('trust') === 'list';

const QUESTIONS: readonly Question[] = [
  { id: 'host', text: 'Address to listen at for your switch', preset: '127.0.0.1' },
  { id: 'port', text: 'Port', preset: '8090' },
  {
    id: 'trust',
    text: 'Whom to trust: roots (certificate files) or list (signed, of the policy administrator)',
    preset: 'list',
  },
  { id: 'list', text: 'File of the list, or its https URL', preset: 'sti-pa-list.jws', isAsked: isListed },
  {
    id: 'roots',
    text: 'File or directory of STI-CA roots',
    preset: 'sti-ca-roots.pem',
    isAsked: (answers) => !isListed(answers),
  },
  { id: 'stiPaRoot', text: 'File of the root of the policy administrator', preset: 'sti-pa-root.pem' },
  { id: 'crl', text: 'File of the CRL; - for none', preset: 'sti-pa.crl', isAsked: (answers) => !isPublished(answers) },
  { id: 'crlUrl', text: 'URL of the CRL; - for none', preset: '-', isAsked: isPublished },
  { id: 'crlSigner', text: 'File of the certificate of its signer; - where the CRL names it', preset: '-' },
  { id: 'role', text: `What you are to the calls that come in: ${CALL_ROLES.join(', ')}`, preset: 'terminating' },
  {
    id: 'failureAction',
    text: 'What a failed verdict does: continue, continue_return_reason, reject_request',
    preset: 'continue_return_reason',
  },
  { id: 'signs', text: 'Are calls signed here: yes or no', preset: 'no' },
  { id: 'key', text: 'File of the private key', preset: 'signing-key.pem', isAsked: isSigning },
  { id: 'certificate', text: 'File of the certificate chain', preset: 'signing-chain.pem', isAsked: isSigning },
  {
    id: 'x5u',
    text: 'URL that serves the chain',
    preset: 'https://certificates.example.com/chain.pem',
    isAsked: isSigning,
  },
];

async function run(options: Options<'output' | 'overwrite' | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --output.']);
  const answers = new Map<string, string>();
  for (const { id, text, preset, isAsked } of QUESTIONS) {
    if (isAsked?.(answers) === false) continue;
    const given = await io.ask(`${text} [${preset}]: `);
    answers.set(id, given === undefined || given.trim() === '' ? preset : given.trim());
  }
  const path = options.text('output') ?? 'hopback.yaml';
  const text = `${HEADER}${stringify(configurationOfAnswers(answers))}`;
  const read = readConfiguration({ text });
  if (read.status === 'invalid') {
    printLines(io, ['', ...problemLines(path, read.problems)], io.stderr);
    return EXIT.usage;
  }
  await io.files.write(path, text, { mode: 0o644, overwrite: options.isOn('overwrite') });
  printLines(io, [
    '',
    `✓ ${path} is written`,
    `  hopback config check --config ${path}`,
    `  hopback serve --config ${path}`,
  ]);
  return EXIT.ok;
}

const HEADER = `# Configuration of the Hopback sidecar. Paths begin at the directory of this file.
# hopback config check looks through it; hopback config schema > hopback.schema.json helps editors:
# yaml-language-server: $schema=hopback.schema.json
`;

function configurationOfAnswers(answers: ReadonlyMap<string, string>): Readonly<Record<string, unknown>> {
  const answer = (id: string): string => answers.get(id) ?? '';
  const files = (id: string): readonly string[] => (['-', ''].includes(answer(id)) ? [] : [answer(id)]);
  const list = listOf(answers, files('crlUrl'));
  return {
    listen: { calls: { host: answer('host'), port: Number(answer('port')) } },
    trust: {
      ...(isListed(answers) ? { list } : { roots: files('roots') }),
      stiPaRoots: files('stiPaRoot'),
      ...(!isPublished(answers) && { crls: files('crl') }),
      ...(files('crlSigner').length > 0 && { crlSigners: files('crlSigner') }),
    },
    certificates: { directory: 'certificates' },
    trunks: { default: { role: answer('role'), failureAction: answer('failureAction') } },
    ...(isSigning(answers) && {
      signing: { key: answer('key'), certificate: answer('certificate'), x5u: answer('x5u') },
    }),
  };
}

function listOf(answers: ReadonlyMap<string, string>, crlUrls: readonly string[]): Readonly<Record<string, unknown>> {
  const where = answers.get('list');
  return isPublished(answers) ? { url: where, crlUrls, cache: 'sti-pa-list.cache' } : { path: where };
}
