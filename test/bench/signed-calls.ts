import { createHash, type KeyObject } from 'node:crypto';
import {
  CertificateRepository,
  ReplayMemory,
  createRevocationSet,
  createTrustStore,
  VerificationService,
  parseCertificate,
  parseCrl,
} from '@hopback/sdk/stir';
import { rawToDerSignature } from '../../sdk/src/core/base64url.js';
import type {
  CallVerdict,
  Certificate,
  Clock,
  TrustStore,
  VerificationServiceOptions,
  X5uAllowList,
} from '@hopback/sdk/stir';
import { createPassport, TestPki, type TestServiceProvider } from '@hopback/sdk/testing';
import type { Rate } from './bench.js';

if (!import.meta.resolve('@hopback/sdk/stir').includes('/dist/')) {
  throw new Error('benches measure what is published: @hopback/sdk must resolve to its dist');
}

/** A provider and where its chain is published. */
export interface Signer {
  readonly provider: TestServiceProvider;
  readonly x5u: string;
}

/** A call with a PASSporT of its own: numbers, origid and time of issue differ from call to call. Text only: the heap is not ours to fill. */
export interface SignedCall {
  readonly signer: Signer;
  readonly request: Readonly<Record<'identity' | 'from' | 'pAssertedIdentity' | 'to' | 'requestUri' | 'date', string>>;
}

/** Providers with certificates, and those who trust them. */
export type SignedWorld = Awaited<ReturnType<typeof createSignedWorld>>;

/** A few signers, as the calls of one second come from: every one costs the verifier's memories an entry. */
const SIGNERS = 8;

/** Makes a PKI valid around an instant, and a few providers in it. */
export async function createSignedWorld(nowMs: number) {
  const pki = new TestPki({ nowMs });
  const signers = Array.from({ length: SIGNERS }, (_, index): Signer => {
    const spc = String(1000 + index);
    const provider = pki.issueServiceProvider({ spc });
    return { provider, x5u: `https://certificates.provider-${spc}.example/shaken/${spc}.pem` };
  });
  return { pki, signers, trustStore: trustStoreOf(materialOf(pki)) };
}

/**
 * The n-th call of a signer. No two calls of one run are alike, so that no memory of strings makes a later one cheaper.
 * @param index - 0 to some millions
 */
export function signCall(signer: Signer, index: number, iatSeconds: number): SignedCall {
  const orig = telephoneNumber(index);
  const dest = telephoneNumber(index * 7919 + 104_729);
  const passport = createPassport({
    ...{ signer: signer.provider, x5u: signer.x5u, origTn: orig, destTn: dest, iatSeconds },
    origId: originId(index),
  });
  return {
    signer,
    request: {
      identity: flat(passport.identityHeader),
      from: flat(`"${orig.slice(1)}" <sip:+${orig}@originating.example;user=phone>;tag=${index.toString(36)}`),
      pAssertedIdentity: flat(`<sip:+${orig}@originating.example;user=phone>`),
      to: flat(`<sip:+${dest}@terminating.example;user=phone>`),
      requestUri: flat(`sip:+${dest}@192.0.2.20:5060;user=phone`),
      date: new Date(iatSeconds * 1000).toUTCString(),
    },
  };
}

/**
 * Works on calls that have just come in, some at a time. Making a request of a call and reading its text for the first time is what
 * the SIP stack does before: it does not count, and leaves the request in the processor's cache.
 * @param request - makes a request that nobody has seen yet
 * @param work - what is measured
 * @param requireRight - throws where the work was not done as it should be: a rate of failures is no rate
 * @returns measures for so many milliseconds; gives requests per second of work
 */
export function asReceived<Request extends object, Result>(
  request: () => Request,
  work: (request: Request) => Result | Promise<Result>,
  requireRight: (result: Result) => void,
): (ms: number) => Promise<number> {
  return async (ms) => {
    let workMs = 0;
    let count = 0;
    while (workMs < ms) {
      const requests = Array.from({ length: RECEIVED_AT_A_TIME }, () => received(request()));
      const start = performance.now();
      for (const each of requests) {
        const result = work(each);
        requireRight(result instanceof Promise ? await result : result);
      }
      workMs += performance.now() - start;
      count += requests.length;
    }
    return (count * 1000) / workMs;
  };
}

/** Calls that come in at a time. */
const RECEIVED_AT_A_TIME = 64;

function received<Request extends object>(request: Request): Request {
  for (const value of Object.values(request)) {
    if (typeof value === 'string' && value.includes('\n')) throw new Error('a header value on several lines');
  }
  return request;
}

