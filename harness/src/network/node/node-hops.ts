import type { CallIdentity, TrackedCall } from '@hopback/sdk/switch';
import type { SeenHop } from '../../oracle/index.js';
import type { CallRoute } from './call-route.js';
import type { SrfRequest } from './srf-face.js';

/** What a provider saw of a call, and at which hop of its way. */
export interface HopNote {
  readonly index: number;
  readonly hop: number;
  readonly seen: SeenHop;
  /** Final status that it was answered with; absent: none went out. */
  readonly status?: number;
  /** When it was, milliseconds since the epoch. */
  readonly answeredMs: number;
}

/** A call that is at a provider now. */
export interface HopInHand {
  readonly route: CallRoute;
  readonly ingressCallId: string;
  readonly arrivedMs: number;
  /** By the monotonic clock, milliseconds. */
  readonly arrivedAt: number;
  heldUs: number;
  /** Makes its record. */
  tracked?: Pick<TrackedCall, 'end'>;
  readonly egressCallIds: string[];
}

/** Begins to follow an INVITE. */
export function takeInHand(route: CallRoute, request: SrfRequest): HopInHand {
  return {
    ...{ route, ingressCallId: request.get('Call-ID') ?? '', arrivedMs: Date.now(), arrivedAt: performance.now() },
    ...{ heldUs: 0, egressCallIds: [] },
  };
}

/** The INVITE has left, or was answered here: what was held until then counts. */
export function letGo(hop: HopInHand): void {
  if (hop.heldUs === 0) hop.heldUs = Math.max(1, Math.round((performance.now() - hop.arrivedAt) * US_PER_MS));
}

const US_PER_MS = 1_000;

/** What is told of it when it has its final response. */
export function noteOf(
  hop: HopInHand,
  provider: string,
  { identity, status }: { readonly identity: CallIdentity | undefined; readonly status: number | undefined },
): HopNote {
  const verdict = identity?.verdict;
  const { route, arrivedMs, heldUs, ingressCallId, egressCallIds } = hop;
  return {
    ...{ index: route.call.index, hop: route.hop, answeredMs: Date.now() },
    ...(status !== undefined && { status }),
    seen: {
      ...{ provider, atMs: arrivedMs, heldUs, ingressCallId, egressCallIds: [...egressCallIds] },
      ...(verdict !== undefined && { verstat: verdict.verstat }),
      ...(verdict?.attestation !== undefined && { attestation: verdict.attestation }),
      ...(verdict?.signer?.spc !== undefined && { signerSpc: verdict.signer.spc }),
      reasons: verdict?.reasons ?? [],
    },
  };
}
