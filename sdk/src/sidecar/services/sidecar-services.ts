import { scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { createCertificateRepository, createVerificationService } from '../../stir/index.js';
import type {
  CanonicalTn,
  CertificateRepositoryService,
  SignatureRecord,
  VerificationService,
} from '../../stir/index.js';
import type { FilingDirectory } from '../../switch/index.js';
import type { SidecarConfiguration } from '../config/configuration.js';
import { pathFrom, readTextFile, stampOf, warnOfOpenKeys } from './files.js';
import { loadFilings, loadNumbers, loadSigning, loadTrust, trunkTable } from './load-services.js';
import type { FilingsPart, NumbersPart, SigningPart, TrunkTable, TrustPart } from './load-services.js';
import type { OnNotice } from './files.js';

/** Everything that a request is answered with: one object, put in the place of the last at a reload. */
export interface SidecarServices {
  readonly configuration: SidecarConfiguration;
  /** Absent while nobody is trusted yet. */
  readonly verification: VerificationService | undefined;
  readonly trust: TrustPart;
  readonly certificates: CertificateRepositoryService;
  readonly signing: SigningPart | undefined;
  readonly trunks: TrunkTable;
  readonly doNotOriginate: ReadonlySet<CanonicalTn> | undefined;
  readonly filings: FilingDirectory | undefined;
  /** Files that all this was read from. */
  readonly files: readonly string[];
}

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

/** Loads services, and loads them again. */
export type ServicesLoader = ReturnType<typeof createServicesLoader>;

/** Services that could be in force. */
export interface PreparedServices {
  readonly commit: () => SidecarServices;
  readonly letGo: () => Promise<void>;
}

/** A part that is kept for as long as its key stays the same. */
interface Kept<Part> {
  readonly key: string;
  readonly part: Part;
}

/**
 * Makes a loader that has loaded nothing yet.
 * @param options - where files are, time, and whom to tell
 * @returns the loader, to be closed
 */
export function createServicesLoader(options: ServicesOptions) {
  let current: SidecarServices | undefined;
  const parts: Parts = {
    ...{ certificates: undefined, trust: undefined, verification: undefined },
    ...{ filings: undefined, doNotOriginate: undefined },
  };
  /** Calls under way may still ask what was replaced; it is closed with the rest. */
  const replaced = new Set<() => Promise<void>>();
  const prepare = async (configuration: SidecarConfiguration): Promise<PreparedServices> => {
    const next = await loadParts(configuration, { options, parts });
    const isNew = {
      trust: next.parts.trust !== parts.trust,
      certificates: next.parts.certificates !== parts.certificates,
    };
    return {
      commit: () => {
        for (const close of next.replaced) {
          scheduleInBackground(() => void closeReplaced(close), configuration.verification.timeBudgetMs + GRACE_MS);
          replaced.add(close);
        }
        Object.assign(parts, next.parts);
        current = next.services;
        return current;
      },
      letGo: async () => {
        if (isNew.trust) await next.parts.trust?.part.close();
        if (isNew.certificates) await next.parts.certificates?.part.close();
      },
    };
  };
  const load = async (configuration: SidecarConfiguration): Promise<SidecarServices> =>
    (await prepare(configuration)).commit();
  const closeReplaced = async (close: () => Promise<void>): Promise<void> => {
    replaced.delete(close);
    await close();
  };
  return {
    /** In force. @throws Error before the first load */
    current: (): SidecarServices => {
      if (current === undefined) throw new Error('services were asked for before they were loaded');
      return current;
    },
    /**
     * Loads what has changed, and puts it in force at once. What has not stays as it is: caches, connections and memories with it.
     * @throws {@link HopbackError} when something cannot be used; what was in force stays in force
     */
    load,
    /** As `load`, but for putting it in force, which what it resolves to does. What is not put in force has to be let go by that. */
    prepare,
    close: async () => {
      await Promise.all([...replaced].map((close) => closeReplaced(close)));
      await parts.trust?.part.close();
      await parts.certificates?.part.close();
    },
  };
}

/** Beyond the time that a call may wait. */
const GRACE_MS = 5_000;

interface Parts {
  certificates: Kept<CertificateRepositoryService> | undefined;
  trust: Kept<TrustPart> | undefined;
  verification: Kept<{ readonly service: () => VerificationService | undefined }> | undefined;
  filings: FilingsPart | undefined;
  doNotOriginate: NumbersPart | undefined;
}

interface Loaded {
  readonly parts: Parts;
  readonly services: SidecarServices;
  readonly replaced: readonly (() => Promise<void>)[];
}

async function loadParts(
  configuration: SidecarConfiguration,
  { options, parts }: { readonly options: ServicesOptions; readonly parts: Parts },
): Promise<Loaded> {
  // Whom to trust first: what is wrong with a key of our own must not keep a revocation from being heard.
  const certificates = await certificatesPart(configuration, { options, before: parts.certificates });
  const letGo: (() => Promise<void>)[] = certificates === parts.certificates ? [] : [certificates.part.close];
  try {
    const trust = await trustPart(configuration, { options, before: parts.trust });
    if (trust !== parts.trust) letGo.unshift(trust.part.close);
    return await loadRest(configuration, { options, parts, certificates, trust });
  } catch (error) {
    for (const close of letGo) await close();
    throw error;
  }
}

async function loadRest(
  configuration: SidecarConfiguration,
  {
    options,
    parts,
    certificates,
    trust,
  }: {
    readonly options: ServicesOptions;
    readonly parts: Parts;
    readonly certificates: Kept<CertificateRepositoryService>;
    readonly trust: Kept<TrustPart>;
  },
): Promise<Loaded> {
  const { directory } = options;
  const replaced: (() => Promise<void>)[] = [];
  await warnOfOpenKeys(configuration, options);
  const signing = configuration.signing && (await signingPart(configuration, options));
  const doNotOriginatePath =
    configuration.doNotOriginate === undefined ? undefined : pathFrom(directory, configuration.doNotOriginate);
  const doNotOriginate =
    doNotOriginatePath === undefined ? undefined : await loadNumbers(doNotOriginatePath, parts.doNotOriginate);
  const filingsPath = configuration.filings === undefined ? undefined : pathFrom(directory, configuration.filings);
  const { trunks } = configuration;
  const { clock, onNotice } = options;
  const filings =
    filingsPath === undefined
      ? undefined
      : await loadFilings(filingsPath, { trunks, clock, onNotice, before: parts.filings });
  if (parts.certificates !== undefined && parts.certificates !== certificates)
    replaced.push(parts.certificates.part.close);
  if (parts.trust !== undefined && parts.trust !== trust) replaced.push(parts.trust.part.close);
  const verificationKey = JSON.stringify([configuration.verification, certificates.key, trust.key]);
  const verification =
    parts.verification?.key === verificationKey
      ? parts.verification
      : { key: verificationKey, part: verificationPart(configuration, { options, trust, certificates }) };
  const { ca } = configuration.certificates;
  const services: SidecarServices = {
    configuration,
    get verification() {
      return verification.part.service();
    },
    trust: trust.part,
    certificates: certificates.part,
    signing,
    trunks: trunkTable(configuration.trunks),
    doNotOriginate: doNotOriginate?.numbers,
    filings: filings?.directory,
    files: [
      ...trust.part.files,
      ...(signing?.files ?? []),
      ...[doNotOriginatePath, filingsPath, ca && pathFrom(directory, ca)].filter((path) => path !== undefined),
    ],
  };
  return { parts: { certificates, trust, verification, filings, doNotOriginate }, services, replaced };
}

function signingPart(
  { signing, certificates: { allow } }: SidecarConfiguration,
  { directory, clock, passphrase, onSignature }: ServicesOptions,
): Promise<SigningPart | undefined> {
  if (signing === undefined) return Promise.resolve(undefined);
  return loadSigning(signing, {
    ...{ directory, clock },
    ...(passphrase !== undefined && { passphrase }),
    ...(allow !== undefined && { allow }),
    ...(onSignature !== undefined && { onRecord: onSignature }),
  });
}

interface PartOptions<Part> {
  readonly options: ServicesOptions;
  readonly before: Kept<Part> | undefined;
}

async function certificatesPart(
  { certificates }: SidecarConfiguration,
  { options: { directory, clock, onNotice }, before }: PartOptions<CertificateRepositoryService>,
): Promise<Kept<CertificateRepositoryService>> {
  const ca = certificates.ca === undefined ? undefined : await readTextFile(pathFrom(directory, certificates.ca));
  const key = JSON.stringify([certificates, ca]);
  if (before?.key === key) return before;
  const part = createCertificateRepository({
    clock,
    ...(certificates.allow !== undefined && { allow: certificates.allow }),
    ...(ca !== undefined && { ca }),
    ...(certificates.directory !== undefined && { directory: pathFrom(directory, certificates.directory) }),
  });
  void warmUp(part, certificates.preload).then(onNotice);
  return { key, part };
}

/** What is on disk and what is to be there before calls need it, behind everybody's back. */
async function warmUp(
  repository: CertificateRepositoryService,
  urls: readonly string[],
): Promise<Parameters<OnNotice>[0]> {
  const { imported } = await repository.restore();
  const { found, failures } = await repository.preload(urls);
  const text = `${String(imported)} certificates from disk, ${String(found)} fetched, ${String(failures.length)} not to be had`;
  return { level: failures.length > 0 ? 'warn' : 'info', part: 'certificates', text };
}

async function trustPart(
  { trust, certificates }: SidecarConfiguration,
  { options, before }: PartOptions<TrustPart>,
): Promise<Kept<TrustPart>> {
  const { directory, clock, onNotice } = options;
  // What a published list is vouched for by is read once, so that other roots make another part; files are read again by the part itself.
  const vouching =
    trust.list !== undefined && 'url' in trust.list
      ? await stampOf(trust.stiPaRoots.map((path) => pathFrom(directory, path)))
      : '';
  const key = JSON.stringify([trust, certificates.allow, certificates.ca, vouching]);
  if (before?.key === key) {
    await before.part.reload();
    return before;
  }
  const current = before?.part.current();
  return {
    key,
    part: await loadTrust(trust, { directory, clock, certificates, onNotice, ...(current && { current }) }),
  };
}

/** Made when there is somebody to trust; told of each other store from then on. */
function verificationPart(
  { verification: { timeBudgetMs, ...policy } }: SidecarConfiguration,
  {
    options: { clock },
    trust,
    certificates,
  }: {
    readonly options: ServicesOptions;
    readonly trust: Kept<TrustPart>;
    readonly certificates: Kept<CertificateRepositoryService>;
  },
): { readonly service: () => VerificationService | undefined } {
  let service: VerificationService | undefined;
  const make = (): VerificationService | undefined => {
    const trustStore = trust.part.current();
    if (trustStore === undefined) return undefined;
    return createVerificationService({ certificates: certificates.part, trustStore, clock, policy, timeBudgetMs });
  };
  service = make();
  trust.part.onTrustStore((store) => {
    if (service === undefined) service = make();
    else service.useTrustStore(store);
  });
  return { service: () => service };
}
