import type { KeyObject } from 'node:crypto';
import { tnAuthListText } from '../stir/index.js';
import type { TnAuthEntry } from '../stir/index.js';
import { writeCertificationRequest } from './certification-request.js';
import type { SubjectPart } from './certification-request.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { printJson, printLines } from './output.js';
import { telephoneNumberOption } from './party-options.js';
import { readPrivateKey } from './private-key.js';
import { UsageError } from './usage-error.js';

type CsrOption = 'key' | 'spc' | 'tn' | 'range' | 'organization' | 'country' | 'common-name' | 'out';

const OPTIONS: OptionSpecs<CsrOption> = {
  key: {
    value: 'FILE',
    env: 'HOPBACK_KEY',
    text: 'private key, P-256 PEM (hopback keygen); HOPBACK_KEY_PASSPHRASE opens an encrypted one',
  },
  spc: { value: 'CODE', text: 'service provider code: the one entry of the TNAuthList in a SHAKEN certificate' },
  tn: { value: 'TN', multiple: true, text: 'a telephone number of a delegate certificate, with + or its country code' },
  range: { value: 'TN:COUNT', multiple: true, text: 'COUNT numbers from TN on, of a delegate certificate' },
  organization: { value: 'NAME', text: 'O of the subject: the legal name of the provider' },
  country: { value: 'CC', text: 'C of the subject; default US' },
  'common-name': { value: 'NAME', text: 'CN of the subject; default "SHAKEN" and the code, as the profile has it' },
  out: { value: 'FILE', text: 'write here, a new file, instead of to standard output' },
};

/** `hopback csr` */
export const csrCommand: Command = {
  name: 'csr',
  summary: 'make a certificate signing request with a TNAuthList',
  usage: ['--key FILE --spc CODE --organization NAME [--out FILE]'],
  options: OPTIONS,
  notes: [
    'PKCS#10, signed with ECDSA and SHA-256, the TNAuthList as an extension request (RFC 8226). The SHAKEN profile has exactly ' +
      'one SPC; --tn and --range are for delegate certificates (RFC 9060).',
    'Exit codes: 0 made, 2 not understood, 4 the key is not usable, or the file is there already or cannot be written.',
    '  hopback keygen --out sp.key\n  hopback csr --key sp.key --spc 1234 --organization "Example Telephone" --out sp.csr',
  ],
  run,
};

async function run(options: Options<CsrOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the key with --key FILE, and the file to write with --out FILE.']);
  const tnAuthList = entriesOf(options);
  const subject = subjectOf(options, tnAuthList);
  const key = await privateKeyOf(options, io);
  const pem = writeCertificationRequest({ key, subject, tnAuthList });
  const out = options.text('out');
  if (out !== undefined) await io.files.write(out, pem, { mode: 0o644, overwrite: false });
  const subjectText = subject.map(({ type, value }) => `${type}=${value}`).join(', ');
  if (options.isOn('json')) {
    printJson(io, {
      format: 'hopback.csr.1',
      exitCode: EXIT.ok,
      subject: subjectText,
      tnAuthList,
      pem,
      ...(out === undefined ? {} : { path: out }),
    });
    return EXIT.ok;
  }
  if (out === undefined) io.stdout.write(pem);
  // What is asked for, as it was read: a number that was meant otherwise shows here. Beside the request where that is the output.
  const asked = `${subjectText}; TNAuthList ${tnAuthListText(tnAuthList)}`;
  printLines(io, [`✓ ${out ?? 'request'}: ${asked}`], out === undefined ? io.stderr : io.stdout);
  return EXIT.ok;
}

/** @see RFC 8226 section 9 */
function entriesOf(options: Options<CsrOption>): readonly TnAuthEntry[] {
  const spc = options.text('spc');
  if (spc !== undefined && !/^[0-9A-Z]{1,15}$/.test(spc)) throw new UsageError('--spc is 1 to 15 of 0-9 and A-Z');
  const entries: readonly TnAuthEntry[] = [
    ...(spc === undefined ? [] : [{ kind: 'spc', spc } as const]),
    ...options.texts('tn').map((text) => ({ kind: 'one', tn: numberOf('tn', text) }) as const),
    ...options.texts('range').map(rangeOf),
  ];
  if (entries.length > 0) return entries;
  throw new UsageError('a TNAuthList needs an entry: --spc, --tn or --range');
}

/** All numbers behind one North American area code; wider ranges are typing errors. */
const MAX_RANGE = 10_000_000;

/** From TN on, within its number of digits, and in North America within its area code. @see RFC 8226 section 9 */
function rangeOf(text: string): TnAuthEntry {
  const colon = text.lastIndexOf(':');
  const count = /^\d{1,8}$/.test(text.slice(colon + 1)) ? Number(text.slice(colon + 1)) : 0;
  if (colon < 0 || count < 2 || count > MAX_RANGE)
    throw new UsageError(`--range is TN:COUNT with a count from 2 to ${String(MAX_RANGE)}`);
  const start = numberOf('range', text.slice(0, colon));
  if (!/^\d+$/.test(start))
    throw new UsageError('--range begins with a number of digits alone: nothing counts on from * or #');
  // Fifteen digits at most: exact.
  const last = String(Number(start) + count - 1).padStart(start.length, '0');
  const isBeyond =
    last.length > start.length || (start.startsWith('1') && start.length === 11 && !last.startsWith(start.slice(0, 4)));
  if (isBeyond)
    throw new UsageError(
      '--range runs past the last number that begins like its first: count again, or say two ranges',
    );
  return { kind: 'range', start, count };
}

/** @see RFC 8226 section 9, TelephoneNumber */
const MAX_NUMBER_CHARS = 15;

function numberOf(option: string, text: string): string {
  const tn = telephoneNumberOption(option, text);
  if (tn.length <= MAX_NUMBER_CHARS) return tn;
  throw new UsageError(`--${option} must have at most ${String(MAX_NUMBER_CHARS)} digits`);
}

/** @see RFC 5280 appendix A.1, ub-organization-name and ub-common-name */
const MAX_NAME_CHARS = 64;

/** Exactly C, O and CN, in this order. @see ATIS-1000080 section 6.4.1 */
function subjectOf(options: Options<CsrOption>, tnAuthList: readonly TnAuthEntry[]): readonly SubjectPart[] {
  const organization = options.text('organization');
  const [first] = tnAuthList;
  const commonName = options.text('common-name') ?? (first?.kind === 'spc' ? `SHAKEN ${first.spc}` : undefined);
  const country = options.text('country') ?? 'US';
  if (organization === undefined) throw new UsageError('--organization is needed: the legal name of the provider');
  if (commonName === undefined) throw new UsageError('--common-name is needed where there is no --spc');
  if (!/^[A-Z]{2}$/.test(country)) throw new UsageError('--country is two letters, such as US');
  if ([organization, commonName].some((name) => name.length > MAX_NAME_CHARS)) {
    throw new UsageError(`--organization and --common-name have at most ${String(MAX_NAME_CHARS)} characters`);
  }
  return [
    { type: 'C', value: country },
    { type: 'O', value: organization },
    { type: 'CN', value: commonName },
  ];
}

async function privateKeyOf(options: Options<CsrOption>, io: CliIo): Promise<KeyObject> {
  const path = options.text('key');
  if (path === undefined) throw new UsageError('--key is needed', ['hopback keygen --out FILE makes one']);
  return (await readPrivateKey(path, io)).key;
}
