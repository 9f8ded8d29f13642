import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { nextTurn } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import {
  DEFAULT_ATTESTATION_POLICY,
  NORTH_AMERICAN_PLAN,
  canonicalTelephoneNumber,
  AttestationPolicy,
  AuthenticationService,
  createLocalSigner,
  createStaticCertificateSource,
  TrustStoreRefresh,
  loadTrustStore,
  parseCertificateChain,
} from '../../stir/index.js';
import { saysTheSame } from '../../stir/certificates/trust-store.js';
import { readSigningCertificate } from '../../stir/signing/certificate-source.js';
import type {
  AttestationPolicyData,
  Certificate,
  SignatureRecord,
  SigningCertificate,
  TrustStore,
  TrustStoreFiles,
  X5uAllowList,
} from '../../stir/index.js';
import { FilingDirectory } from '../../switch/index.js';
import type { SidecarConfiguration, SigningConfiguration } from '../config/configuration.schema.js';
import { pathFrom, readJsonFile, readTextFile, stampOf } from './files.js';
import type { OnNotice } from './files.js';

/** What services are loaded with. */
export interface ServicesOptions {
  /** Of the configuration file: paths begin there. */
  readonly directory: string;
  readonly clock: Clock;
  readonly onNotice: OnNotice;
  /** Opens an encrypted signing key. */
  readonly passphrase?: string;
  readonly onSignature?: (record: SignatureRecord) => void;
}

/** The filings of upstream providers, as long as trunks and file stay what they are. */
export interface FilingsPart {
  readonly directory: FilingDirectory;
  /** What trunks say of their filings. */
  readonly trunks: string;
  /** When the file was handed out, milliseconds since the epoch: its own time. */
  readonly listedAtMs: number;
}

/**
 * Loads a file of filings. One that cannot be the whole database leaves the last one in its place, and is told.
 * @param path - absolute
 * @param before - what was loaded before
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `invalid-configuration` when it is the first and cannot be used
 */
export async function loadFilings(
  path: string,
  trunkConfigurations: SidecarConfiguration['trunks'],
  { clock, onNotice }: ServicesOptions,
  before: FilingsPart | undefined,
): Promise<FilingsPart> {
  const references = Object.fromEntries(
    Object.entries(trunkConfigurations).flatMap(([name, { filing }]) => (filing === undefined ? [] : [[name, filing]])),
  );
  const trunks = JSON.stringify(references);
  const listedAtMs = await stat(path).then(
    ({ mtimeMs }) => Math.floor(mtimeMs),
    (cause: unknown) => {
      throw new HopbackError('storage-failed', `${path} cannot be read`, { cause, retryable: true });
    },
  );
  if (before?.trunks === trunks && before.listedAtMs === listedAtMs) return before;
  const directory = before?.trunks === trunks ? before.directory : new FilingDirectory({ trunks: references, clock });
  const loaded = directory.load(await readTextFile(path), { listedAtMs });
  if (loaded.status === 'loaded') return { directory, trunks, listedAtMs };
  const text = `${path} is not taken for the Robocall Mitigation Database: ${loaded.reason}`;
  if (before === undefined) throw new HopbackError('invalid-configuration', text);
  onNotice({ level: 'warn', part: 'filings', text });
  return before;
}

/** Numbers from which nobody calls, as long as their file stays what it is. */
export interface NumbersPart {
  readonly numbers: ReadonlySet<string>;
  /** Of the file that they were read from. */
  readonly stamp: string;
}

/** Lines that are read in a turn: some milliseconds, in which calls wait. Lists have hundreds of thousands. */
const LINES_AT_ONCE = 2_000;

/**
 * Reads a file of numbers from which nobody calls: one a line, `#` begins a remark. Calls are answered while it is read.
 * @param path - absolute
 * @param before - what was read last; it stays where the file has not changed
 * @returns the numbers in canonical form
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `invalid-configuration` for a line that is no number, and for a file of none in
 * the place of one with some, which is one that is just being written
 */
export async function loadNumbers(path: string, before?: NumbersPart): Promise<NumbersPart> {
  // As of before it is read: what is written meanwhile is another change.
  const stamp = await stampOf([path]);
  if (before?.stamp === stamp) return before;
  const numbers = new Set<string>();
  const lines = (await readTextFile(path)).split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (index % LINES_AT_ONCE === LINES_AT_ONCE - 1) await nextTurn();
    const [text = ''] = line.split('#', 1);
    if (text.trim() === '') continue;
    const number = canonicalTelephoneNumber(text.trim(), NORTH_AMERICAN_PLAN);
    if (number.kind === 'none')
      throw new HopbackError('invalid-configuration', `${path} line ${String(index + 1)} has no telephone number`);
    numbers.add(number.tn);
  }
  if (numbers.size === 0 && before !== undefined && before.numbers.size > 0)
    throw new HopbackError('invalid-configuration', `${path} has no number any more: it may be just being written`);
  return { numbers, stamp };
}

