import { randomUUID } from 'node:crypto';
import {
  createAttestationPolicy,
  createAuthenticationService,
  createLocalSigner,
  createStaticCertificateSource,
} from '@hopback/sdk/stir';
import type {
  AttestationPolicyData,
  AuthenticationService,
  SigningOutcome,
  SigningRequest,
  X5uAllowList,
} from '@hopback/sdk/stir';
import { createPassport, testKeyFromPem } from '@hopback/sdk/testing';
import type { NodeClock } from './node-clock.js';
import type { NodeCredential } from './node-material.js';

/** What a provider signs with. */
export interface NodeSigning {
  /** Its own authentication service, by the rules that hold for providers. */
  readonly own: AuthenticationService;
  /** The same decisions, signed with its faulty credential; `own` where it has none. */
  readonly faulty: Pick<AuthenticationService, 'sign'>;
  /** Signs with an attestation of one's choice, in the name of a provider. */
  readonly as: (
    parties: { readonly origTn: string; readonly destTn: string },
    order: { readonly attestation: 'A' | 'B' | 'C'; readonly provider: string },
  ) => Promise<SigningOutcome>;
}

/** Opens the services of a provider. @param credentials - of all providers: whoever signs as another has the other's key. */
export async function openNodeSigning(
  provider: string,
  credentials: Readonly<Record<string, readonly NodeCredential[]>>,
  clock: NodeClock,
): Promise<NodeSigning | undefined> {
  const [good, bad] = credentials[provider] ?? [];
  if (good === undefined) return undefined;
  const own = await serviceOf(good, clock);
  const others = new Map<string, AuthenticationService>();
  return {
    own,
    faulty: bad === undefined ? own : { sign: async (request) => signedWith(bad, await own.sign(request)) },
    as: async ({ origTn, destTn }, { attestation, provider: name }) => {
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
  clock: NodeClock,
  policy?: AttestationPolicyData,
): Promise<AuthenticationService> {
  return createAuthenticationService({
    ...{ spc, clock, randomUuid: randomUUID, signer: await createLocalSigner({ privateKeyPem }) },
    certificateSource: createStaticCertificateSource({ chainPem, x5u, x5uPolicy: { allow: allowedAt(x5u) } }),
    policy: createAttestationPolicy(policy),
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
    ...{ signer: { key: testKeyFromPem(privateKeyPem) }, x5u, attest: attestation, iatSeconds, origId },
    ...{ origTn, destTn: destTn[0] ?? '' },
  });
  return { ...outcome, token, identityHeaders: [identityHeader] };
}

/** Nobody publishes on loopback, unless told to. */
const allowedAt = (x5u: string): X5uAllowList => ({ addresses: ['127.0.0.0/8'], ports: [Number(new URL(x5u).port)] });

/** What has to be said of a customer for a signature of any level. */
const ANY_CUSTOMER: SigningRequest['facts'] = {
  ...{ role: 'originating', customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' },
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
