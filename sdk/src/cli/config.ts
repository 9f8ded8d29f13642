import { stringify } from 'yaml';
import { defined } from '../core/text.js';
import { isHopbackError } from '../errors.js';
import { configurationJsonSchema } from '../sidecar/config/configuration.schema.js';
import { readConfiguration } from '../sidecar/config/read-configuration.js';
import { accountEntry, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from '../sidecar/review/sessions.js';
import { checkFiles } from '../sidecar/sidecar.js';
import { CALL_ROLES } from '../stir/signing/attestation-policy.js';
import { CONFIGURATION_OPTIONS, configurationOf, passphraseOf, problemLines } from './inputs/key-files.js';
import { EXIT, optionSpecs, refuseOperands, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, Options, OptionsOf } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { printJson, printLines } from './kit/output.js';

/** Longer than any password in UTF-8, with its line end. */
const MAX_INPUT_BYTES = 4 * MAX_PASSWORD_CHARS + 2;

const ACCOUNT: CommandBody = {
  usage: ['NAME < FILE'],
  options: {},
  notes: [
    `The password comes from standard input, ${String(MIN_PASSWORD_CHARS)} to ${String(MAX_PASSWORD_CHARS)} characters: systemd-ask-password | hopback config account NAME >> accounts. ` +
      'The line contains an scrypt hash, not the password.',
    'Exit codes: 0 made; 2 the name or the password is not valid; 4 it could not be written.',
  ],
  run: runAccount,
};

async function runAccount(options: Options<'json'>, io: CliIo): Promise<ExitCode> {
  const [name, ...more] = options.operands;
  if (name === undefined || more.length > 0) throw new UsageError('give one name, of a person or a role');
  if (io.stdin.isTty)
    throw new UsageError('the password is read from a pipe, so that nobody sees it typed', [
      'systemd-ask-password | hopback config account NAME >> accounts',
    ]);
  const bytes = await io.stdin.read(MAX_INPUT_BYTES);
  if (bytes === undefined) throw new UsageError('that is longer than any password');
  const password = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  const entry = await accountEntry({ name, password });
  if (options.isOn('json')) printJson(io, { name, entry });
  else printLines(io, [entry]);
  return EXIT.ok;
}

const CHECK_OPTIONS = optionSpecs({
  ...CONFIGURATION_OPTIONS,
  'form-only': 'check only the file, not the keys and certificates that it names',
});

const CHECK: CommandBody = {
  usage: ['[--config FILE] [--set PATH=VALUE]...'],
  options: CHECK_OPTIONS,
  notes: [
    'Each line begins with the place, hopback.yaml:12:5, in a form that editors read. Variables that begin with ' +
      'HOPBACK__ count as they do for serve.',
    'Exit codes: 0 in order; 1 something is wrong; 2 command line or input not valid; 4 the file cannot be read.',
  ],
  run: runCheck,
};

async function runCheck(options: OptionsOf<typeof CHECK_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --config.']);
  const { path, directory, read } = await configurationOf(options, io);
  const problems = read.status === 'invalid' ? read.problems : [];
  const openKeys: string[] = [];
  let unusable: string | undefined;
  if (read.status === 'read' && !options.isOn('form-only'))
    try {
      await checkFiles(read.configuration, {
        directory,
        onNotice: ({ part, text }) => void (part === 'keys' && openKeys.push(text)),
        ...defined({ passphrase: passphraseOf(io) }),
      });
    } catch (error) {
      if (!isHopbackError(error)) throw error;
      unusable = error.message;
    }
  const others = unusable === undefined ? openKeys : [...openKeys, unusable];
  const isGood = problems.length === 0 && others.length === 0;
  const lines = [...problemLines(path, problems), ...others.map((text) => `${path}: ${text}`)];
  if (options.isOn('json'))
    printJson(io, {
      path,
      isGood,
      problems,
      openKeys,
      unusable,
    });
  else printLines(io, isGood ? [`✓ ${path} is in order`] : lines);
  return isGood ? EXIT.ok : EXIT.negative;
}

const INIT_OPTIONS = optionSpecs({
  'output <FILE>': 'default hopback.yaml',
  overwrite: 'replace an existing file',
});

const INIT: CommandBody = {
  usage: ['[--output FILE] [--overwrite]'],
  options: INIT_OPTIONS,
  notes: [
    'An empty answer takes the value in brackets. Answers may also come from a pipe, one per line. hopback config ' +
      'check checks the file afterwards.',
    'Exit codes: 0 written; 2 the answers are not a valid configuration; 4 the file cannot be written, or exists ' +
      'already.',
  ],
  run: runInit,
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
    text: 'Trust: roots (certificate files) or list (signed by the policy administrator)',
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
  { id: 'role', text: `Your role for incoming calls: ${CALL_ROLES.join(', ')}`, preset: 'terminating' },
  {
    id: 'failureAction',
    text: 'What to do if verification fails: continue, continue_return_reason, reject_request',
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

async function runInit(options: OptionsOf<typeof INIT_OPTIONS>, io: CliIo): Promise<ExitCode> {
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

const SCHEMA: CommandBody = {
  usage: ['[OPTION...]'],
  options: {},
  notes: [
    'Save it beside the configuration, and begin that file with: # yaml-language-server: $schema=hopback.schema.json',
    'Exit codes: 0 printed; 2 command line or input not valid; 4 it could not be written.',
  ],
  run(options, io) {
    refuseOperands(options, []);
    printJson(io, configurationJsonSchema());
    return Promise.resolve(EXIT.ok);
  },
};

export const COMMANDS = {
  'config check': CHECK,
  'config schema': SCHEMA,
  'config init': INIT,
  'config account': ACCOUNT,
};