/** So many calls, the signers taking turns. */
export function signCalls(
  { signers }: SignedWorld,
  count: number,
  iatSeconds: (index: number) => number,
): readonly SignedCall[] {
  return Array.from({ length: count }, (_, index) => {
    const signer = signers[index % signers.length];
    if (signer === undefined) throw new Error('a world without signers');
    return signCall(signer, index, iatSeconds(index));
  });
}

/** Calls one after another, for ever; `onLap` is told when the first one comes round again. */
export function inTurn<T>(items: readonly T[], onLap: () => void = () => undefined): () => T {
  let at = 0;
  return () => {
    if (at === items.length) {
      at = 0;
      onLap();
    }
    const item = items[at];
    at += 1;
    if (item === undefined) throw new Error('nothing to take in turn');
    return item;
  };
}

/** What a verifier has to know of a world: who signs with which chain, and whom it trusts. */
export interface VerifiersWorld {
  readonly signers: readonly { readonly x5u: string; readonly provider: Pick<TestServiceProvider, 'chainPem'> }[];
  readonly trustStore: TrustStore;
  /** Exceptions under which their chains may be had, for those of a laboratory. */
  readonly allow?: X5uAllowList;
}

/** A PKI as far as those need it who trust it. */
type TrustMaterial = Pick<TestPki, 'nowMs'> &
  Readonly<Record<'root' | 'stiPaRoot' | 'stiPaCrlIssuer' | 'crl', WithDer>>;
type WithDer = { readonly der: Uint8Array };

const PARTS = ['root', 'stiPaRoot', 'stiPaCrlIssuer', 'crl'] as const;

/** A world written down for the verifiers of other processes. */
export function writtenWorld(world: { readonly pki: TestPki; readonly signers: readonly Signer[] }): string {
  const { pki, signers } = world;
  const material = materialOf(pki);
  const parts = PARTS.map((name) => [name, Buffer.from(material[name].der).toString('base64')]);
  const chains = signers.map(({ provider, x5u }) => ({ x5u, provider: { chainPem: provider.chainPem } }));
  return JSON.stringify({ nowMs: pki.nowMs, signers: chains, ...Object.fromEntries(parts) });
}

/** Reads what {@link writtenWorld} wrote. */
export function readWorld(text: string): VerifiersWorld {
  const written = JSON.parse(text) as Readonly<Record<(typeof PARTS)[number], string>> &
    Pick<TestPki, 'nowMs'> &
    Pick<VerifiersWorld, 'signers'>;
  const parts = PARTS.map((name) => [name, { der: Buffer.from(written[name], 'base64') }]);
  const material = Object.fromEntries(parts) as Omit<TrustMaterial, 'nowMs'>;
  return { signers: written.signers, trustStore: trustStoreOf({ nowMs: written.nowMs, ...material }) };
}

/**
 * Starts a service over the library's own repository, into which the chains of all signers were imported, with a replay memory that can be made to start
 * over.
 */
export async function createWarmService(
  world: VerifiersWorld,
  clock: Clock,
  options: Partial<VerificationServiceOptions> = {},
) {
  const certificates = new CertificateRepository({ clock, ...(world.allow && { allow: world.allow }) });
  await importChains(certificates, world, clock.nowMs());
  const newMemory = (): ReplayMemory => new ReplayMemory({ windowMs: REPLAY_WINDOW_MS });
  let memory = newMemory();
  const service: VerificationService = new VerificationService({
    ...{ certificates, trustStore: world.trustStore, clock },
    replayMemory: { observe: (callKey, nowMs) => memory.observe(callKey, nowMs) },
    ...options,
  });
  return {
    service,
    /** Forgets the calls seen, so that all of them are first sights again. */
    forgetCalls: () => void (memory = newMemory()),
    [Symbol.asyncDispose]: (): Promise<void> => certificates.close(),
  };
}

/** A rate of failures is no rate. */
export function requirePassed(verdict: CallVerdict): void {
  if (verdict.status !== 'passed') throw new Error(`a good call did not pass: ${verdict.reasons.join(' ')}`);
}

/** That of a repeat would be another path through the service. */
export function requireFirstSight(verdict: CallVerdict): void {
  requirePassed(verdict);
  if (verdict.evidence.seenCount !== 1) throw new Error('a call was taken for a repeat');
}

