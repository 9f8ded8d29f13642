import type { FailureReason, NoteReason } from '../../../sdk/src/stir/verification/step.js';
import type { Vector, VectorCertificate, VectorExpectation, VectorHeader } from '../../support/vectors.js';
import { CRL_PATH, CRL_SIGNER_PATH, NOW_MS, ROOT_PATH, STI_PA_ROOT_PATH } from './scene.js';
import type { Scene } from './scene.js';

// What is expected is stated by hand in each vector, never computed by what it is to prove.

/** What the wire sees: final response of a policy that refuses, and verstat. */
export interface Wire {
  readonly status: 403 | 428 | 436 | 437 | 438;
  readonly reasonPhrase: string;
}

export const STALE_DATE: Wire = { status: 403, reasonPhrase: 'Stale Date' };
export const USE_IDENTITY: Wire = { status: 428, reasonPhrase: 'Use Identity Header' };
export const BAD_INFO: Wire = { status: 436, reasonPhrase: 'Bad Identity Info' };
export const UNSUPPORTED: Wire = { status: 437, reasonPhrase: 'Unsupported Credential' };
export const INVALID: Wire = { status: 438, reasonPhrase: 'Invalid Identity Header' };

/** One Identity header and what has to come of it. */
export interface HeaderDraft {
  readonly identity: string;
  readonly status: VectorHeader['status'];
  readonly reasons?: readonly FailureReason[];
  readonly notes?: readonly NoteReason[];
  /** What its Reason header says; left out where there is none. */
  readonly wire?: Wire;
  /** False where the header could not be read so far that its Reason could name the PASSporT. */
  readonly hasPpi?: boolean;
}

/** A vector as it is written down in the source. */
export interface VectorDraft {
  readonly description: string;
  readonly section: string;
  readonly row?: number;
  readonly policy?: Partial<Vector['policy']>;
  readonly request?: Partial<Omit<Vector['request'], 'identity'>>;
  /** Members of the default request that are left out. */
  readonly without?: readonly (keyof Vector['request'])[];
  readonly certificates?: Readonly<Record<string, VectorCertificate>>;
  readonly trustAnchors?: readonly string[];
  readonly intermediates?: readonly string[];
  readonly crls?: readonly string[];
  readonly conditions?: Partial<Vector['conditions']>;
  readonly headers: readonly HeaderDraft[];
  /** Identity headers behind those, which are not looked at. */
  readonly unseen?: readonly string[];
  /** Left out where the one header says it all. */
  readonly verdict?: Partial<Omit<VectorExpectation, 'headers' | 'reasonHeaders'>>;
  /** Beyond those of the headers. */
  readonly reasonHeaders?: readonly string[];
}

/** Makes the vectors of one group; names are file names. */
export type VectorGroup = (scene: Scene) => Readonly<Record<string, VectorDraft>>;

/** A header that passes. */
export const good = (identity: string, ...notes: readonly NoteReason[]): HeaderDraft => ({
  identity,
  status: 'passed',
  notes,
});

/** A header that is found wrong. */
export const bad = (identity: string, wire: Wire, ...reasons: readonly FailureReason[]): HeaderDraft => ({
  identity,
  status: 'failed',
  reasons,
  wire,
});

/** A header that could not be checked. */
export const open = (identity: string, wire: Wire | undefined, ...reasons: readonly FailureReason[]): HeaderDraft => ({
  identity,
  status: 'indeterminate',
  reasons,
  ...(wire === undefined ? {} : { wire }),
});

export const TN_FAILED = { verstat: 'TN-Validation-Failed' } as const;

/** Verdict on a call that passes as the provider of the scene signed it. */
export function passedBy(
  attestation: string | null,
  more: Partial<VectorExpectation> = {},
): Partial<Omit<VectorExpectation, 'headers' | 'reasonHeaders'>> {
  const origId = attestation === null ? null : '123e4567-e89b-12d3-a456-426655440000';
  return { status: 'passed', verstat: 'TN-Validation-Passed', attestation, origId, spc: '1234', sip: null, ...more };
}

/** Completes a draft with the default request, certificates and trust. */
export function finishVector(name: string, draft: VectorDraft, scene: Scene): Vector {
  const { context, diverting } = scene;
  const [only] = draft.headers;
  const request = { ...defaultRequest(scene, draft), ...draft.request };
  for (const member of draft.without ?? []) delete request[member];
  return {
    name,
    description: draft.description,
    section: draft.section,
    row: draft.row ?? null,
    nowMs: NOW_MS,
    policy: { profile: 'shaken', ...draft.policy },
    request,
    certificates: draft.certificates ?? {
      [context.x5u]: { chain: 'pki/sp-1234.pem' },
      ...(draft.headers.some(({ identity }) => identity.includes(diverting.x5u))
        ? { [diverting.x5u]: { chain: diverting.chain } }
        : {}),
    },
    trustAnchors: draft.trustAnchors ?? [ROOT_PATH],
    intermediates: draft.intermediates ?? [],
    crls: draft.crls ?? [CRL_PATH],
    crlSigners: [CRL_SIGNER_PATH],
    stiPaRoots: [STI_PA_ROOT_PATH],
    conditions: { trustListExpMs: null, signaturesChecked: true, seenCount: 1, ...draft.conditions },
    expected: {
      status: only?.status === 'indeterminate' ? 'indeterminate' : 'failed',
      verstat: 'No-TN-Validation',
      attestation: null,
      origId: null,
      spc: null,
      reasons: only?.reasons ?? [],
      sip: only?.wire ?? null,
      ...draft.verdict,
      reasonHeaders: [...draft.headers.flatMap(reasonHeader), ...(draft.reasonHeaders ?? [])],
      headers: draft.headers.map(({ status, reasons, notes }) => ({
        status,
        reasons: reasons ?? [],
        notes: notes ?? [],
      })),
    },
  };
}

function defaultRequest(
  { context }: Scene,
  { headers, unseen }: VectorDraft,
): { -readonly [K in keyof Vector['request']]?: Vector['request'][K] } & { identity: readonly string[] } {
  return {
    identity: [...headers.map(({ identity }) => identity), ...(unseen ?? [])],
    from: `<sip:+${context.origTn}@originating.example;user=phone>;tag=1928301774`,
    to: `<sip:+${context.destTn}@terminating.example;user=phone>`,
    requestUri: `sip:+${context.destTn}@terminating.example;user=phone`,
    date: new Date(NOW_MS).toUTCString(),
  };
}

/** @see RFC 9410 sections 4 and 5 */
function reasonHeader({ identity, wire, hasPpi }: HeaderDraft): readonly string[] {
  if (wire === undefined) return [];
  const token = identity.split(';')[0] ?? '';
  const ppi = hasPpi !== false && /^[\w.-]{1,4096}$/.test(token) ? `;ppi="${token}"` : '';
  return [`STIR;cause=${wire.status};text="${wire.reasonPhrase}"${ppi}`];
}
