import { sign, type KeyObject } from 'node:crypto';
import { twinSignature } from '../../sdk/src/testing/passport-faults/encoding-faults.js';
import { pick, place, replaced, TEXT_MUTATORS } from './sip-mutations.js';

/** One step of a mutation: what to do, and two numbers that decide where and how. */
export interface Mutation {
  readonly kind: MutationKind;
  readonly at: number;
  readonly how: number;
}

export type MutationKind = keyof typeof MUTATORS;

/** What mutations draw on beside the header itself. */
export interface MutationContext {
  readonly others: readonly string[];
  readonly attackerKey: KeyObject;
}

/** Applies mutations one after the other; the same numbers give the same header, but for fresh signatures of the attacker. */
export function mutate(header: string, mutations: readonly Mutation[], context: MutationContext): string {
  return mutations.reduce((text, { kind, at, how }) => MUTATORS[kind](text, { at, how, ...context }), header);
}

interface Draw extends MutationContext {
  readonly at: number;
  readonly how: number;
}

type Mutator = (text: string, draw: Draw) => string;

const ODD_TEXTS = [
  ...Array.from('"<>;,=.\\\0\t {}[-_+/é\u2028\u{1f4de}\ufeffА０'),
  ...['..', '...', '==', '\r\n', '\r\n ', '%00', '%2e', '\ud800', '\udc00'],
  ...[';ppt=shaken', ';info=<', ';alg=none', 'eyJ', 'null'],
];

const MUTATORS = {
  ...TEXT_MUTATORS,
  insertion: (text, { at, how }) => replaced(text, place(text, at), 0, pick(ODD_TEXTS, how)),
  'other-character': (text, { at, how }) => replaced(text, place(text, at), 1, String.fromCharCode(how % 0x1_0000)),
  splice: (text, { at, how, others }) => {
    const other = pick(others, how);
    return text.slice(0, place(text, at)) + other.slice(place(other, at));
  },
  'splice-segment': (text, { at, how, others }) => withSegment(text, at, () => segmentOf(pick(others, how), at)),
  join: (text, { at, how, others }) =>
    at % 2 === 0 ? `${text},${pick(others, how)}` : `${pick(others, how)}, ${text}`,
  respelling: (text, { at, how }) => withSegment(text, at, (segment) => pick(RESPELLINGS, how)(segment, at)),
  json: (text, { at, how, attackerKey }) => mutateJson(text, { at, how, attackerKey }),
  parameters: (text, { at, how }) => mutateParameters(text, at, how),
  signature: (text, { at, how }) => withSegment(text, 2, (segment) => pick(SIGNATURES, how)(segment, at)),
  compact: (text, { how }) => `${how % 2 === 0 ? '' : segmentOf(text, 0)}..${segmentOf(text, 2)}${parametersOf(text)}`,
  case: (text, { at, how }) => {
    const index = place(text, at);
    const part = text.slice(index, index + 1 + (how % 20));
    return replaced(text, index, part.length, how % 2 === 0 ? part.toUpperCase() : part.toLowerCase());
  },
} satisfies Record<string, Mutator>;

/** All kinds, for generators. */
export const MUTATION_KINDS: readonly MutationKind[] = Object.keys(MUTATORS) as MutationKind[];

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Other ways to write the bytes of a segment, most of which lenient decoders read as the same. */
const RESPELLINGS: readonly ((segment: string, at: number) => string)[] = [
  (segment) => `${segment}=`,
  (segment) => `${segment}==`,
  (segment) => segment.replaceAll('-', '+').replaceAll('_', '/'),
  (segment, at) =>
    segment.slice(0, at % (segment.length + 1)) +
    pick([' ', '\n', '\t', '\0', '\u00a0'], at) +
    segment.slice(at % (segment.length + 1)),
  (segment, at) => segment.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(segment.slice(-1)) ^ (1 + (at % 3))),
  (segment) => segment.slice(0, -1) + (segment.endsWith('A') ? 'B' : 'A'),
  (segment) => Buffer.from(segment, 'base64url').toString('hex'),
  (segment) => [...Buffer.from(segment)].map((octet) => `%${octet.toString(16)}`).join(''),
  (segment) => Buffer.from(segment).toString('base64url'),
];

const SIGNATURES: readonly ((segment: string, at: number) => string)[] = [
  (segment) => encoded(twinSignature(sized(segment))),
  (segment) => encoded(Buffer.concat([sized(segment).subarray(32), sized(segment).subarray(0, 32)])),
  () => encoded(new Uint8Array(64)),
  (_segment, at) => encoded(new Uint8Array(at % 200)),
  (segment) => encoded(Buffer.concat([sized(segment), Buffer.of(0)])),
  (segment) => encoded(inDer(sized(segment))),
  (segment, at) => encoded(sized(segment).map((octet, index) => (index === at % 64 ? octet ^ 0x80 : octet))),
];

const inDer = (raw: Buffer): Buffer =>
  Buffer.concat([Buffer.of(0x30, 0x44, 2, 0x20), raw.subarray(0, 32), Buffer.of(2, 0x20), raw.subarray(32)]);