/** The PASSporT of a call. */
export const tokenOf = ({ request }: SignedCall): string =>
  flat(request.identity.slice(0, request.identity.indexOf(';')));

/** One signature check without any of our code. */
export interface RawCheck {
  readonly publicKey: KeyObject;
  readonly signingInput: Buffer;
  readonly raw: Buffer;
  readonly der: Uint8Array;
  readonly withRaw: { readonly key: KeyObject; readonly dsaEncoding: 'ieee-p1363' };
}

/** What raw node:crypto needs of calls, made ready beforehand: the baseline shall pay for nothing but the check. */
export function rawChecks(calls: readonly SignedCall[]): readonly RawCheck[] {
  return calls.map((call) => {
    const { publicKey } = call.signer.provider.key;
    const [header = '', payload = '', signature = ''] = tokenOf(call).split('.');
    const raw = Buffer.from(signature, 'base64url');
    const converted = rawToDerSignature(raw);
    if (converted.status !== 'converted') throw new Error(`the signature has no DER form: ${converted.reason}`);
    const withRaw = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const signingInput = Buffer.from(`${header}.${payload}`, 'latin1');
    return { publicKey, signingInput, raw, der: converted.signature, withRaw };
  });
}

/** The faster one of two spellings of the bare signature. */
export function bareBaseline(verb: 'sign' | 'verify', { der, raw }: Readonly<Record<'der' | 'raw', Rate>>) {
  const spelling = der.median >= raw.median ? 'DER' : 'ieee-p1363';
  return {
    baseline: `node:crypto ES256 ${verb} (${spelling})`,
    baselineValue: Math.max(der.median, raw.median),
    note: `DER ${der.median.toFixed(0)}/s, ieee-p1363 ${raw.median.toFixed(0)}/s, the faster counts`,
  };
}

/** Trusts the root of a PKI, with a CRL. */
function materialOf(pki: TestPki) {
  const { nowMs, root, stiPaRoot, stiPaCrlIssuer } = pki;
  return { nowMs, root, stiPaRoot, stiPaCrlIssuer, crl: pki.crl() };
}

function trustStoreOf(pki: TrustMaterial): TrustStore {
  const crl = parseCrl(pki.crl.der);
  if (crl.status !== 'parsed') throw new Error('the CRL of the test PKI does not parse');
  const anchors = [certificateOf(pki.root.der)];
  const revocation = createRevocationSet([crl.crl], {
    ...{ atMs: pki.nowMs, issuers: anchors },
    stiPaRoots: [certificateOf(pki.stiPaRoot.der)],
    signers: [certificateOf(pki.stiPaCrlIssuer.der)],
  });
  return createTrustStore({ anchors, revocation, source: { kind: 'files' } });
}

/** As the service's own default: as long as a PASSporT may be accepted. */
const REPLAY_WINDOW_MS = 660_000;
const CHAIN_FRESH_MS = 86_400_000;

async function importChains(certificates: CertificateRepository, world: VerifiersWorld, nowMs: number): Promise<void> {
  const entries = world.signers.map(({ provider, x5u }) => ({
    ...{ format: 'hopback.certificate-chain.1', url: x5u, body: provider.chainPem },
    bodySha256: createHash('sha256').update(provider.chainPem).digest('hex'),
    ...{ fetchedAtMs: nowMs, freshUntilMs: nowMs + CHAIN_FRESH_MS },
  }));
  const report = await certificates.import({ format: 'hopback.certificate-cache.1', exportedAtMs: nowMs, entries });
  if (report.imported !== world.signers.length) throw new Error('the chains of the signers could not be imported');
}

function certificateOf(der: Uint8Array): Certificate {
  const parsed = parseCertificate(der);
  if (parsed.status !== 'parsed') throw new Error(parsed.detail);
  return parsed.certificate;
}

/** Ten digits of the North American plan: area codes and exchanges 200 to 989 without N9X and N11. */
function telephoneNumber(index: number): string {
  const areaCode = AREA_CODES[index % AREA_CODES.length] ?? '202';
  return `1${areaCode}555${String(Math.floor(index / AREA_CODES.length) % 10_000).padStart(4, '0')}`;
}

const AREA_CODES: readonly string[] = Array.from({ length: 800 }, (_, index) => String(200 + index)).filter(
  (code) => code[1] !== '9' && !code.endsWith('11'),
);

const originId = (index: number): string => `123e4567-e89b-42d3-a456-${index.toString(16).padStart(12, '0')}`;

/** A flat string of its own: text put together is a rope that the first reader pays for. */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
