import { outboundHeaders, relayedHeaders, relayFailure } from '@hopback/sdk/switch';
import type { CallIdentity, TrackedCall } from '@hopback/sdk/switch';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourHolds } from '../plan/index.js';
import type { NetworkPlan, PlannedProvider } from '../plan/index.js';
import { doingOf } from './behaviours.js';
import type { Leg } from './behaviours.js';
import { CALL_FIELD, callField, factsOf, hopPart } from './call-route.js';
import type { CallRoute, HopPart } from './call-route.js';
import { forkCall } from './fork-call.js';
import { letGo } from './node-hops.js';
import type { HopInHand } from './node-hops.js';
import type { NodeSigning } from './node-signing.js';
import { joinEnds } from './srf-face.js';
import type { SrfFace, SrfMessage, SrfRequest, SrfResponse } from './srf-face.js';
import { SUBSCRIBERS, trunkTo } from './trunk-table.js';

/** What a provider carries calls with. */
export interface Carrying {
  readonly provider: PlannedProvider;
  readonly providers: ReadonlyMap<string, PlannedProvider>;
  readonly plan: Pick<NetworkPlan, 'seed'>;
  readonly signing: NodeSigning | undefined;
  readonly memory: Map<Behaviour, unknown>;
  /** Address of whoever is next, without `sip:`; undefined where nobody is. */
  readonly addressOf: (next: HopPart['next'], called: string) => string | undefined;
  readonly onTrouble: (error: unknown) => void;
}

/** What the middleware leaves with a request. */
export interface CarriedLocals {
  readonly call?: TrackedCall;
  readonly identity?: CallIdentity;
  readonly hop?: HopInHand;
}

/** Behaviours of a provider that hold for a call. */
export function activeBehaviours(
  { provider, plan }: Pick<Carrying, 'provider' | 'plan'>,
  call: CallRoute['call'],
): readonly Behaviour[] {
  const { behaviours, id } = provider;
  if (behaviours.length === 0) return behaviours;
  return behaviours.filter((one, place) => behaviourHolds(one, call, { seed: plan.seed, provider: id, place }));
}

/** The plan says at which hop a call is forwarded: not where a provider only hands it on. */
function isPlannedHere(behaviour: Behaviour, { call, hop }: CallRoute, { behaviours }: PlannedProvider): boolean {
  if (behaviour.kind !== 'diverts') return true;
  return (call.diversions ?? []).some((one) => one.hop === hop && behaviours[one.behaviour] === behaviour);
}

/** Sends a call on as the provider does. Never rejects. */
export async function carryCall(
  carrying: Carrying,
  srf: SrfFace,
  { req, res }: { readonly req: SrfRequest; readonly res: SrfResponse },
): Promise<void> {
  const { call: tracked, identity, hop } = (req.locals ?? {}) as CarriedLocals;
  if (hop === undefined) {
    res.send(NOT_FOUND);
    tracked?.end();
    return;
  }
  const { route } = hop;
  const part = hopPart(route, carrying.providers);
  const active = activeBehaviours(carrying, route.call).filter((one) => isPlannedHere(one, route, carrying.provider));
  const leg = await legOf(carrying, { req, identity, route, part, active });
  const address = carrying.addressOf(part.next, leg.target);
  if (address === undefined) {
    res.send(UNAVAILABLE);
    tracked?.end();
    return;
  }
  const trunk = 'provider' in part.next ? trunkTo(part.next.provider.id) : SUBSCRIBERS;
  const uri = `sip:${leg.target}@${address}`;
  // Telephones are not told what they are part of.
  const headers: Record<string, string> = { ...leg.headers };
  if (!address.endsWith(WEB_SOCKET)) headers[CALL_FIELD] = callField(route);
  const onSent = (request: SrfRequest): void => {
    letGo(hop);
    hop.egressCallIds.push(request.get('Call-ID') ?? '');
  };
  if (leg.branches > 1) {
    await forkCall(
      srf,
      { req, res },
      { ...{ uri, headers, trunk, tracked, identity, onSent }, branches: leg.branches },
    );
    return;
  }
  const reasonHeaders = identity?.treatment.reasonHeaders ?? [];
  const responseHeaders = (answer: SrfMessage): Record<string, string> => relayedHeaders(answer, { reasonHeaders });
  const branch = tracked?.branch({ trunk, signing: leg.signing });
  const cbRequest = (...parts: readonly unknown[]): void => {
    branch?.cbRequest(...parts);
    if (parts[1] !== undefined && parts[1] !== null) onSent(parts[1] as SrfRequest);
  };
  try {
    const options = { headers, responseHeaders, passFailure: false };
    const dialogs = await srf.createB2BUA(req, res, uri, options, { cbRequest });
    tracked?.connected(dialogs);
    joinEnds(dialogs.uas, dialogs.uac);
  } catch (error) {
    relayFailure(res, error, { reasonHeaders });
    tracked?.end();
  }
}

/** Behind the address of a phone. */
export const WEB_SOCKET = ';transport=ws';
const NOT_FOUND = 404;
/** There is nobody to send it to. RFC 3261 section 21.5.4 */
export const UNAVAILABLE = 503;

interface LegParts {
  readonly req: SrfRequest;
  readonly identity: CallIdentity | undefined;
  readonly route: CallRoute;
  readonly part: HopPart;
  readonly active: readonly Behaviour[];
}

/** What leaves: as the sdk makes it, and then what the behaviours make of it. */
async function legOf(carrying: Carrying, { req, identity, route, part, active }: LegParts): Promise<Leg> {
  const { provider, signing, onTrouble } = carrying;
  const facts = active.reduce(
    (known, behaviour) => doingOf(behaviour).facts?.(known, behaviour) ?? known,
    factsOf(route, part, provider),
  );
  const isFaulty = active.some((behaviour) => doingOf(behaviour).hasFaultyCredential === true);
  const service = isFaulty ? signing?.faulty : signing?.own;
  const made = await outboundHeaders(req, {
    ...{ facts, onTrouble, sign: provider.stir },
    ...(identity !== undefined && { identity }),
    ...(service !== undefined && provider.stir && { service }),
  });
  let leg: Leg = {
    headers: { from: addressIn(req.get('From')), to: addressIn(req.get('To')), ...made.headers },
    target: userOf(req.uri),
    ...(made.signing !== undefined && { signing: made.signing }),
    branches: 1,
  };
  for (const behaviour of active)
    leg =
      (await doingOf(behaviour).sends?.(leg, behaviour, {
        ...{ call: route.call, memory: carrying.memory },
        signAs: async (parties, { attestation, provider: name = provider.id }) =>
          (await signing?.as(parties, { attestation, provider: name })) ?? UNSIGNED,
        divert: async (values, { from, to }) => {
          const outcome = await signing?.own.signDiversion({ identity: values, divertingTn: from, newTargetTn: to });
          return outcome?.status === 'signed' ? outcome.identityHeaders : values;
        },
      })) ?? leg;
  return leg;
}

/** Of a provider that has no certificate. */
const UNSIGNED = { status: 'not-signed', reason: 'switched-off', detail: 'The provider has no certificate.' } as const;

/** Name and address of a From or To, without the parameters behind it: its tag is of another leg. */
const addressIn = (field: string | undefined): string => /^[^<]*<[^>]*>/.exec(field ?? '')?.[0] ?? '';

/** User part of a Request-URI. */
export const userOf = (uri: string): string => /^sips?:([^@]*)@/i.exec(uri)?.[1] ?? '';
