import type { Verstat } from '@hopback/sdk/stir';
import type { Leg, Reception } from './behaviours.js';
import type { KnownProvider } from './known-network.js';
import type { TrueFault, TrueIdentity, TrueVerdict } from './truth.js';

/** What a hop comes to, and whether it refuses the call for it. */
export interface TrueVerification {
  readonly verdict: TrueVerdict;
  readonly refusal?: Reception;
}

interface FaultMeaning {
  readonly verstat: Verstat;
  /** What a provider answers that refuses calls for it; absent: it could not be checked, which is nobody's fault. RFC 8224 section 6.2.2 */
  readonly status?: number;
}

/** ATIS-1000082 table of conditions, by report: 8, 15, 16, 17; a signature that is not of what is read: RFC 8224 section 6.2.2. */
const FAULT_MEANINGS: Readonly<Record<TrueFault, FaultMeaning>> = {
  'caller-differs': { verstat: 'No-TN-Validation', status: 438 },
  'callee-differs': { verstat: 'No-TN-Validation', status: 438 },
  replayed: { verstat: 'No-TN-Validation', status: 438 },
  stale: { verstat: 'No-TN-Validation', status: 403 },
  'signature-false': { verstat: 'TN-Validation-Failed', status: 438 },
  'certificate-expired': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-revoked': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-untrusted': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-wrong-spc': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-not-fetched': { verstat: 'No-TN-Validation' },
};

/**
 * What a provider has to find of the Identity of a call, by its role: a terminating one looks at every call, the others at signed ones, and an intermediate
 * one refuses none for what it finds.
 */
export function trueVerification(
  { identity, calling, called }: Leg,
  { planned: { stir, role, failureAction, isExternal = false } }: KnownProvider,
): TrueVerification {
  if (!stir) return { verdict: NO_PART };
  const signed = identity.find(({ ppt }) => ppt === 'shaken');
  if (signed === undefined) return { verdict: role === 'terminating' ? UNSIGNED : NOT_SIGNED };
  if (identity.length === 1 && signed.faults.length + signed.doubtful.length === 0) return { verdict: passed(signed) };
  // Worst wins within the chain: the div belong to the one shaken. ATIS-1000085
  const faults = new Set(identity.flatMap((one) => one.faults));
  const certain = [...faults].filter((fault) => !EVIDENCE.includes(fault));
  const doubtful = new Set(identity.flatMap((one) => one.doubtful));
  // What somebody else's switch makes of evidence is for its owner to decide.
  for (const fault of EVIDENCE) {
    if (!isExternal) doubtful.delete(fault);
    else if (faults.has(fault)) doubtful.add(fault);
  }
  const verdict = verdictOf(signed, { certain, doubtful: [...doubtful] });
  const mayRefuse = failureAction === 'reject_request' && role !== 'transit' && role !== 'foreign';
  const found = mayRefuse ? refusalOf(certain, [...doubtful]) : undefined;
  // With a number that cannot be read nothing can be compared, which is nobody's fault either.
  const isReadable = DIGITS.test(calling) && DIGITS.test(called);
  const refusal = found === undefined || isReadable ? found : { isCertain: false, status: found.status };
  return refusal === undefined ? { verdict } : { verdict, refusal };
}

const DIGITS = /^\+?[0-9]+$/;

const NO_PART: TrueVerdict = { verstat: ['not-asked'], because: 'This provider takes no part in STIR/SHAKEN.' };
const NOT_SIGNED: TrueVerdict = { verstat: ['not-asked'], because: 'Nobody has signed the call.' };
const UNSIGNED: TrueVerdict = { verstat: ['No-TN-Validation'], because: 'Nobody has signed the call.' };

/**
 * Faults of which a verifier makes no failure of its own: a repeat may be the second branch of a fork, and is evidence (RFC 8224 section 12.1); a
 * certificate of another's code is a good one, and the verdict names that code.
 */
const EVIDENCE: readonly TrueFault[] = ['replayed', 'certificate-wrong-spc'];

const passed = (signed: TrueIdentity): TrueVerdict => verdictOf(signed, { certain: [], doubtful: [] });

function verdictOf(
  { attestation, spc, faults, doubtful: perhaps }: TrueIdentity,
  { certain, doubtful }: { readonly certain: readonly TrueFault[]; readonly doubtful: readonly TrueFault[] },
): TrueVerdict {
  const evidence = EVIDENCE.filter((fault) => faults.includes(fault) && !doubtful.includes(fault));
  const because =
    certain.length + doubtful.length === 0
      ? `Signed by ${spc} with ${attestation ?? 'no attestation'}, and nothing speaks against it${evidence.length === 0 ? '' : ` that fails it: ${evidence.join(', ')}`}.`
      : `Signed by ${spc}: ${[...certain, ...doubtful.map((fault) => `perhaps ${fault}`)].join(', ')}.`;
  const passes: readonly Verstat[] = certain.length === 0 ? ['TN-Validation-Passed'] : [];
  const verstat = new Set([...passes, ...[...certain, ...doubtful].map((fault) => FAULT_MEANINGS[fault].verstat)]);
  if (passes.length === 0) return { verstat: [...verstat], because };
  return {
    verstat: [...verstat],
    ...(attestation !== undefined && { attestation }),
    ...(!perhaps.includes('certificate-wrong-spc') && { signerSpc: spc }),
    because,
  };
}

function refusalOf(certain: readonly TrueFault[], doubtful: readonly TrueFault[]): Reception | undefined {
  const status = [...new Set([...certain, ...doubtful].flatMap((fault) => FAULT_MEANINGS[fault].status ?? []))];
  if (status.length === 0) return undefined;
  // A token that is false in one way and could not be checked in another may be found to be either.
  return {
    isCertain: certain.length > 0 && certain.every((fault) => FAULT_MEANINGS[fault].status !== undefined),
    status,
  };
}
