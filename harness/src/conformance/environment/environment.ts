import { isIP } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import {
  createPassportFaultContext,
  createTestKey,
  createTestPki,
  SERVER_FAULTS,
  startCertificateServer,
  testKeyFromPem,
} from '@hopback/sdk/testing';
import type {
  CertificateServer,
  PublishOptions,
  TestCrl,
  TestKey,
  TestPki,
  TestServiceProvider,
} from '@hopback/sdk/testing';
import { pkiKeysFromPem } from '../../laboratory/index.js';
import type { CaseSetting, ConformanceCase, PublishedCertificate } from '../case.js';
import { newKeys, readFolder, writeFolder } from './folder.js';
import type { ConformanceFolder, FolderKeys } from './folder.js';
import { partiesOf } from './parties.js';
import { writeTrustFiles } from './trust-files.js';
import type { TrustUrls } from './trust-files.js';

/** Settings of {@link openConformanceEnvironment}. */
export interface ConformanceEnvironmentOptions {
  /** Folder of keys and trust files; made where it is not there. */
  readonly folder: string;
  /** Whether trust files are written anew, with the keys that are there; a new folder gets them in any case. */
  readonly prepares?: boolean;
  /** Where the certificate server is; default as the folder was prepared, and 127.0.0.1 with any free ports where it was not. */
  readonly certificates?: {
    /** Host in URLs, as the service under test reaches it. */
    readonly host: string;
    /** 0 for any that is free. */
    readonly httpsPort: number;
    /** Of the CRL. */
    readonly httpPort: number;
    /** Where to listen; default the host where it is an address, else all addresses of the machine. */
    readonly address?: string;
  };
}

/** PKI, certificate server and trust files of a run. */
export interface ConformanceEnvironment extends AsyncDisposable {
  readonly folder: string;
  readonly server: CertificateServer;
  readonly urls: TrustUrls;
  /** The world of one case, at the present time. */
  readonly settingOf: (conformanceCase: Pick<ConformanceCase, 'number'>) => CaseSetting;
  readonly close: () => Promise<void>;
}

/** Code of the provider whose calls are verified, and of the one that the service under test signs for. */
const PROVIDER_SPC = '1234';
const SIGNING_SPC = '9999';
/** On the CRL from the beginning; certificates with them are issued when a case wants them. Higher than those of the PKI itself. */
const REVOKED_SERIALS = { endEntity: 900_001, ca: 900_002 } as const;
/** Long enough for a laboratory that is set up once a quarter. */
const LIST_DAYS = 90;
const DAY_MS = 86_400_000;

/**
 * Opens the environment of a folder: the same keys as before, certificates for the present time, and the certificate server.
 * @param options - the folder, and where the certificate server is
 * @returns the environment; close it, or take it with `await using`
 * @throws {@link HopbackError} `invalid-configuration` for a folder that holds something else; node's own error when a port cannot be opened
 * @see ATIS-1000080 section 6, RFC 8226 section 7
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 *
 * const folder = await mkdtemp(`${tmpdir()}/conformance-`);
 * await using environment = await openConformanceEnvironment({ folder });
 * console.log(new URL(environment.urls.signingX5u).pathname); // /signing.pem
 * await rm(folder, { recursive: true });
 * ```
 */
