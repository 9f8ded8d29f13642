import { defined } from '../../core/text.js';
import { scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { CertificateRepository, VerificationService } from '../../stir/index.js';
import type { FilingDirectory } from '../../switch/index.js';
import type { SidecarConfiguration } from '../config/configuration.schema.js';
import { pathFrom, readTextFile, stampOf, warnOfOpenKeys } from './files.js';
import { loadFilings, loadNumbers, loadSigning, loadTrust, trunkTable } from './load-services.js';
import type { FilingsPart, NumbersPart, SigningPart, TrunkTable, TrustPart, ServicesOptions } from './load-services.js';
import type { OnNotice } from './files.js';

/** Everything that a request is answered with: one object, put in the place of the last at a reload. */
export interface SidecarServices {
  readonly configuration: SidecarConfiguration;
  /** Absent while nobody is trusted yet. */
  readonly verification: VerificationService | undefined;
  readonly trust: TrustPart;
  readonly certificates: CertificateRepository;
  readonly signing: SigningPart | undefined;
  readonly trunks: TrunkTable;
  readonly doNotOriginate: ReadonlySet<string> | undefined;
  readonly filings: FilingDirectory | undefined;
  /** Files that all this was read from. */
  readonly files: readonly string[];
}

/** Loads services, and loads them again. */
export type ServicesLoader = ReturnType<typeof createServicesLoader>;

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
  const parts: Parts = {};
  /** Calls under way may still ask what was replaced; it is closed with the rest. */
  const replaced = new Set<() => Promise<void>>();
  const prepare = async (configuration: SidecarConfiguration) => {
    const next = await loadParts(configuration, options, parts);
    const before = { ...parts };
    return {
      commit: (): SidecarServices => {
        for (const close of next.replaced) {
          scheduleInBackground(() => void closeReplaced(close), configuration.verification.timeBudgetMs + GRACE_MS);
          replaced.add(close);
        }
        Object.assign(parts, next.parts);
        current = next.services;
        return current;
      },
      letGo: async () => {
        if (next.parts.trust !== before.trust) await next.parts.trust?.part.close();
        if (next.parts.certificates !== before.certificates) await next.parts.certificates?.part.close();
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
  certificates?: Kept<CertificateRepository> | undefined;
  trust?: Kept<TrustPart> | undefined;
  verification?: Kept<() => VerificationService | undefined> | undefined;
  filings?: FilingsPart | undefined;
  doNotOriginate?: NumbersPart | undefined;
}

interface Loaded {
  readonly parts: Parts;
  readonly services: SidecarServices;
  readonly replaced: readonly (() => Promise<void>)[];
}

async function loadParts(
  configuration: SidecarConfiguration,
  options: ServicesOptions,
  before: Parts,
): Promise<Loaded> {
  const opened: (() => Promise<void>)[] = [];
  try {
    // Whom to trust first: what is wrong with a key of our own must not keep a revocation from being heard.
    const certificates = await certificatesPart(configuration, options, before.certificates);
    if (certificates !== before.certificates) opened.unshift(() => certificates.part.close());
    const trust = await trustPart(configuration, options, before.trust);
    if (trust !== before.trust) opened.unshift(() => trust.part.close());
    return await loadRest(configuration, options, before, { certificates, trust });
  } catch (error) {
    for (const close of opened) await close();
    throw error;
  }
}

type Verifying = Required<Pick<Parts, 'certificates' | 'trust'>>;

async function loadRest(
  configuration: SidecarConfiguration,
  options: ServicesOptions,
  before: Parts,
  { certificates, trust }: { readonly [Name in keyof Verifying]: NonNullable<Verifying[Name]> },
): Promise<Loaded> {
  const at = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : pathFrom(options.directory, path);
  const [numbersPath, filingsPath] = [at(configuration.doNotOriginate), at(configuration.filings)];
  await warnOfOpenKeys(configuration, options);
  const { allow, ca } = configuration.certificates;
  const signing = configuration.signing && (await loadSigning(configuration.signing, options, allow));
  const doNotOriginate = numbersPath === undefined ? undefined : await loadNumbers(numbersPath, before.doNotOriginate);
  const filings =
    filingsPath === undefined
      ? undefined
      : await loadFilings(filingsPath, configuration.trunks, options, before.filings);
  const key = JSON.stringify([configuration.verification, certificates.key, trust.key]);
  const verification =
    before.verification?.key === key
      ? before.verification
      : { key, part: verificationPart(configuration, options.clock, trust.part, certificates.part) };
  const services: SidecarServices = {
    configuration,
    get verification() {
      return verification.part();
    },
    trust: trust.part,
    certificates: certificates.part,
    signing,
    trunks: trunkTable(configuration.trunks),
    doNotOriginate: doNotOriginate?.numbers,
    filings: filings?.directory,
    files: [...trust.part.files, ...(signing?.files ?? []), numbersPath, filingsPath, at(ca)].filter(
      (path) => path !== undefined,
    ),
  };
  const old = [before.certificates, before.trust].filter((part) => part !== certificates && part !== trust);
  const replaced = old.flatMap((kept) => (kept === undefined ? [] : [() => kept.part.close()]));
  return {
    parts: {
      certificates,
      trust,
      verification,
      filings,
      doNotOriginate,
    },
    services,
    replaced,
  };
}

async function certificatesPart(
  { certificates }: SidecarConfiguration,
  { directory, clock, onNotice }: ServicesOptions,
  before: Parts['certificates'],
): Promise<Kept<CertificateRepository>> {
  const ca = certificates.ca === undefined ? undefined : await readTextFile(pathFrom(directory, certificates.ca));
  const key = JSON.stringify([certificates, ca]);
  if (before?.key === key) return before;
  const folder = certificates.directory && pathFrom(directory, certificates.directory);
  const part = new CertificateRepository({
    clock,
    ...defined({ allow: certificates.allow, ca, directory: folder }),
  });
  void warmUp(part, certificates.preload).then(onNotice);
  return { key, part };
}

/** What is on disk and what is to be there before calls need it, behind everybody's back. */
async function warmUp(repository: CertificateRepository, urls: readonly string[]): Promise<Parameters<OnNotice>[0]> {
  const { imported } = await repository.restore();
  const { found, failures } = await repository.preload(urls);
  const text = `${String(imported)} certificates from disk, ${String(found)} fetched, ${String(failures.length)} not to be had`;
  return { level: failures.length > 0 ? 'warn' : 'info', part: 'certificates', text };
}

async function trustPart(
  { trust, certificates }: SidecarConfiguration,
  options: ServicesOptions,
  before: Parts['trust'],
): Promise<Kept<TrustPart>> {
  // What a published list is vouched for by is read once, so that other roots make another part; files are read again by the part itself.
  const vouching =
    trust.list !== undefined && 'url' in trust.list
      ? await stampOf(trust.stiPaRoots.map((path) => pathFrom(options.directory, path)))
      : '';
  const key = JSON.stringify([trust, certificates.allow, certificates.ca, vouching]);
  if (before?.key === key) {
    await before.part.reload();
    return before;
  }
  return { key, part: await loadTrust(trust, options, certificates, before?.part.current()) };
}

/** Made when there is somebody to trust. */
function verificationPart(
  { verification: { timeBudgetMs, ...policy } }: SidecarConfiguration,
  clock: Clock,
  trust: TrustPart,
  certificates: CertificateRepository,
): () => VerificationService | undefined {
  let service: VerificationService | undefined;
  const made = (): VerificationService | undefined => {
    if (service === undefined && trust.current() !== undefined)
      service = new VerificationService({ certificates, trustStore: trust, clock, policy, timeBudgetMs });
    return service;
  };
  made();
  return made;
}
