import { z } from 'zod';
import { defined } from '../../core/text.js';
import { CALL_ROLES, CALL_SOURCES, NUMBER_OWNERSHIPS } from '../../stir/signing/attestation-policy.js';
import { trunkPolicy } from '../../switch/index.js';
import type { FilingReference, TrunkPolicy } from '../../switch/index.js';

/** A verification asks for some two kilobytes; four times the largest Identity header, with room for a raw INVITE. */
const CALLS_MAX_BODY_BYTES = 65_536;
/** Batches of records and documents of switches are larger. */
const ADMIN_MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_WORKERS = 64;

/** Addresses that stand for all of the machine. */
const ALL_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
/** Where nobody else listens in. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

const path = z.string().min(1).max(4_096);
const paths = z.array(path).max(256).default([]);
const words = <const Words extends readonly [string, ...string[]]>(...list: Words) => z.enum(list);

const token = z.strictObject({
  name: z.string().min(1).max(64).describe('name for logs and metrics'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of a token, 64 lower-case hexadecimal digits')
    .describe('SHA-256 of the token: printf %s "$TOKEN" | sha256sum'),
});

const listener = (defaults: { readonly port: number; readonly maxBodyBytes: number }) =>
  z.strictObject({
    host: z.string().min(1).max(255).default('127.0.0.1').describe('address or name to listen at'),
    port: z.int().min(0).max(65_535).default(defaults.port).describe('0 for any that is free'),
    tls: z
      .strictObject({
        certificate: path.describe('PEM file of the chain of the server'),
        key: path.describe('PEM file of its private key'),
        clientCa: path.exactOptional().describe('PEM file of authorities: clients need a certificate of one of them'),
      })
      .exactOptional(),
    tokens: z
      .array(token)
      .max(256)
      .default([])
      .describe('clients that may use this interface; empty: any client that can reach the address'),
    requestsPerSecond: z
      .number()
      .positive()
      .max(1_000_000)
      .exactOptional()
      .describe('of each client; default no limit'),
    maxBodyBytes: z.int().min(1_024).max(MAX_BODY_BYTES).default(defaults.maxBodyBytes),
  });

const list = z.union([
  z.strictObject({
    path: path.describe('the list as downloaded, JWS compact'),
    signerChain: path.exactOptional().describe("certificates of the list's signer, where the list does not carry them"),
  }),
  z.strictObject({
    url: z.url().describe('where the policy administrator publishes its list'),
    crlUrls: z.array(z.url()).max(8).default([]).describe('where CRLs are published'),
    cache: path.exactOptional().describe('file that the last good list is kept in over a restart'),
  }),
]);

const trust = z.strictObject({
  roots: paths.describe('certificates of STI-CAs: files or directories'),
  list: list.exactOptional().describe('the signed list of the policy administrator, instead of roots'),
  stiPaRoots: paths.describe('roots of the policy administrator: for its list and its CRL, never for calls'),
  intermediates: paths,
  crls: paths.describe('CRL files, PEM or DER'),
  crlSigners: paths.describe('certificates of CRL signers'),
});

const allow = z.strictObject({
  hosts: z.array(z.string().min(1)).exactOptional(),
  addresses: z.array(z.string().min(1)).exactOptional(),
  ports: z.array(z.int().min(1).max(65_535)).exactOptional(),
});

const certificates = z.strictObject({
  directory: path.exactOptional().describe('where fetched certificates are kept over a restart'),
  preload: z.array(z.url()).max(10_000).default([]).describe('x5u URLs that are fetched at the start'),
  ca: path.exactOptional().describe('PEM file of authorities for the web servers of certificates'),
  allow: allow.exactOptional().describe('exceptions of the URL policy, for laboratories'),
});

const verification = z.strictObject({
  timeBudgetMs: z.int().min(0).max(60_000).default(500).describe('how long a call may wait for certificates'),
  profile: words('shaken', 'rfc8224').exactOptional(),
  freshnessSeconds: z.int().min(1).max(86_400).exactOptional().describe('how old an iat may be; default 60'),
  dateFreshness: words('iat-wins', 'strict').exactOptional(),
  innerFreshness: words('note', 'require').exactOptional(),
  originatingIdentity: z.array(words('p-asserted-identity', 'from')).min(1).max(2).exactOptional(),
  destination: words('to', 'request-uri').exactOptional(),
  retargeting: words('require-div', 'accept').exactOptional(),
  revocationUnknown: words('indeterminate', 'accept').exactOptional(),
  rejectReplay: z.boolean().exactOptional(),
  verstatPriority: words('chain', 'worst-of-all').exactOptional(),
  ppi: words('full', 'compact', 'none').exactOptional(),
});

const facts = z.strictObject({
  role: z.enum(CALL_ROLES).default('originating'),
  trunk: z.string().min(1).max(128).exactOptional(),
  customer: z.string().min(1).max(128).exactOptional(),
  customerKnown: z.boolean().exactOptional(),
  callerAuthenticated: z.boolean().exactOptional(),
  numberOwnership: z.enum(NUMBER_OWNERSHIPS).exactOptional(),
  receivedFrom: z.enum(CALL_SOURCES).exactOptional(),
});

const signing = z.strictObject({
  key: path.describe('PEM file of the private key, P-256; HOPBACK_KEY_PASSPHRASE opens an encrypted one'),
  certificate: path.describe('PEM file of the chain as the x5u serves it, end entity first'),
  x5u: z.string().min(1).max(2_048).describe('where verifiers fetch that chain'),
  spc: z
    .string()
    .regex(/^[0-9A-Z]{1,15}$/, 'must be a service provider code')
    .exactOptional(),
  attestationPolicy: path.exactOptional().describe('JSON file of the attestation policy'),
  attestation: words('of-the-switch', 'at-most-policy', 'policy-alone')
    .default('of-the-switch')
    .describe('who decides the attestation that a request brings'),
  attestationBasis: z
    .string()
    .min(1)
    .max(256)
    .default('The switch decided the attestation and asked for it over the signing API.')
    .describe('reason that is kept with an attestation of the switch'),
  facts: facts.prefault({}).describe('what is known of calls beyond the request'),
  emergencyCalls: words('do-not-sign', 'sign').default('do-not-sign'),
  attestations: path.exactOptional().describe('file to which the record of each signature is appended, a line of JSON'),
});

const isp = words('U', 'LPN', 'LN', 'TN', 'RLN', 'RPN', 'INTL', 'BI');
const block = z.strictObject({
  url: z.string().exactOptional(),
  tel: z.string().exactOptional(),
  email: z.string().exactOptional(),
  location: isp,
});

const address = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  'must be an address, or a network such as 192.0.2.0/24',
);

const trunkFields = z.strictObject({
  addresses: z.array(address).max(1_024).default([]).describe('addresses and networks that its calls come from'),
  filing: z
    .strictObject({
      rmdNumber: z.string().min(1).max(32).exactOptional(),
      frn: z.string().min(1).max(32).exactOptional(),
      businessName: z.string().min(1).max(256).exactOptional(),
    })
    .refine((reference) => Object.values(reference).some((value) => value !== undefined), 'must say which filing')
    .exactOptional()
    .describe('filing of the provider at the other end in the Robocall Mitigation Database'),
  role: z.enum(CALL_ROLES),
  verify: words('always', 'when-signed', 'off').exactOptional(),
  failureAction: words('continue', 'continue_return_reason', 'reject_request').exactOptional(),
  rejects: z
    .array(words('failed', 'unsigned', 'indeterminate'))
    .min(1)
    .exactOptional(),
  rejectWith: z.union([z.literal('stir'), block]).exactOptional(),
  doNotOriginate: words('off', 'mark', 'reject').exactOptional(),
  upstreamFiling: words('off', 'mark', 'reject').exactOptional(),
  unreadable: words('mark', 'reject').exactOptional(),
  emergencyMarks: words('believed', 'ignored').exactOptional(),
});

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Port 0 is any that is free. */
const isSamePlace = (one: Place, other: Place): boolean =>
  one.port === other.port &&
  one.port !== 0 &&
  (one.host === other.host || ALL_ADDRESSES.has(one.host) || ALL_ADDRESSES.has(other.host));

