import { writeFile } from 'node:fs/promises';
import { TestPki, CertificateServer } from '@hopback/sdk/testing';
import type { TestServiceProvider } from '@hopback/sdk/testing';
import { schedule } from '@hopback/sdk/internal/runtime';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourOf } from '../node/behaviours.js';
import type { NodeCredential } from '../node/node-material.js';
import { unassignedCode } from '../plan/index.js';
import type { NetworkPlan, PlannedProvider } from '../plan/index.js';
import { certificatePath, networkPki, serverPlace } from './world.js';
import type { WorldCertificateSettings } from './world.js';

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;
/** How long before now a certificate has expired. */
const EXPIRED_MS = DAY_MS;

/** Issues the certificates of all providers that take part in SHAKEN, revokes those that are to be, and serves them. */
export async function openWorldCertificates(plan: NetworkPlan, settings?: WorldCertificateSettings) {
  const nowMs = Date.now();
  const pki = networkPki({ nowMs, ...(settings !== undefined && { keys: settings.keys }) });
  const other = new TestPki({ nowMs, label: 'Nobody' });
  const server = await CertificateServer.start({ pki, ...(settings !== undefined && serverPlace(settings)) });
  const failing = plan.providers.flatMap((provider) =>
    provider.behaviours.flatMap((behaviour) =>
      behaviourOf(behaviour).serves === undefined ? [] : [{ provider, behaviour }],
    ),
  );
  const revoked: TestServiceProvider[] = [];
  const credentials: Record<string, readonly NodeCredential[]> = {};
  for (const provider of plan.providers) {
    if (!provider.stir) continue;
    const good = settings?.issued[provider.id] ?? textsOf(pki.issueServiceProvider({ spc: provider.spc }));
    const isServed = !failing.some((one) => one.provider === provider && one.behaviour.fromSeconds === undefined);
    const own = [credentialOf(good, { server, path: goodPath(provider), spc: provider.spc, isServed })];
    const fault = provider.behaviours.flatMap((one) => (one.kind === 'certificate' ? [one.fault] : []))[0];
    if (fault !== undefined) {
      const bad = faultyCertificate(fault, { pki, other, plan, provider });
      if (fault === 'revoked') revoked.push(bad);
      own.push(
        credentialOf(textsOf(bad), { server, path: faultyPath(provider), spc: provider.spc, isServed, isFaulty: true }),
      );
    }
    credentials[provider.id] = own;
  }
  const timers: (() => void)[] = [];
  for (const { provider, behaviour } of failing)
    if (behaviour.fromSeconds === undefined) fail(server, provider, behaviour);
  const crl = pki.crl({ revoked: revoked.map((certificate) => ({ certificate, reason: 'keyCompromise' })) });
  if (settings !== undefined) await writeFile(settings.crlFile, crl.pem);
  return {
    material: {
      trust: {
        root: base64(pki.root.der),
        stiPaRoot: base64(pki.stiPaRoot.der),
        crlSigner: base64(pki.stiPaCrlIssuer.der),
        crl: base64(crl.der),
      },
      certificates: { tlsRootPem: server.tlsRootPem, port: server.ports.https },
      credentials,
    },
    /** The run has begun: servers fail from now on where they fail for stretches of time. */
    begin: () => {
      for (const { provider, behaviour } of failing) {
        const { fromSeconds, untilSeconds } = behaviour;
        const at = (seconds: number | undefined, what: () => void): void => {
          if (seconds !== undefined) timers.push(schedule(what, seconds * SECOND_MS));
        };
        at(fromSeconds, () => fail(server, provider, behaviour));
        at(untilSeconds, () => {
          for (const [path, { chainPem }] of pathsOf(provider, credentials)) server.publish(path, chainPem);
        });
      }
    },
    close: async () => {
      for (const cancel of timers) cancel();
      await server.close();
    },
  };
}

/** Texts of a certificate and its key. */
interface CertifiedKey {
  readonly privateKeyPem: string;
  readonly chainPem: string;
}

const textsOf = ({ key: { privateKeyPem }, chainPem }: TestServiceProvider): CertifiedKey => ({
  privateKeyPem,
  chainPem,
});

const goodPath = ({ id }: PlannedProvider): string => certificatePath(id);
const faultyPath = ({ id }: PlannedProvider): string => `/${id}-2.pem`;

function pathsOf(
  provider: PlannedProvider,
  credentials: Readonly<Record<string, readonly NodeCredential[]>>,
): readonly (readonly [string, NodeCredential])[] {
  return (credentials[provider.id] ?? []).map(
    (credential) => [credential.isFaulty ? faultyPath(provider) : goodPath(provider), credential] as const,
  );
}

function fail(server: CertificateServer, provider: PlannedProvider, behaviour: Behaviour): void {
  const fault = behaviourOf(behaviour).serves?.(behaviour);
  if (fault === undefined) return;
  for (const path of [goodPath(provider), faultyPath(provider)]) server.fault(path, fault);
}

function credentialOf(
  { privateKeyPem, chainPem }: CertifiedKey,
  {
    server,
    path,
    spc,
    isServed,
    isFaulty = false,
  }: {
    readonly server: CertificateServer;
    readonly path: string;
    readonly spc: string;
    readonly isServed: boolean;
    readonly isFaulty?: boolean;
  },
): NodeCredential {
  return {
    privateKeyPem,
    chainPem,
    x5u: server.publish(path, chainPem),
    spc,
    isServed,
    isFaulty,
  };
}

function faultyCertificate(
  fault: 'expired' | 'revoked' | 'wrong-spc' | 'untrusted',
  {
    pki,
    other,
    plan,
    provider: { spc },
  }: {
    readonly pki: TestPki;
    readonly other: TestPki;
    readonly plan: NetworkPlan;
    readonly provider: PlannedProvider;
  },
): TestServiceProvider {
  if (fault === 'expired') return pki.issueServiceProvider({ spc, notAfterMs: pki.nowMs - EXPIRED_MS });
  if (fault === 'untrusted') return other.issueServiceProvider({ spc });
  if (fault === 'revoked') return pki.issueServiceProvider({ spc });
  return pki.issueServiceProvider({ spc: unassignedCode(plan.providers) });
}

const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64');
