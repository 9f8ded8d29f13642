import { CREDENTIAL_OPTIONS } from './signing-options.js';
import type { CredentialOption } from './signing-options.js';
import { REPOSITORY_OPTIONS } from './certificate-options.js';
import type { RepositoryOption } from './certificate-options.js';
import type { Command } from './command.js';
import { checkCredential } from './doctor-credential.js';
import { checkClock, checkNameServers, checkNode, checkSignatures } from './doctor-machine.js';
import { checkPublished } from './doctor-published.js';
import { checkCache, checkTrust } from './doctor-stores.js';
import type { Finding } from './finding.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { printJson, printLines } from './output.js';
import { TRUST_OPTIONS } from './trust-options.js';
import type { TrustOption } from './trust-options.js';
import { printableText } from '../core/text.js';

/** Options that checks look at. */
export type DoctorOption = TrustOption | CredentialOption | RepositoryOption;

const { offline: _offline, ...REPOSITORY } = REPOSITORY_OPTIONS;

/** `hopback doctor` */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'check machine, trust, cache, key and certificate',
  usage: ['[OPTION...]'],
  options: { ...TRUST_OPTIONS, ...CREDENTIAL_OPTIONS, ...REPOSITORY } satisfies OptionSpecs<
    Exclude<DoctorOption, 'offline'>
  >,
  notes: [
    'Checks what is named: give the same options and variables as to verify and sign. Nobody is contacted unless --x5u names a URL, ' +
      'which is then fetched as a verifier would, its chain compared and its Date held against the clock. --trust together with ' +
      '--certificate builds the path of the certificate.',
    'Exit codes: 0 no ✗, 1 at least one, 2 not understood, 4 the answer could not be written.',
  ],
  run,
};

async function run(options: Options<DoctorOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name what is to be checked by option, such as --certificate FILE.']);
  const trust = await checkTrust(options, io);
  const credential = await checkCredential(options, io, trust.store);
  const findings: readonly Finding[] = [
    checkNode(io),
    checkClock(io),
    await checkSignatures(io),
    checkNameServers(io),
    ...trust.findings,
    await checkCache(options, io),
    ...credential.findings,
    ...(await checkPublished(options, io, credential.chain)),
  ];
  const exitCode = findings.some(({ result }) => result === 'failed') ? EXIT.negative : EXIT.ok;
  if (options.isOn('json')) printJson(io, { format: 'hopback.doctor.1', exitCode, findings });
  else printLines(io, [...findings.flatMap(linesOf), '', summaryOf(findings)]);
  return exitCode;
}

const MARKS: Readonly<Record<Finding['result'], string>> = { ok: '✓', failed: '✗', warning: '!', skipped: '·' };

/** Room for the longest name. */
const NAME_CHARS = 20;

function linesOf({ name, result, detail, advice }: Finding): readonly string[] {
  const line = `  ${MARKS[result]} ${name.padEnd(NAME_CHARS)} ${printableText(detail)}`;
  return advice === undefined ? [line] : [line, `    ${' '.repeat(NAME_CHARS)} ${advice}`];
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (result: Finding['result']): number => findings.filter((finding) => finding.result === result).length;
  const failed = count('failed');
  const text = `${String(count('ok'))} in order, ${String(failed)} not, ${String(count('warning'))} to look at, ${String(count('skipped'))} not checked`;
  return `${failed === 0 ? '✓' : '✗'} ${text}`;
}
