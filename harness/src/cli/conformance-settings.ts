import { resolve } from 'node:path';
import type { OptionSpecs, OptionValues } from '@hopback/sdk/internal/cli';
import { CASE_GROUPS, TARGET_KINDS } from '../conformance/index.js';
import type {
  Capability,
  CaseGroup,
  CaseSelection,
  ConformanceEnvironmentOptions,
  SipTargetOptions,
  TargetKind,
} from '../conformance/index.js';

/** Names of {@link CONFORMANCE_OPTIONS}. */
type ConformanceOption =
  | 'prepare'
  | 'certificates'
  | 'crl-port'
  | 'listen'
  | 'target'
  | 'url'
  | 'signing-url'
  | 'folder'
  | 'name'
  | 'only'
  | 'group'
  | 'lacks'
  | 'token-file'
  | 'timeout'
  | 'max-seconds'
  | 'concurrency'
  | 'strict'
  | 'out'
  | 'domain'
  | 'signing-domain'
  | 'attestation-field'
  | 'origid-field'
  | 'callee'
  | 'matrix'
  | 'list'
  | 'json';

/** Options of `hopback-harness conformance`. */
export const CONFORMANCE_OPTIONS: OptionSpecs<ConformanceOption> = {
  prepare: {
    value: 'FOLDER',
    text: 'make keys, and the files that the service is given once; FOLDER/README.md says what for',
  },
  certificates: {
    value: 'HOST:PORT',
    text: 'where the certificate server of the tests is reached; default as the folder has it, at first 127.0.0.1:8443',
  },
  'crl-port': { value: 'N', text: 'its port for the CRL, without TLS; default the one after' },
  listen: { value: 'ADDRESS', text: 'where it listens, where HOST is a name; default all addresses' },
  target: {
    value: 'KIND',
    choices: TARGET_KINDS,
    text: 'atis (ATIS-1000082), 3gpp (Ms of TS 24.229), secsipidx, redirect (302 to an INVITE), sip (INVITE through a device)',
  },
  url: { value: 'URL', text: 'http://host:port[/path], or sip:host:port' },
  'signing-url': { value: 'URL', text: 'where calls are signed, when elsewhere' },
  folder: { value: 'FOLDER', text: 'what was prepared, default hopback-conformance' },
  name: { value: 'TEXT', text: 'name of the service in reports, default its URL' },
  only: { value: 'V-101,V-2*', multiple: true, text: 'these numbers' },
  group: { value: 'NAME', multiple: true, text: 'these groups; --list has their names' },
  lacks: {
    value: 'WHAT,...',
    multiple: true,
    text: 'features that the interface defines but this service does not support: codes, verstat, reasons, sign, ...',
  },
  'token-file': { value: 'FILE', text: 'bearer token of HTTP requests' },
  timeout: { value: 'SECONDS', text: 'how long each answer is waited for, default 10' },
  'max-seconds': { value: 'N', text: 'for the whole run, default 600' },
  concurrency: { value: 'N', text: 'calls at once, default 4' },
  strict: { text: 'departures from recommendations fail, too' },
  out: { value: 'FOLDER', text: 'write summary.json, junit.xml and index.html there' },
  domain: { value: 'HOST', text: 'host of the Request-URI of calls to be verified (redirect, sip)' },
  'signing-domain': { value: 'HOST', text: 'host of the Request-URI of calls to be signed' },
  'attestation-field': { value: 'F', text: 'header field in which a request to sign says the attestation' },
  'origid-field': { value: 'F', text: 'header field in which a request to sign says the origid' },
  callee: {
    value: 'HOST:PORT',
    text: 'where the device sends calls on to: the callee of the tests listens there (sip)',
  },
  matrix: { text: 'print runs side by side, as Markdown' },
  list: { text: 'list the cases' },
  json: { text: 'print the run as JSON; with --list the cases' },
};

/** Values of {@link CONFORMANCE_OPTIONS}. */
type GivenConformance = { readonly [Name in ConformanceOption]?: OptionValues[string] };

/** What is to be done. */
export type ConformanceOrder =
  | { readonly kind: 'prepare'; readonly folder: string; readonly certificates?: Certificates }
  | { readonly kind: 'list'; readonly selection: CaseSelection; readonly isJson: boolean }
  | { readonly kind: 'matrix'; readonly files: readonly string[] }
  | { readonly kind: 'run'; readonly settings: RunSettings };

type Certificates = NonNullable<ConformanceEnvironmentOptions['certificates']>;

/** How a service is asked. */
export interface RunSettings {
  readonly folder: string;
  readonly kind: TargetKind;
  readonly url: string;
  readonly signingUrl?: string;
  readonly name?: string;
  readonly selection: CaseSelection;
  readonly lacks: readonly Capability[];
  readonly tokenFile?: string;
  readonly timeoutMs: number;
  readonly maxDurationMs: number;
  readonly concurrency: number;
  readonly sip: SipTargetOptions;
  readonly out?: string;
  readonly isStrict: boolean;
  readonly isJson: boolean;
}

const CAPABILITIES: readonly Capability[] = [
  ...(['verify', 'parties', 'sip-caller', 'several-headers', 'target', 'date', 'unsigned', 'folding'] as const),
  ...(['codes', 'verstat', 'reasons'] as const),
  ...(['sign', 'sign-attestation', 'sign-origid', 'sign-iat', 'sign-several', 'sign-spelling'] as const),
  ...(['sign-incomplete', 'sign-div'] as const),
];

const DEFAULT_HTTPS_PORT = 8443;

/**
 * What a command line asks for, or what is wrong with it. Never throws.
 * @param given - values of {@link CONFORMANCE_OPTIONS}
 * @param positionals - operands
 */
