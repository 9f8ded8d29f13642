import { randomUUID } from 'node:crypto';
import {
  AttestationPolicy,
  AuthenticationService,
  CertificateRepository,
  createLocalSigner,
  createRevocationSet,
  createStaticCertificateSource,
  createTrustStore,
  VerificationService,
  parseCertificate,
  parseCrl,
} from '@hopback/sdk/stir';
import type {
  AttestationPolicyData,
  Certificate,
  SigningOutcome,
  SigningRequest,
  TrustStore,
  X5uAllowList,
} from '@hopback/sdk/stir';
import { createTestKey, createPassport } from '@hopback/sdk/testing';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourOf } from './behaviours.js';
import type { Clock, TimerClock } from '@hopback/sdk/platform';
import type { TappedMessage } from '../../drachtio/index.js';
import type { NetworkPlan, PlannedProvider } from '../plan/index.js';
import type { CallRoutes } from './call-route.js';
import type { HopNote, SrfControl } from './srf-face.js';

/** When behaviours hold that hold for stretches of time: from the first call of the run on. */
export interface RunStart {
  /** When the run began, milliseconds since the epoch; undefined before its first call. */
  startMs: number | undefined;
}

/** Whether a behaviour holds now. */
export function isNow({ fromSeconds = 0, untilSeconds = Infinity }: Behaviour, { startMs }: RunStart): boolean {
  const atSeconds = startMs === undefined ? 0 : (Date.now() - startMs) / SECOND_MS;
  return atSeconds >= fromSeconds && atSeconds < untilSeconds;
}

const SECOND_MS = 1_000;

/** Whether the switch of a provider is down now: its neighbours learn that within a moment, since they ping it. @see RFC 3261 section 11 */
export const isDownNow = (behaviours: readonly Behaviour[], start: RunStart): boolean =>
  start.startMs !== undefined &&
  behaviours.some((behaviour) => behaviourOf(behaviour).isDown === true && isNow(behaviour, start));

/** Makes the clock of a provider's switch: that of the machine, and by how much it is wrong. */
export function createNodeClock(behaviours: readonly Behaviour[], start: RunStart): Clock {
  const skewed = behaviours.filter((behaviour) => behaviourOf(behaviour).skewMs !== undefined);
  if (skewed.length === 0) return { nowMs: Date.now };
  return {
    nowMs: () =>
      skewed.reduce(
        (nowMs, behaviour) => nowMs + (isNow(behaviour, start) ? (behaviourOf(behaviour).skewMs?.(behaviour) ?? 0) : 0),
        Date.now(),
      ),
  };
}

/** A certificate with its key, and where verifiers fetch it. Texts alone: it goes to other processes as it is. */
export interface NodeCredential {
  readonly privateKeyPem: string;
  readonly chainPem: string;
  readonly x5u: string;
  /** Service provider code of the provider that it was issued to. */
  readonly spc: string;
  /** Whether its owner should not use it: it has expired, was revoked, is another's or nobody vouches for it. */
  readonly isFaulty: boolean;
  /** Whether its server gives it out when the network begins. */
  readonly isServed: boolean;
}

/** Whom the providers trust, certificates and CRL as DER in base64. */
interface NodeTrust {
  readonly root: string;
  readonly stiPaRoot: string;
  readonly crlSigner: string;
  readonly crl: string;
}

/** How a provider speaks to the platform. */
export interface NodeMembership {
  readonly clientId: string;
  readonly keyId: string;
  /** PKCS#8 PEM of the key that it authenticates with. */
  readonly privateKeyPem: string;
  readonly answerKeyId: string;
  /** PKCS#8 PEM of the key that it signs answers with. */
  readonly answerKeyPem: string;
}

/** The platform, as carriers know it. */
export interface NodePlatform {
  readonly baseUrl: string;
  readonly tokenUrl: string;
  /** JWK set of receipts. */
  readonly receiptKeys: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** By id of the provider. */
  readonly members: Readonly<Record<string, NodeMembership>>;
}

/** What the providers of a network are given beside the plan: keys, certificates, and where servers are. Plain JSON. */
export interface NodeMaterial {
  readonly trust: NodeTrust;
  /** Server of certificates: root of its TLS certificate, and its port on loopback. */
  readonly certificates: { readonly tlsRootPem: string; readonly port: number };
  /** What each provider signs with, by id: where it behaves badly, its faulty credential behind the good one. */
  readonly credentials: Readonly<Record<string, readonly NodeCredential[]>>;
  readonly platform?: NodePlatform;
}

/** What a provider signs with; undefined for one without a certificate. */
export type NodeSigning = Awaited<ReturnType<typeof openNodeSigning>>;

/** Opens the services of a provider. @param credentials - of all providers: whoever signs as another has the other's key. */
export async function openNodeSigning(
  provider: string,
  credentials: Readonly<Record<string, readonly NodeCredential[]>>,
  clock: Clock,
) {
  const [good, bad] = credentials[provider] ?? [];
  if (good === undefined) return undefined;
  const own = await serviceOf(good, clock);
  const others = new Map<string, AuthenticationService>();
  const faulty: Pick<AuthenticationService, 'sign'> =
    bad === undefined ? own : { sign: async (request) => signedWith(bad, await own.sign(request)) };
  return {
    /** Its own authentication service, by the rules that hold for providers. */
    own,
    /** The same decisions, signed with its faulty credential; `own` where it has none. */
    faulty,
    /** Signs with an attestation of one's choice, in the name of a provider. */
    as: async (
      { origTn, destTn }: { readonly origTn: string; readonly destTn: string },
      { attestation, provider: name }: { readonly attestation: 'A' | 'B' | 'C'; readonly provider: string },
    ): Promise<SigningOutcome> => {
      const key = `${name} ${attestation}`;
      const [credential = good] = credentials[name] ?? [];
      const service = others.get(key) ?? (await serviceOf(credential, clock, ALWAYS[attestation]));
      others.set(key, service);
      return service.sign({ origTn, destTn, facts: ANY_CUSTOMER });
    },
  };
}