/** What calls are signed with, as long as it is used. */
export interface SigningPart {
  readonly service: AuthenticationService;
  readonly configuration: SigningConfiguration;
  readonly certificate: SigningCertificate;
  readonly files: readonly string[];
}

/**
 * Loads key, certificate and policy.
 * @throws {@link HopbackError} `storage-failed`, `key-unusable`, `certificate-unusable` or `invalid-configuration`
 */
export async function loadSigning(
  configuration: SigningConfiguration,
  { directory, clock, passphrase, onSignature: onRecord }: ServicesOptions,
  allow: X5uAllowList | undefined,
): Promise<SigningPart> {
  const at = (name: string): string => pathFrom(directory, name);
  const [keyPath, chainPath] = [at(configuration.key), at(configuration.certificate)];
  const [privateKeyPem, chainPem] = [await readTextFile(keyPath), await readTextFile(chainPath)];
  const policyPath = configuration.attestationPolicy && at(configuration.attestationPolicy);
  const certificate = { chainPem, x5u: configuration.x5u, ...defined({ x5uPolicy: allow && { allow } }) };
  const read = readSigningCertificate(certificate);
  if (read.status === 'unusable')
    throw new HopbackError('certificate-unusable', `${chainPath} cannot be used for signing: ${read.detail}`);
  // AttestationPolicy checks every part of the file.
  const policy =
    policyPath === undefined ? DEFAULT_ATTESTATION_POLICY : ((await readJsonFile(policyPath)) as AttestationPolicyData);
  const service = new AuthenticationService({
    spc: configuration.spc ?? spcOf(read.signingCertificate),
    signer: await createLocalSigner({ privateKeyPem, ...defined({ passphrase }) }),
    certificateSource: createStaticCertificateSource(certificate),
    policy: new AttestationPolicy({ ...policy, explicitAttestation: EXPLICIT[configuration.attestation] }),
    emergencyCalls: configuration.emergencyCalls,
    clock,
    randomUuid: randomUUID,
    ...defined({ onRecord }),
  });
  const obstacle = service.obstacle();
  // One of another key is a mistake of whoever changed the files; one that has run out must not stop verification.
  if (
    obstacle !== undefined &&
    obstacle.reason !== 'certificate-expired' &&
    obstacle.reason !== 'certificate-not-yet-valid'
  )
    throw new HopbackError('certificate-unusable', `nothing can be signed: ${obstacle.detail}`);
  const files = [keyPath, chainPath, policyPath].filter((path) => path !== undefined);
  return { service, configuration, certificate: read.signingCertificate, files };
}

const EXPLICIT: Readonly<Record<SigningConfiguration['attestation'], AttestationPolicy['explicitAttestation']>> = {
  'of-the-switch': 'permitted',
  'at-most-policy': 'at-most-rule',
  'policy-alone': 'refused',
};

function spcOf({ certificate }: SigningCertificate): string {
  const [spc, ...more] = (certificate.tnAuthList ?? []).flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
  if (spc !== undefined && more.length === 0) return spc;
  throw new HopbackError('invalid-configuration', 'signing.spc: the certificate has not exactly one');
}