export function readConformanceOrder(
  given: GivenConformance,
  positionals: readonly string[],
): ConformanceOrder | string {
  if (given.matrix === true)
    return positionals.length === 0
      ? '--matrix: it takes the summary.json of one run or several'
      : { kind: 'matrix', files: positionals };
  const [operand] = positionals;
  if (operand !== undefined) return `conformance takes no operand ${operand}`;
  const selection = selectionOf(given);
  if (typeof selection === 'string') return selection;
  if (given.list === true) return { kind: 'list', selection, isJson: given.json === true };
  const folder = textOf(given.prepare);
  if (folder === undefined) return runOrder(given, selection);
  const certificates = certificatesOf(given);
  if (typeof certificates === 'string') return certificates;
  return { kind: 'prepare', folder: resolve(folder), ...optional('certificates', certificates) };
}

function runOrder(given: GivenConformance, selection: CaseSelection): ConformanceOrder | string {
  const kind = TARGET_KINDS.find((one) => one === given.target);
  const url = textOf(given.url);
  const isSip = kind === 'redirect' || kind === 'sip';
  if (given.target === undefined) return 'one of --prepare, --target, --list and --matrix says what to do';
  if (kind === undefined) return `--target: it is one of ${TARGET_KINDS.join(', ')}`;
  if (url === undefined) return '--url: it says where the service is';
  for (const [name, value] of [
    ['--url', url],
    ['--signing-url', textOf(given['signing-url']) ?? url],
  ] as const)
    if (!isUrl(value, isSip))
      return `${name}: for --target ${kind} it is ${isSip ? 'sip:host:port' : 'http://host:port'}`;
  if (given.certificates !== undefined) return '--certificates belongs to --prepare: the service was told where it is';
  const lacks = listOf(given.lacks);
  const unknown = lacks.find((word) => !CAPABILITIES.some((one) => one === word));
  if (unknown !== undefined) return `--lacks: ${unknown} is none of ${CAPABILITIES.join(', ')}`;
  const [timeout, maximum] = [
    wholeNumber(given.timeout ?? '10', 600),
    wholeNumber(given['max-seconds'] ?? '600', 86_400),
  ];
  const concurrency = wholeNumber(given.concurrency ?? '4', 64);
  if (timeout === undefined) return '--timeout: it is a number of seconds from 1 to 600';
  if (maximum === undefined) return '--max-seconds: it is a number from 1 to 86400';
  if (concurrency === undefined) return '--concurrency: it is a number from 1 to 64';
  return {
    kind: 'run',
    settings: {
      ...{ folder: resolve(textOf(given.folder) ?? 'hopback-conformance'), kind, url, selection, concurrency },
      ...{ lacks: lacks as readonly Capability[], timeoutMs: timeout * 1_000, maxDurationMs: maximum * 1_000 },
      ...{ sip: sipOf(given), isStrict: given.strict === true, isJson: given.json === true },
      ...optional('signingUrl', textOf(given['signing-url'])),
      ...optional('name', textOf(given.name)),
      ...optional('tokenFile', textOf(given['token-file'])),
      ...optional('out', textOf(given.out)),
    },
  };
}

const sipOf = (given: GivenConformance): SipTargetOptions => ({
  ...optional('domain', textOf(given.domain)),
  ...optional('signingDomain', textOf(given['signing-domain'])),
  ...optional('attestationField', textOf(given['attestation-field'])),
  ...optional('origIdField', textOf(given['origid-field'])),
  ...optional('callee', textOf(given.callee)),
});

function selectionOf(given: GivenConformance): CaseSelection | string {
  const [only, groups] = [listOf(given.only), listOf(given.group)];
  const unknown = groups.find((word) => !CASE_GROUPS.some((one) => one === word));
  if (unknown !== undefined) return `--group: ${unknown} is none of ${CASE_GROUPS.join(', ')}`;
  return {
    ...(only.length > 0 && { only }),
    ...(groups.length > 0 && { groups: groups as readonly CaseGroup[] }),
  };
}

function certificatesOf(given: GivenConformance): Certificates | string | undefined {
  if (given.certificates === undefined)
    return given['crl-port'] === undefined && given.listen === undefined
      ? undefined
      : '--crl-port and --listen go with --certificates';
  const [, host, port = String(DEFAULT_HTTPS_PORT)] =
    /^([A-Za-z0-9.-]+)(?::(\d+))?$/.exec(textOf(given.certificates) ?? '') ?? [];
  const httpsPort = wholeNumber(port, 65_535);
  const httpPort = wholeNumber(textOf(given['crl-port']) ?? String((httpsPort ?? 0) + 1), 65_535);
  if (host === undefined || httpsPort === undefined) return '--certificates: it is host:port, such as 192.0.2.7:8443';
  if (httpPort === undefined) return '--crl-port: it is a port';
  return { host, httpsPort, httpPort, ...optional('address', textOf(given.listen)) };
}

function isUrl(text: string, isSip: boolean): boolean {
  if (isSip) return /^sip:[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(text);
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

const textOf = (value: GivenConformance[keyof GivenConformance]): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** Words of an option that may be given several times, and hold several between commas. */
const listOf = (value: GivenConformance[keyof GivenConformance]): readonly string[] =>
  Array.isArray(value) ? value.flatMap((one: string) => one.split(',')).filter((one) => one !== '') : [];

function wholeNumber(value: GivenConformance[keyof GivenConformance], most: number): number | undefined {
  const number = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= most ? number : undefined;
}

const optional = <Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [Member in Name]?: Value } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [Member in Name]?: Value };