export async function openConformanceEnvironment(
  options: ConformanceEnvironmentOptions,
): Promise<ConformanceEnvironment> {
  const { folder, prepares = false } = options;
  const known = await readFolder(folder);
  const keys = known?.keys ?? newKeys();
  const server = await startServer(keys, placeOf(options, known));
  try {
    const place = { ...placeOf(options, known), httpsPort: server.ports.https, httpPort: server.ports.http };
    const nowMs = Date.now();
    const pki = await createTestPki({
      ...{ nowMs, label: 'Hopback Conformance', keys: pkiKeysFromPem(keys), crlUrl: server.url(PATHS.crl, 'http') },
      // Serial numbers of runs under the same keys must differ, or a verifier that remembers them is confused.
      firstSerialNumber: Math.floor(nowMs / 1000),
    });
    const crl = crlOf(pki, server.url(PATHS.crlSigner));
    const signing = pki.issueServiceProvider({ spc: SIGNING_SPC, key: testKeyFromPem(keys.signing) });
    const list = pki.trustList({
      ...{ sequence: Math.floor(nowMs / 1000), x5u: server.url(PATHS.listSigner) },
      exp: Math.floor((nowMs + LIST_DAYS * DAY_MS) / 1000),
    }).jws;
    const urls = publishLists(server, { pki, crl, list, signing });
    if (known === undefined || prepares) {
      await writeFolder(folder, { version: 1, ...place, keys });
      await writeTrustFiles(folder, { pki, crl, list, signing, urls, webRootPem: server.tlsRootPem });
    }
    const run = `/${nowMs.toString(36)}`;
    const certificate = pki.issueServiceProvider({ spc: PROVIDER_SPC });
    const provider = { certificate, x5u: server.publish(`${run}/provider.pem`, certificate.chainPem) };
    const world: World = {
      server,
      pki,
      provider,
      signing,
      signingX5u: urls.signingX5u,
      run,
      rsaKey: createTestKey('RSA-2048'),
    };
    const close = (): Promise<void> => server.close();
    return {
      ...{ folder, server, urls, close, [Symbol.asyncDispose]: close },
      settingOf: ({ number }) => settingOf(world, number),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

const PATHS = {
  crl: '/sti-pa/crl',
  crlSigner: '/sti-pa/crl-signer.pem',
  list: '/sti-pa/list.jws',
  listSigner: '/sti-pa/list-signer.pem',
  signing: '/signing.pem',
} as const;

type Place = Omit<ConformanceFolder, 'version' | 'keys'>;

function placeOf({ certificates }: ConformanceEnvironmentOptions, known: ConformanceFolder | undefined): Place {
  if (certificates !== undefined) {
    const { host, httpsPort, httpPort } = certificates;
    const address = certificates.address ?? (isIP(host) === 0 ? '0.0.0.0' : host);
    if (isIP(address) === 0) throw new HopbackError('invalid-argument', `${address} is no IP address to listen at`);
    return { host, address, httpsPort, httpPort };
  }
  if (known === undefined) return { host: '127.0.0.1', address: '127.0.0.1', httpsPort: 0, httpPort: 0 };
  const { host, address, httpsPort, httpPort } = known;
  return { host, address, httpsPort, httpPort };
}

/** The TLS certificate of the server is below a root of its own, with the key of the folder. */
async function startServer(
  keys: FolderKeys,
  { host, address, httpsPort, httpPort }: Place,
): Promise<CertificateServer> {
  const pki = await createTestPki({ label: 'Hopback Conformance', keys: { tlsRoot: testKeyFromPem(keys.tlsRoot) } });
  const names = isIP(host) === 0 ? [host] : [];
  return startCertificateServer({ pki, names, host, address, port: httpsPort, httpPort });
}

function crlOf(pki: TestPki, signerUrl: string): TestCrl {
  return pki.crl({
    revoked: [
      { serialNumber: REVOKED_SERIALS.endEntity, issuerName: pki.intermediate.subject, reason: 'keyCompromise' },
      { serialNumber: REVOKED_SERIALS.ca, issuerName: pki.root.subject, reason: 'cACompromise' },
    ],
    nextUpdateMs: pki.nowMs + LIST_DAYS * DAY_MS,
    caIssuers: [signerUrl],
  });
}

function publishLists(
  server: CertificateServer,
  lists: { readonly pki: TestPki; readonly crl: TestCrl; readonly list: string; readonly signing: TestServiceProvider },
): TrustUrls {
  const { pki, crl, list, signing } = lists;
  server.publish(PATHS.crl, crl.der, { contentType: 'application/pkix-crl' });
  server.publish(PATHS.crlSigner, pki.stiPaCrlIssuer.certificatePem);
  return {
    signingX5u: server.publish(PATHS.signing, signing.chainPem),
    crl: server.url(PATHS.crl, 'http'),
    list: server.publish(PATHS.list, list, { contentType: 'application/jose' }),
    listSigner: server.publish(PATHS.listSigner, pki.stiPaSigner.chainPem),
  };
}

interface World {
  readonly server: CertificateServer;
  readonly pki: TestPki;
  readonly provider: PublishedCertificate<TestServiceProvider>;
  readonly signing: TestServiceProvider;
  readonly signingX5u: string;
  readonly rsaKey: TestKey;
  /** In front of all paths, so that nothing is served under a URL that a service has cached in an earlier run. */
  readonly run: string;
}

function settingOf(world: World, number: string): CaseSetting {
  const { server, pki, provider, signing, run } = world;
  const nowMs = Date.now();
  const { origTn, destTn } = partiesOf(number);
  const context = createPassportFaultContext({
    ...{ signer: provider.certificate, x5u: provider.x5u, nowMs, origTn, destTn },
  });
  const { nowSeconds } = context;
  let published = 0;
  const freshPath = (): string => `${run}/${number.toLowerCase()}-${(published += 1)}.pem`;
  const publish = (chainPem: string, content: PublishOptions = {}): string =>
    server.publish(freshPath(), chainPem, content);
  return {
    ...{ nowSeconds, pki, provider, context, origTn, destTn, publish, revokedSerials: REVOKED_SERIALS },
    signing: { x5u: world.signingX5u, publicKeyPem: signing.publicKeyPem },
    rsaKey: world.rsaKey,
    publishFault(name, chainPem) {
      const { fault, listener } = SERVER_FAULTS[name];
      const path = freshPath();
      // Where redirects lead there is a right chain, so that a client that follows them is found out.
      const answer = fault(publish(chainPem), chainPem);
      server.sequence(path, [answer]);
      return server.url(path, listener);
    },
    publishAt: (path) => server.publish(path, provider.certificate.chainPem),
    httpUrl: (x5u) => server.url(new URL(x5u).pathname, 'http'),
    passport: (changes = {}) => ({
      ...{ signer: provider.certificate, x5u: provider.x5u, iatSeconds: nowSeconds, origTn, destTn },
      ...{ origId: context.origId, ...changes },
    }),
  };
}