const hasNoneTwice = (texts: readonly string[]): boolean => new Set(texts).size === texts.length;

/** A trunk: its policy, by which addresses its calls are told, and the filing of the provider at the other end. */
export interface TrunkConfiguration extends TrunkPolicy {
  readonly addresses: readonly string[];
  readonly filing?: FilingReference;
}

/** The defaults of a role are those of {@link trunkPolicy}, which also knows what does not go together. */
const trunk = trunkFields.transform(({ addresses, filing, ...partial }, context): TrunkConfiguration => {
  try {
    return { addresses, ...trunkPolicy(partial), ...defined({ filing }) };
  } catch (error) {
    context.issues.push({ code: 'custom', message: `cannot be used: ${messageOf(error)}`, input: partial });
    return z.NEVER;
  }
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const answers = z.strictObject({
  verification: words('by-request', 'atis', '3gpp').default('by-request').describe('dialect of verification answers'),
  signing: words('atis', '3gpp').default('atis').describe('dialect of signing answers'),
  reasonNames: words('lower', 'camel').default('lower').describe('reasoncode, or reasonCode'),
  verstatSuffix: z.boolean().default(false).describe('TN-Validation-Passed-A instead of TN-Validation-Passed'),
  attestation: z.boolean().default(false).describe('attest and origid in verification answers of the ATIS dialect'),
  basePaths: z
    .array(z.string().regex(/^\/[\w./-]{0,128}$/, 'must begin with / and have only letters, digits and . _ -'))
    .max(16)
    .default([])
    .describe('paths before /signing and /verification beside /stir/v1'),
  heartbeatNumbers: z.array(z.string().min(1).max(32)).max(64).default(['9999999999']),
});

const records = z.strictObject({
  directory: path.describe('folder of the record store'),
  sources: paths.describe('JSON files that declare a source each; one without a path is sent over HTTP'),
  retentionDays: z.int().min(1).max(36_500).exactOptional().describe('default 548, 18 months'),
  platform: z
    .strictObject({
      url: z.url().describe('where batches of records are posted'),
      tokenFile: path.describe('file of the bearer token'),
      ca: path.exactOptional().describe('PEM file that vouches for the platform'),
      sharing: z.string().min(1).max(4_096).default('suspicious').describe('level, or JSON file of a policy'),
      pseudonymKey: path.describe('file of the key of the pseudonyms: openssl rand -hex 32'),
      rotation: z.string().min(1).max(128).describe('name of that key; a new key has a new name'),
      tenant: z.string().min(1).max(256).describe('whose records they are, as the platform knows you'),
    })
    .exactOptional(),
});

const tracebacks = z.strictObject({
  directory: path.describe('folder of the responder'),
  zone: z.string().min(1).max(64).describe('IANA name of the zone of the responding office'),
  provider: z.strictObject({ providerId: z.string().min(1).max(256), name: z.string().min(1).max(256) }),
  trunks: path.describe('JSON file: who is at the other end of which trunk'),
  policy: path.exactOptional().describe('JSON file of the traceback policy'),
  answerKey: z.strictObject({ key: path, keyId: z.string().min(1).max(256) }).describe('never a key that signs calls'),
  platform: z.strictObject({
    baseUrl: z.url(),
    clientId: z.string().min(1).max(256),
    keyId: z.string().min(1).max(256),
    key: path,
    receiptKeys: path.describe('JWK set of the keys that the platform signs receipts with'),
  }),
  webhookSecrets: path.exactOptional().describe('file of the secrets of webhooks, one a line'),
  accounts: path.exactOptional().describe('file of the accounts of people who answer: hopback config account'),
  origin: z.url().exactOptional().describe('https URL of the page, where a proxy is in front of it'),
  proxy: z
    .strictObject({
      addresses: z.array(z.string().min(1).max(64)).min(1).max(100).describe('addresses and networks of the proxies'),
      header: z
        .string()
        .regex(/^[A-Za-z0-9-]{1,64}$/)
        .exactOptional()
        .describe('field that names the client; default x-forwarded-for'),
    })
    .exactOptional()
    .describe('proxies in front of the page: only they are believed where a login comes from'),
});

const fields = z.strictObject({
  listen: z
    .strictObject({
      calls: listener({ port: 8090, maxBodyBytes: CALLS_MAX_BODY_BYTES }).prefault({}),
      admin: listener({ port: 8091, maxBodyBytes: ADMIN_MAX_BODY_BYTES }).exactOptional(),
    })
    .prefault({}),
  trust: trust.describe('trust anchors that calls are verified against'),
  certificates: certificates.prefault({}),
  verification: verification.prefault({}),
  signing: signing.exactOptional().describe('how calls are signed; without it, none are'),
  trunks: z
    .record(z.string().min(1).max(128), trunk)
    .default({})
    .describe('policies by trunk; default is for all others'),
  doNotOriginate: path.exactOptional().describe('file of numbers from which nobody calls, one a line'),
  filings: path.exactOptional().describe('CSV file of the Robocall Mitigation Database'),
  answers: answers.prefault({}),
  records: records.exactOptional().describe('call records: taken in, kept, sent on'),
  tracebacks: tracebacks.exactOptional().describe('traceback requests: answered by policy, and by people on a page'),
  workers: z.int().min(1).max(MAX_WORKERS).default(1).describe('processes that answer the call listener'),
  log: z
    .strictObject({
      level: words('debug', 'info', 'warn', 'error', 'silent').default('info'),
      calls: words('none', 'poor', 'all').default('none').describe('which calls get a line, numbers masked'),
    })
    .prefault({}),
  reloadSeconds: z.number().min(0).max(86_400).default(5).describe('how often files are checked; 0: only on SIGHUP'),
  drainSeconds: z
    .number()
    .min(0)
    .max(600)
    .default(20)
    .describe('time from SIGTERM to the end of the process; calls under way may take nine tenths of it'),
});

/**
 * The one schema of the configuration: of the YAML file, of the variables and the flags that stand in for parts of it, of `config check` and of
 * the JSON Schema that editors use.
 */
export const SIDECAR_CONFIGURATION = fields
  .refine(({ trust: { roots, list: signed } }) => roots.length > 0 || signed !== undefined, {
    path: ['trust'],
    message: 'names no trust anchors: set roots or list',
  })
  .refine(({ trust: { list: signed, stiPaRoots } }) => signed === undefined || stiPaRoots.length > 0, {
    path: ['trust', 'stiPaRoots'],
    message: 'is required to verify a signed list',
  })
  .refine(({ trust: { list: signed, roots } }) => signed === undefined || roots.length === 0, {
    path: ['trust', 'roots'],
    message: 'have no place beside a list: it says whom to trust',
  })
  .refine(({ trust: { list: signed, crls } }) => signed === undefined || !('url' in signed) || crls.length === 0, {
    path: ['trust', 'crls'],
    message: 'have no place beside a list by URL: name them in list.crlUrls',
  })
  .refine(({ trunks }) => hasNoneTwice(Object.values(trunks).flatMap((of) => of.addresses)), {
    path: ['trunks'],
    message: 'have an address twice: a call can come by one of them alone',
  })
  .refine(({ listen: { calls, admin } }) => admin === undefined || !isSamePlace(calls, admin), {
    path: ['listen', 'admin', 'port'],
    message: 'is that of listen.calls, too: each needs one of its own',
  })
  .refine((of) => of.tracebacks === undefined || of.records !== undefined, {
    path: ['tracebacks'],
    message: 'cannot be answered without records',
  })
  .refine(({ tracebacks: of, listen: { admin } }) => of === undefined || admin !== undefined, {
    path: ['tracebacks'],
    message: 'need listen.admin, for the page and for webhooks',
  })
  .refine(
    ({ tracebacks: of, listen: { admin } }) =>
      of?.accounts === undefined ||
      admin === undefined ||
      admin.tls !== undefined ||
      LOOPBACK.has(admin.host) ||
      of.origin?.startsWith('https://') === true,
    {
      path: ['listen', 'admin', 'tls'],
      message: 'is required to protect passwords; otherwise listen on 127.0.0.1, or name the https origin of a proxy',
    },
  );

/** A whole configuration of the sidecar, defaults filled in. Paths are relative to the directory of its file. */
export type SidecarConfiguration = z.output<typeof fields>;

export type ListenerConfiguration = SidecarConfiguration['listen']['calls'];
export type SigningConfiguration = NonNullable<SidecarConfiguration['signing']>;
export type RecordsConfiguration = NonNullable<SidecarConfiguration['records']>;
export type TracebacksConfiguration = NonNullable<SidecarConfiguration['tracebacks']>;

/**
 * The schema for editors, as JSON Schema draft-7: what may be written, nothing that has a default is needed.
 * @returns plain JSON; never throws
 * @see JSON Schema draft-7
 * @example
 * ```ts
 * console.log(configurationJsonSchema()['title']); // Configuration of the Hopback sidecar
 * ```
 */
export const configurationJsonSchema = (): Readonly<Record<string, unknown>> => ({
  ...z.toJSONSchema(fields, { target: 'draft-7', io: 'input' }),
  title: 'Configuration of the Hopback sidecar',
});
