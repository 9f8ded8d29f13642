import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import type { PublishOptions, TestServiceProvider } from '@hopback/sdk/testing';
import {
  createPassportFaultContext,
  createTestKey,
  TestPki,
  SERVER_FAULTS,
  CertificateServer,
} from '@hopback/sdk/testing';
import { z } from 'zod';
import { jsonOf, keyPem, newPkiKeys, PKI_KEYS_SHAPE, pkiKeysFromPem, writePrivate } from '../../laboratory/index.js';
import type { CaseSetting, ConformanceCase } from '../case.js';

const port = z.int().min(0).max(65_535);

/** What makes a folder the same environment each time, in its `conformance.json`: where its certificate server is, and its keys. */
const conformanceFolderSchema = z.object({
  version: z.literal(1),
  /** Host in URLs. */
  host: z.string().min(1).max(255),
  /** Where the server listens. */
  address: z.string().min(1).max(255),
  httpsPort: port,
  httpPort: port,
  /** PEM by role: those of the PKI, and that of the signing service under test. */
  keys: z.object({ ...PKI_KEYS_SHAPE, signing: keyPem }),
});
type ConformanceFolder = z.output<typeof conformanceFolderSchema>;
type FolderKeys = ConformanceFolder['keys'];

/** File of a {@link ConformanceFolder}; it holds private keys of a test PKI. */
export const FOLDER_FILE = 'conformance.json';

type TestCrl = ReturnType<TestPki['crl']>;

/** New keys for all roles. */
const newKeys = (): FolderKeys => ({ ...newPkiKeys(), signing: createTestKey().privateKeyPem });

/**
 * Reads what a folder was prepared with.
 * @returns undefined where it was not
 * @throws {@link HopbackError} `invalid-configuration` for a file that this package did not write
 */