const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sized = (segment: string): Buffer =>
  Buffer.concat([Buffer.from(segment, 'base64url'), Buffer.alloc(64)]).subarray(0, 64);

const tokenOf = (text: string): string => text.split(';', 1)[0] ?? '';
const parametersOf = (text: string): string => text.slice(tokenOf(text).length);
const segmentOf = (text: string, index: number): string => tokenOf(text).split('.')[index % 3] ?? '';

function withSegment(text: string, index: number, change: (segment: string) => string): string {
  const segments = tokenOf(text).split('.');
  const which = index % Math.max(1, segments.length);
  const changed = segments.map((segment, position) => (position === which ? change(segment) : segment));
  return changed.join('.') + parametersOf(text);
}

function mutateParameters(text: string, at: number, how: number): string {
  const [token = '', ...parameters] = text.split(';');
  const index = at % Math.max(1, parameters.length);
  const chosen = parameters[index] ?? '';
  const [name = '', value = ''] = chosen.split('=', 2);
  const changed = (change: string): readonly string[] => parameters.toSpliced(index, 1, change);
  const results: readonly (readonly string[])[] = [
    parameters.toReversed(),
    parameters.toSpliced(index, 1),
    [...parameters, chosen],
    changed(`${name}="${value}"`),
    changed(`${name.toUpperCase()}=${value}`),
    changed(` ${name} = ${value} `),
    changed(`${name}=<${value}>`),
    [...parameters, `x${how}=y`],
    parameters.map((parameter) => `\r\n ${parameter}`),
    [...parameters, ''],
  ];
  return [token, ...pick(results, how)].join(';');
}

const ODD_VALUES: readonly unknown[] = [
  ...[null, true, '', 'A', 'a', 'AB', 0, -1, 0.5, 1e21, 2 ** 53, [], {}, ['12025550101'], '12025550101'],
  ...[{ tn: '12025550199' }, { tn: ['12025550199'] }, { uri: 'sip:anonymous@anonymous.invalid' }],
  ...['none', 'HS256', 'ES256', ['b64'], 'shaken', 'div', 'https://127.0.0.1/'],
];
const ODD_KEYS = [
  ...['attest', 'dest', 'iat', 'orig', 'origid', 'div', 'alg', 'ppt', 'typ', 'x5u', 'crit', 'b64', 'jwk', 'kid'],
  ...['__proto__', 'constructor', 'toString', ''],
];

/** Changes header or payload as JSON and encodes it again: with the old signature, one of the attacker, or none. */
function mutateJson(
  text: string,
  draw: { readonly at: number; readonly how: number; readonly attackerKey: KeyObject },
): string {
  const { at, how, attackerKey } = draw;
  const which = how % 2;
  const segments = tokenOf(text).split('.');
  const json = Buffer.from(segments[which] ?? '', 'base64url').toString('utf8');
  const changed = encoded(Buffer.from(pick(JSON_CHANGES, at)(json, Math.floor(how / 2))));
  const input = [which === 0 ? changed : (segments[0] ?? ''), which === 1 ? changed : (segments[1] ?? '')].join('.');
  const signature = [
    () => segments[2] ?? '',
    () => encoded(sign('sha256', Buffer.from(input), { key: attackerKey, dsaEncoding: 'ieee-p1363' })),
    () => '',
  ];
  return `${input}.${pick(signature, Math.floor(how / 7))()}${parametersOf(text)}`;
}

const JSON_CHANGES: readonly ((json: string, how: number) => string)[] = [
  (json, how) => withMember(json, pick(ODD_KEYS, how), pick(ODD_VALUES, Math.floor(how / ODD_KEYS.length))),
  (json, how) => withMember(json, pick(ODD_KEYS, how), undefined),
  (json, how) => json.replace('{', `{"${pick(ODD_KEYS, how)}":${JSON.stringify(pick(ODD_VALUES, how))},`),
  (json, how) => json.replace('{', `{"a":${'['.repeat(how % 3000)}${']'.repeat(how % 3000)},`),
  (json, how) => json.replace('{', `{"a":[${'0,'.repeat(how % 3000)}0],`),
  (json, how) =>
    json.replace(/\d+/, (digits) =>
      pick([`${digits}.0`, `${digits}e0`, `0${digits}`, `-${digits}`, `"${digits}"`, '1e999', 'NaN'], how),
    ),
  (json, how) => json.slice(0, how % (json.length + 1)),
  (json, how) => json + pick([' ', '{}', '\0', ',', ']', '\ufeff'], how),
  (json) => (isShallow(json) ? JSON.stringify(safely(json), null, 2) : json),
  (json, how) => json.replaceAll('"', pick(["'", '\\"', '“', ''], how)),
  (json) => json.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
];

/** JSON.stringify recurses; texts that a mutation has nested thousands deep are left as they are. */
const isShallow = (json: string): boolean => !json.includes('[[[[');

function withMember(json: string, key: string, value: unknown): string {
  if (!isShallow(json)) return json;
  const object = safely(json);
  return typeof object === 'object' ? JSON.stringify({ ...object, [key]: value }) : json;
}

function safely(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return json;
  }
}
