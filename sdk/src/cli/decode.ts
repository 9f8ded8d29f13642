import { instantText } from '../core/text.js';
import { verificationRequestOf } from '../stir/index.js';
import { parseIdentityHeader } from '../stir/identity-header.js';
import { parsePassport } from '../stir/passport.js';
import type { JsonValue } from '../stir/index.js';
import type { IdentityHeader } from '../stir/identity-header.js';
import type { PassportResult } from '../stir/passport.js';
import { INPUT_NOTE, parseCallInput, readInput } from './inputs/call-input.js';
import type { CallInput } from './inputs/call-input.js';
import { EXIT } from './kit/command.js';
import type { CommandBody, ExitCode, Options } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { distanceText, factLines, report } from './kit/output.js';

const DECODE: CommandBody = {
  usage: ['[FILE|-]', '"IDENTITY HEADER"'],
  options: {},
  notes: [
    INPUT_NOTE,
    'Nothing is verified: anybody can write these claims. Exit codes: 0 all could be read, 1 one could not, 2 the ' +
      'input is not in one of these formats, 4 the file could not be read.',
  ],
  run,
};

/** One Identity header as far as it could be read. */
interface Decoded {
  readonly value: string;
  readonly identityHeader?: IdentityHeader;
  readonly passport?: PassportResult & { readonly status: 'parsed' };
  readonly problem?: { readonly reason: string; readonly detail: string };
}

async function run(options: Options<'json'>, io: CliIo): Promise<ExitCode> {
  const input = parseCallInput(await readInput(options.operands, io));
  const decoded = identityValuesOf(input).map(decode);
  const exitCode = decoded.some(({ problem }) => problem !== undefined) ? EXIT.negative : EXIT.ok;
  const document = { format: 'hopback.decode.1', exitCode, verified: false, identityHeaders: decoded.map(jsonOf) };
  return report(options, io, document, textOf(decoded, input.kind === 'token', io.clock.nowMs()));
}

function identityValuesOf(input: CallInput): readonly string[] {
  if (input.kind !== 'request') return input.values;
  const { identity } = verificationRequestOf(input.request);
  return typeof identity === 'string' ? [identity] : identity;
}

function decode(value: string): Decoded {
  const header = parseIdentityHeader(value);
  if (header.status === 'malformed') return { value, problem: header };
  const { identityHeader } = header;
  const passport = parsePassport(identityHeader.token);
  return passport.status === 'parsed'
    ? { value, identityHeader, passport }
    : { value, identityHeader, problem: passport };
}

function jsonOf({ identityHeader, passport, problem }: Decoded): unknown {
  const { token: _token, ...parameters } = identityHeader ?? { token: '' };
  if (passport === undefined)
    return { status: 'malformed', parameters, reason: problem?.reason, detail: problem?.detail };
  const { header, payload, signature, form } = passport.passport;
  return {
    status: 'read',
    form,
    parameters,
    header: header.members,
    payload,
    signatureOctets: signature.length,
  };
}

function textOf(decoded: readonly Decoded[], isToken: boolean, nowMs: number): readonly string[] {
  if (decoded.length === 0) return ['The request has no Identity header.'];
  const blocks = decoded.map((one, index) => [
    `Identity header ${String(index + 1)} of ${String(decoded.length)}`,
    ...headerLines(one, isToken),
    ...passportLines(one, nowMs),
    '',
  ]);
  return [...blocks.flat(), '! not verified: anybody can write this. hopback verify checks it.'];
}

function headerLines({ identityHeader }: Decoded, isToken: boolean): readonly string[] {
  if (identityHeader === undefined || isToken) return [];
  const { info, infoMalformed, alg = 'absent', ppt = 'absent', otherParams } = identityHeader;
  const others = otherParams.map(({ name, value }) => [name, value] as const);
  const shownInfo = infoMalformed ? 'given, but not as <URL>' : (info ?? 'absent');
  return ['  parameters', ...factLines([['info', shownInfo], ['alg', alg], ['ppt', ppt], ...others], '    ')];
}

function passportLines({ passport, problem }: Decoded, nowMs: number): readonly string[] {
  if (passport === undefined) {
    return [`  ✗ ${problem?.reason ?? 'unreadable'}: ${problem?.detail ?? ''}`];
  }
  const { header, payload, signature, form } = passport.passport;
  const members = Object.entries(header.members).map(([name, value]) => [name, valueText(value)] as const);
  const claims = Object.entries(payload).map(([name, value]) => [name, claimText(name, value, nowMs)] as const);
  return [
    `  header (${form} form)`,
    ...factLines(members, '    '),
    '  payload',
    ...(claims.length === 0 ? ['    (empty)'] : factLines(claims, '    ')),
    '  signature',
    `    octets  ${String(signature.length)}${signature.length === 64 ? '' : ', an ES256 signature has 64'}`,
  ];
}

function claimText(name: string, value: JsonValue, nowMs: number): string {
  if (name !== 'iat' || typeof value !== 'number') return valueText(value);
  return `${String(value)}, ${instantText(value * 1000)}, ${distanceText(value * 1000, nowMs)}`;
}

const valueText = (value: JsonValue): string => (typeof value === 'string' ? value : JSON.stringify(value));

export const COMMANDS = { decode: DECODE };