async function readFolder(folder: string): Promise<ConformanceFolder | undefined> {
  const text = await readFile(join(folder, FOLDER_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const read = conformanceFolderSchema.safeParse(jsonOf(text));
  if (read.success) return read.data;
  throw new HopbackError('invalid-configuration', `${join(folder, FOLDER_FILE)} is no folder of conformance tests`);
}

/** Writes it, for the owner alone. */
async function writeFolder(folder: string, content: ConformanceFolder): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writePrivate(join(folder, FOLDER_FILE), `${JSON.stringify(content, undefined, 2)}\n`);
}

/** Area codes of callers and of called numbers by hundreds of a case number: none that the cases use otherwise. */
const CALLERS = ['202', '405', '406', '407', '408', '409', '410', '412', '413', '414'];
const CALLED = ['305', '501', '502', '503', '504', '505', '507', '508', '509', '510'];

/**
 * Caller and called number of a case: those kept for fiction, 555-0100 to 555-0199, others for each case.
 * @param number - as `V-123`
 */
function partiesOf(number: string): { readonly origTn: string; readonly destTn: string } {
  const digits = number.replaceAll(/\D/g, '').padStart(3, '0');
  const hundreds = Number(digits.at(-3));
  const line = `55501${digits.slice(-2)}`;
  return { origTn: `1${CALLERS[hundreds] ?? ''}${line}`, destTn: `1${CALLED[hundreds] ?? ''}${line}` };
}

/** The page that stands in a prepared folder. */
const trustReadme = ({
  signingX5u,
  crl,
  list,
  listSigner,
}: TrustUrls): string => `# What the service under test is given

All of it is of a test PKI. Trust it on a machine of a laboratory, for the time of the test, and nowhere else.

| file | give it to the service as |
| --- | --- |
| sti-ca-root.pem | the one trust anchor (STI-CA root) of its verification service |
| sti-pa-crl.pem, sti-pa-crl.der | the CRL of the policy administrator; also at ${crl} while a run lasts |
| crl-signer.pem, sti-pa-root.pem | who signs that CRL, and the root above |
| sti-ca-list.jws, list-signer-chain.pem | the signed list of STI-CAs in place of the root, where the service reads one; also at ${list} and ${listSigner} |
| web-root.pem | the authority for HTTPS of the certificate server of the tests |
| signing-key.pem, signing-chain.pem | key and certificates of its signing service, SPC 9999 |

x5u of the signing service: ${signingX5u}

The service has to reach the certificate server of the tests, which runs on the machine of the tests and only while they do. Most
services refuse addresses such as 127.0.0.1 and ports other than 443 and 8443 in an x5u: make the exception of a laboratory for this one server.

Leave the freshness of iat at 60 seconds, and let calls go on whatever the verdict is unless the target is \`sip\` and the service speaks by rejecting.
The CRL is good for 90 days; \`--prepare\` on the same folder renews it, with the same keys.
`;

/** What a service under test is given. */
export interface TrustMaterial {
  readonly pki: TestPki;
  readonly crl: TestCrl;
  /** The list of the policy administrator, JWS compact. */
  readonly list: string;
  /** Root of the TLS certificate of the certificate server, PEM. */
  readonly webRootPem: string;
  readonly signing: TestServiceProvider;
  readonly urls: TrustUrls;
}

/** Where the certificate server has what. */
export interface TrustUrls {
  readonly signingX5u: string;
  readonly crl: string;
  readonly list: string;
  readonly listSigner: string;
}

/** Names of the files. */
export const TRUST_FILES = {
  root: 'sti-ca-root.pem',
  stiPaRoot: 'sti-pa-root.pem',
  crlDer: 'sti-pa-crl.der',
  crlPem: 'sti-pa-crl.pem',
  crlSigner: 'crl-signer.pem',
  list: 'sti-ca-list.jws',
  listSigner: 'list-signer-chain.pem',
  webRoot: 'web-root.pem',
  signingKey: 'signing-key.pem',
  signingChain: 'signing-chain.pem',
  readme: 'README.md',
} as const;

/** Writes the files that the operator of a service copies, and a page that says what each is for. */
async function writeTrustFiles(folder: string, material: TrustMaterial): Promise<void> {
  const { pki, crl, list, webRootPem, signing, urls } = material;
  const open: readonly (readonly [name: string, content: string | Uint8Array])[] = [
    [TRUST_FILES.root, pki.root.certificatePem],
    [TRUST_FILES.stiPaRoot, pki.stiPaRoot.certificatePem],
    [TRUST_FILES.crlDer, crl.der],
    [TRUST_FILES.crlPem, crl.pem],
    [TRUST_FILES.crlSigner, pki.stiPaCrlIssuer.certificatePem],
    [TRUST_FILES.list, list],
    [TRUST_FILES.listSigner, pki.stiPaSigner.chainPem],
    [TRUST_FILES.webRoot, webRootPem],
    [TRUST_FILES.signingChain, signing.chainPem],
    [TRUST_FILES.readme, trustReadme(urls)],
  ];
  for (const [name, content] of open) await writeFile(join(folder, name), content);
  await writePrivate(join(folder, TRUST_FILES.signingKey), signing.privateKeyPem);
}

/** Settings of {@link ConformanceEnvironment.open}. */
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

/** Code of the provider whose calls are verified, and of the one that the service under test signs for. */
const PROVIDER_SPC = '1234';
const SIGNING_SPC = '9999';
/** On the CRL from the beginning; certificates with them are issued when a case wants them. Higher than those of the PKI itself. */
const REVOKED_SERIALS = { endEntity: 900_001, ca: 900_002 } as const;
/** Long enough for a laboratory that is set up once a quarter. */
const LIST_DAYS = 90;
const DAY_MS = 86_400_000;

/** PKI, certificate server and trust files of a run. */
export class ConformanceEnvironment implements AsyncDisposable {
  readonly folder: string;
  readonly server: CertificateServer;
  readonly urls: TrustUrls;
  readonly #world: World;

  private constructor(folder: string, urls: TrustUrls, world: World) {
    this.folder = folder;
    this.server = world.server;
    this.urls = urls;
    this.#world = world;
  }

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
   * await using environment = await ConformanceEnvironment.open({ folder });
   * console.log(new URL(environment.urls.signingX5u).pathname); // /signing.pem
   * await rm(folder, { recursive: true });
   * ```
   */
  static async open(options: ConformanceEnvironmentOptions): Promise<ConformanceEnvironment> {
    const { folder, prepares = false } = options;
    const known = await readFolder(folder);
    const keys = known?.keys ?? newKeys();
    const server = await startServer(keys, placeOf(options, known));
    try {
      const place = { ...placeOf(options, known), httpsPort: server.ports.https, httpPort: server.ports.http };
      const nowMs = Date.now();
      const pki = new TestPki({
        nowMs,
        label: 'Hopback Conformance',
        keys: pkiKeysFromPem(keys),
        crlUrl: server.url(PATHS.crl, 'http'),
        // Serial numbers of runs under the same keys must differ, or a verifier that remembers them is confused.
        firstSerialNumber: Math.floor(nowMs / 1000),
      });
      const crl = crlOf(pki, server.url(PATHS.crlSigner));
      const signing = pki.issueServiceProvider({ spc: SIGNING_SPC, key: createTestKey('P-256', keys.signing) });
      const list = pki.trustList({
        sequence: Math.floor(nowMs / 1000),
        x5u: server.url(PATHS.listSigner),
        exp: Math.floor((nowMs + LIST_DAYS * DAY_MS) / 1000),
      }).jws;
      const urls = publishLists(server, { pki, crl, list, signing });
      if (known === undefined || prepares) {
        await writeFolder(folder, { version: 1, ...place, keys });
        await writeTrustFiles(folder, {
          pki,
          crl,
          list,
          signing,
          urls,
          webRootPem: server.tlsRootPem,
        });
      }
      const run = `/${nowMs.toString(36)}`;
      const certificate = pki.issueServiceProvider({ spc: PROVIDER_SPC });
      const provider = { certificate, x5u: server.publish(`${run}/provider.pem`, certificate.chainPem) };
      const world: World = {
        server,
        pki,
        provider,
        run,
        rsaKey: createTestKey('RSA-2048'),
        signing: { x5u: urls.signingX5u, publicKeyPem: signing.publicKeyPem },
      };
      return new ConformanceEnvironment(folder, urls, world);
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** The world of one case, at the present time. */
  settingOf({ number }: Pick<ConformanceCase, 'number'>): CaseSetting {
    const { server, pki, provider, signing, run, rsaKey } = this.#world;
    const nowMs = Date.now();
    const { origTn, destTn } = partiesOf(number);
    const context = createPassportFaultContext({
      signer: provider.certificate,
      x5u: provider.x5u,
      nowMs,
      origTn,
      destTn,
    });
    const { nowSeconds } = context;
    let published = 0;
    const freshPath = (): string => `${run}/${number.toLowerCase()}-${(published += 1)}.pem`;
    const publish = (chainPem: string, content: PublishOptions = {}): string =>
      server.publish(freshPath(), chainPem, content);
    return {
      nowSeconds,
      pki,
      provider,
      context,
      origTn,
      destTn,
      publish,
      signing,
      rsaKey,
      revokedSerials: REVOKED_SERIALS,
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
        signer: provider.certificate,
        x5u: provider.x5u,
        iatSeconds: nowSeconds,
        origTn,
        destTn,
        origId: context.origId,
        ...changes,
      }),
    };
  }

  close(): Promise<void> {
    return this.server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
    return {
      host,
      address,
      httpsPort,
      httpPort,
    };
  }
  if (known === undefined) return { host: '127.0.0.1', address: '127.0.0.1', httpsPort: 0, httpPort: 0 };
  const { host, address, httpsPort, httpPort } = known;
  return {
    host,
    address,
    httpsPort,
    httpPort,
  };
}

/** The TLS certificate of the server is below a root of its own, with the key of the folder. */
async function startServer(
  keys: FolderKeys,
  { host, address, httpsPort, httpPort }: Place,
): Promise<CertificateServer> {
  const pki = new TestPki({ label: 'Hopback Conformance', keys: { tlsRoot: createTestKey('P-256', keys.tlsRoot) } });
  const names = isIP(host) === 0 ? [host] : [];
  return CertificateServer.start({
    pki,
    names,
    host,
    address,
    port: httpsPort,
    httpPort,
  });
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
  lists: {
    readonly pki: TestPki;
    readonly crl: TestCrl;
    readonly list: string;
    readonly signing: TestServiceProvider;
  },
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

interface World extends Pick<CaseSetting, 'pki' | 'provider' | 'signing' | 'rsaKey'> {
  readonly server: CertificateServer;
  /** In front of all paths, so that nothing is served under a URL that a service has cached in an earlier run. */
  readonly run: string;
}