/** Whom calls are verified against, as long as it is used. */
export interface TrustPart {
  readonly current: () => TrustStore | undefined;
  /** Looks at its files, or at what is published, again. */
  readonly reload: () => Promise<void>;
  /** Files that a change of is to be noticed. */
  readonly files: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * Loads whom to trust, from files or from where the policy administrator publishes it.
 * @param current - the store in force: a list that is yet to come replaces it, and nothing else does
 * @throws {@link HopbackError} of `loadTrustStore` and `TrustStoreRefresh`
 */
export async function loadTrust(
  trust: SidecarConfiguration['trust'],
  options: ServicesOptions,
  certificates: SidecarConfiguration['certificates'],
  current: TrustStore | undefined,
): Promise<TrustPart> {
  const { list } = trust;
  return list !== undefined && 'url' in list
    ? publishedTrust({ ...trust, list }, options, certificates, current)
    : trustOfFiles(trust, options);
}

async function trustOfFiles(
  trust: SidecarConfiguration['trust'],
  { directory, clock }: ServicesOptions,
): Promise<TrustPart> {
  const at = (paths: readonly string[]): readonly string[] => paths.map((path) => pathFrom(directory, path));
  const files: TrustStoreFiles = {
    anchors: anchorsOf(trust, directory),
    stiPaRoots: at(trust.stiPaRoots),
    intermediates: at(trust.intermediates),
    crls: at(trust.crls),
    crlSigners: at(trust.crlSigners),
  };
  let store = await loadTrustStore(files, { clock });
  const anchors = files.anchors.kind === 'files' ? files.anchors.paths : [files.anchors.path];
  return {
    current: () => store,
    reload: async () => {
      const next = await loadTrustStore(files, { clock, previous: store });
      // Calls remember the paths that they found under a store: one that says the same is not exchanged.
      if (!saysTheSame(store, next)) store = next;
    },
    files: [
      ...anchors,
      ...('signerChainPath' in files.anchors ? [files.anchors.signerChainPath] : []),
      ...[files.stiPaRoots, files.intermediates, files.crls, files.crlSigners].flatMap((paths) => paths ?? []),
    ],
    close: () => Promise.resolve(),
  };
}

function anchorsOf({ list, roots }: SidecarConfiguration['trust'], directory: string): TrustStoreFiles['anchors'] {
  if (list === undefined || !('path' in list))
    return { kind: 'files', paths: roots.map((path) => pathFrom(directory, path)) };
  const signerChainPath = list.signerChain && pathFrom(directory, list.signerChain);
  return { kind: 'sti-pa-list', path: pathFrom(directory, list.path), ...defined({ signerChainPath }) };
}

type Published = SidecarConfiguration['trust'] & {
  readonly list: Extract<SidecarConfiguration['trust']['list'], { readonly url: string }>;
};

/** Goes on without a list until there is one: the sidecar is not ready meanwhile. */
async function publishedTrust(
  trust: Published,
  { directory, clock, onNotice }: ServicesOptions,
  certificates: SidecarConfiguration['certificates'],
  current: TrustStore | undefined,
): Promise<TrustPart> {
  const read = async (paths: readonly string[]): Promise<readonly Certificate[]> =>
    (await Promise.all(paths.map((path) => certificatesOf(pathFrom(directory, path))))).flat();
  const [stiPaRoots, crlSigners, intermediates] = [
    await read(trust.stiPaRoots),
    await read(trust.crlSigners),
    await read(trust.intermediates),
  ];
  const { url, crlUrls, cache } = trust.list;
  const refresh = new TrustStoreRefresh({
    listUrl: url,
    crlUrls,
    stiPaRoots,
    intermediates,
    clock,
    ...defined({
      crlSigners: crlSigners.length > 0 ? crlSigners : undefined,
      cachePath: cache && pathFrom(directory, cache),
      current,
      allow: certificates.allow,
      ca: certificates.ca && (await readTextFile(pathFrom(directory, certificates.ca))),
    }),
    onProblem: ({ part, detail }) => onNotice({ level: 'warn', part: 'trust', text: `${part}: ${detail}` }),
  });
  return {
    current: () => refresh.current(),
    // Behind everybody's back: a list that is slow to come must not keep anything else waiting.
    reload: () => {
      void refresh.refresh();
      return Promise.resolve();
    },
    files: [...trust.stiPaRoots, ...trust.crlSigners, ...trust.intermediates].map((path) => pathFrom(directory, path)),
    close: () => refresh.close(),
  };
}

async function certificatesOf(path: string): Promise<readonly Certificate[]> {
  const parsed = parseCertificateChain(await readTextFile(path));
  if (parsed.status === 'parsed') return parsed.chain;
  throw new HopbackError('trust-list-rejected', `${path} holds no certificates: ${parsed.detail}`);
}

/** Finds the trunk of a call. */
export type TrunkTable = ReturnType<typeof trunkTable>;

/**
 * @param trunks - by name; an address that is in networks of several belongs to the one with the longest prefix
 */
export function trunkTable(trunks: SidecarConfiguration['trunks']) {
  const byName = new Map(Object.entries(trunks));
  const places = [...byName].flatMap(([name, { addresses }]) => addresses.map((address) => ({ name, address })));
  const byAddress = new Map(places.map(({ name, address }) => [address, name]));
  const networks = places
    .filter(({ address }) => address.includes('/'))
    .map(({ name, address }) => networkOf(name, address))
    .toSorted((left, right) => right.prefix - left.prefix);
  return {
    /**
     * @param call - the name that the switch gives, or the address that the call came from
     * @returns its name and policy; those of `default`, or of nothing, where it is no other
     */
    find: ({ name, address = '' }: { readonly name?: string | undefined; readonly address?: string | undefined }) => {
      const known = name !== undefined && byName.has(name) ? name : byAddress.get(address);
      const found = known ?? networks.find(({ has }) => has(address))?.name;
      return { name: found, policy: byName.get(found ?? 'default') };
    },
  };
}

/** A network as the schema lets it through. */
function networkOf(name: string, text: string) {
  const [network = '', length = ''] = text.split('/');
  const prefix = Number(length);
  const family = isIPv6(network) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return { name, prefix, has: (address: string): boolean => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') };
}
