import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildCertificatePath } from '../../sdk/src/stir/certificates/build-path.js';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import { parsedChain, parsedCrl } from '../unit/certificates-parsed.js';
import type { CertificateLookup, X5uFailure, X5uRefusal } from '../../sdk/src/stir/certificates/repository.js';
import { createRevocationSet } from '../../sdk/src/stir/certificates/revocation.js';
import { PASSPORT_TYPES, passportTypeRegistry } from '../../sdk/src/stir/passport.js';
import { checkCertificates, concludeVerification, startVerification } from '../../sdk/src/stir/verification/core.js';
import type { StartedVerification } from '../../sdk/src/stir/verification/verdict.js';
import type { NoteReason } from '../../sdk/src/stir/verification/step.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import { verificationPolicy, type VerificationPolicy } from '../../sdk/src/stir/verification/policy.js';
import { checkInline } from '../../sdk/src/stir/verification/signature-checker.js';

/** What is known of one x5u URL: a PEM chain (file below test/vectors), or why there is none. A URL not listed was not fetched in time. */
export type VectorCertificate =
  | { readonly chain: string; readonly notes?: readonly string[] }
  | { readonly unavailable: X5uFailure }
  | { readonly refused: X5uRefusal };

/** One vector file. Described for readers in test/vectors/README.md. */
export interface Vector {
  readonly name: string;
  readonly description: string;
  readonly section: string;
  /** Row of the ATIS-1000082 error table, where the vector stands for one. */
  readonly row: number | null;
  readonly nowMs: number;
  readonly policy: Partial<VerificationPolicy> & { readonly profile: 'shaken' | 'rfc8224' };
  readonly request: {
    readonly identity: readonly string[];
    readonly from?: string;
    readonly to?: string;
    readonly requestUri?: string;
    readonly pAssertedIdentity?: readonly string[];
    readonly date?: string;
  };
  readonly certificates: Readonly<Record<string, VectorCertificate>>;
  readonly trustAnchors: readonly string[];
  readonly intermediates: readonly string[];
  readonly crls: readonly string[];
  readonly crlSigners: readonly string[];
  readonly stiPaRoots: readonly string[];
  readonly conditions: {
    /** When the signed list of trust anchors runs out, milliseconds since the epoch; null where the anchors come from files. */
    readonly trustListExpMs: number | null;
    /** False where the signature check did not come back. */
    readonly signaturesChecked: boolean;
    /** How often the verifier has seen the call, this time included. */
    readonly seenCount: number;
  };
  readonly expected: VectorExpectation;
}

/** Where the vectors are. */
export const VECTOR_FOLDER: string = fileURLToPath(new URL('../vectors/', import.meta.url));

/** All vector files, in the order of their names. */
export function loadVectors(): readonly Vector[] {
  const names = readdirSync(`${VECTOR_FOLDER}verification`).filter((name) => name.endsWith('.json'));
  return names.toSorted().map((name) => JSON.parse(textOf(`verification/${name}`)) as Vector);
}

/**
 * Runs a vector through the pure core: no service, no repository, no clock.
 * @param read - text of a file by its path below test/vectors; default from disk
 */
export function runVector(
  vector: Vector,
  read: (path: string) => string = textOf,
): { readonly pending: StartedVerification; readonly verdict: CallVerdict } {
  const { nowMs, conditions } = vector;
  const policy = verificationPolicy(vector.policy);
  const types = passportTypeRegistry(PASSPORT_TYPES);
  const pending = startVerification(vector.request, { policy, types, nowMs });
  const jobs = checkCertificates(pending, knowledgeOf(vector, read));
  const signatures = conditions.signaturesChecked ? checkInline(jobs) : [];
  const observe = () => ({ count: conditions.seenCount, firstSeenMs: nowMs });
  return {
    pending: pending as StartedVerification,
    verdict: concludeVerification(pending, jobs, { signatures, observe }),
  };
}

/** The verdict in the words of a vector file: reasons have the deciding one first. */
export function asExpectation(verdict: CallVerdict) {
  return {
    status: verdict.status,
    verstat: verdict.verstat,
    attestation: verdict.attestation ?? null,
    origId: verdict.origId ?? null,
    spc: verdict.signer?.spc ?? null,
    reasons: verdict.reasons,
    sip: verdict.sipResponse ?? null,
    reasonHeaders: verdict.reasonHeaders,
    headers: verdict.outcomes.map((outcome) => ({
      status: outcome.status,
      reasons: 'failures' in outcome ? outcome.failures.map(({ reason }) => reason) : [],
      notes: 'notes' in outcome ? outcome.notes.map(({ reason }) => reason as NoteReason) : [],
    })),
  };
}

export type VectorExpectation = ReturnType<typeof asExpectation>;

function knowledgeOf(vector: Vector, read: (path: string) => string): Parameters<typeof checkCertificates>[1] {
  const certificates = (path: string): readonly Certificate[] => parsedChain(read(path));
  const trustAnchors = vector.trustAnchors.flatMap(certificates);
  const intermediates = vector.intermediates.flatMap(certificates);
  const revocation = createRevocationSet(
    vector.crls.map((path) => parsedCrl({ der: read(path) })),
    {
      atMs: vector.nowMs,
      issuers: [...trustAnchors, ...intermediates],
      stiPaRoots: vector.stiPaRoots.flatMap(certificates),
      signers: vector.crlSigners.flatMap(certificates),
    },
  );
  const options = {
    trustAnchors,
    intermediates,
    atMs: vector.nowMs,
    revocation: (certificate: Certificate, issuer: Certificate) => revocation.lookup(certificate, issuer, vector.nowMs),
  };
  return (url) => {
    const known = vector.certificates[url];
    if (known === undefined) return undefined;
    const lookup = lookupOf(url, known, certificates);
    if (lookup.status !== 'found') return { lookup };
    const { trustListExpMs } = vector.conditions;
    const found = { lookup, path: buildCertificatePath(lookup.chain, options) };
    return trustListExpMs === null ? found : { ...found, trustListExpMs };
  };
}

function lookupOf(
  url: string,
  known: VectorCertificate,
  certificates: (path: string) => readonly Certificate[],
): CertificateLookup {
  if ('unavailable' in known) {
    return { status: 'unavailable', url, reason: known.unavailable, detail: 'as the vector says', retryAfterMs: 1000 };
  }
  if ('refused' in known) return { status: 'refused', url, reason: known.refused, detail: 'as the vector says' };
  const chain = certificates(known.chain);
  return {
    status: 'found',
    url,
    chain,
    fetchedAtMs: 0,
    freshUntilMs: Number.MAX_SAFE_INTEGER,
    notes: known.notes ?? [],
  };
}

function textOf(path: string): string {
  return readFileSync(`${VECTOR_FOLDER}${path}`, 'utf8');
}