async function serviceOf(
  { privateKeyPem, chainPem, x5u, spc }: NodeCredential,
  clock: Clock,
  policy?: AttestationPolicyData,
): Promise<AuthenticationService> {
  return new AuthenticationService({
    spc,
    clock,
    randomUuid: randomUUID,
    signer: await createLocalSigner({ privateKeyPem }),
    certificateSource: createStaticCertificateSource({ chainPem, x5u, x5uPolicy: { allow: allowedAt(x5u) } }),
    policy: new AttestationPolicy(policy),
  });
}

/**
 * The same claims under a credential that the sdk would not sign with.
 * @param credential - the faulty one
 * @param outcome - of the good one
 */
function signedWith({ privateKeyPem, x5u }: NodeCredential, outcome: SigningOutcome): SigningOutcome {
  if (outcome.status !== 'signed') return outcome;
  const { attestation, origTn, destTn, iatSeconds, origId } = outcome.claims;
  const { token, identityHeader } = createPassport({
    signer: { key: createTestKey('P-256', privateKeyPem) },
    x5u,
    attest: attestation,
    iatSeconds,
    origId,
    origTn,
    destTn: destTn[0] ?? '',
  });
  return { ...outcome, token, identityHeaders: [identityHeader] };
}

/** Nobody publishes on loopback, unless told to. */
const allowedAt = (x5u: string): X5uAllowList => ({ addresses: ['127.0.0.0/8'], ports: [Number(new URL(x5u).port)] });

/** What has to be said of a customer for a signature of any level. */
const ANY_CUSTOMER: SigningRequest['facts'] = {
  role: 'originating',
  customerKnown: true,
  callerAuthenticated: true,
  numberOwnership: 'owned',
};

const BASIS = 'So it was decided, whatever the call is.';

/** Policies that attest the same for every call. */
const ALWAYS: Readonly<Record<'A' | 'B' | 'C', AttestationPolicyData>> = {
  A: always('A', { customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' }),
  B: always('B', { customerKnown: true, callerAuthenticated: true }),
  C: always('C', {}),
};

function always(
  attestation: 'A' | 'B' | 'C',
  when: AttestationPolicyData['rules'][number]['when'],
): AttestationPolicyData {
  const rule = { id: 'always', attestation, basis: BASIS, when: { role: 'originating', ...when } } as const;
  return { id: `always-${attestation}`, rules: [rule] };
}

/**
 * Opens the verification service of a provider. It has the certificates of those that sign already, as every carrier has that has run for a day; of
 * servers that fail from the beginning it has none.
 */
export async function openNodeVerification(
  { certificates, trust, credentials }: Pick<NodeMaterial, 'certificates' | 'trust' | 'credentials'>,
  clock: Clock,
) {
  const repository = new CertificateRepository({
    clock,
    // Nobody fetches from loopback, unless told to.
    allow: { addresses: ['127.0.0.0/8'], ports: [certificates.port] },
    ca: certificates.tlsRootPem,
  });
  const known = Object.values(credentials).flat();
  await repository.preload(known.filter(({ isServed }) => isServed).map(({ x5u }) => x5u));
  return {
    service: new VerificationService({ certificates: repository, trustStore: trustStoreOf(trust), clock }),
    close: () => repository.close(),
  };
}

function trustStoreOf({ root, stiPaRoot, crlSigner, crl }: NodeTrust): TrustStore {
  const list = parseCrl(Buffer.from(crl, 'base64'));
  if (list.status !== 'parsed') throw new TypeError('the CRL of the network cannot be read');
  const anchors = [certificateOf(root)];
  const revocation = createRevocationSet([list.crl], {
    atMs: Date.now(),
    issuers: anchors,
    stiPaRoots: [certificateOf(stiPaRoot)],
    signers: [certificateOf(crlSigner)],
  });
  return createTrustStore({ anchors, revocation, source: { kind: 'files' } });
}

function certificateOf(base64: string): Certificate {
  const parsed = parseCertificate(Buffer.from(base64, 'base64'));
  if (parsed.status !== 'parsed') throw new TypeError(`a certificate of the network cannot be read: ${parsed.detail}`);
  return parsed.certificate;
}

/** Settings of `openNode`. */
export interface NodeOptions {
  readonly plan: NetworkPlan;
  readonly provider: PlannedProvider;
  readonly routes: CallRoutes;
  readonly material: NodeMaterial;
  readonly directory: string;
  /** The clock of the platform, by which requests are answered. */
  readonly clock: TimerClock;
  readonly start: RunStart;
  readonly onHop: (note: HopNote) => void;
  readonly onTrouble: (what: string) => void;
  readonly onMessage?: (message: TappedMessage) => void;
  /** Where it takes calls. Default any free port of 127.0.0.1. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** A drachtio-server in place of the embedded one. */
  readonly drachtio?: SrfControl;
}
