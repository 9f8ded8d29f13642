import type { CallVerdict, FailureReason, TrustStore, VerificationFailure } from '../stir/index.js';
import type { CallInput } from './call-input.js';
import { instantText } from './output.js';

/** What a hint may depend on beside the verdict. */
export interface HintContext {
  readonly trustStore: TrustStore;
  readonly hasCrls: boolean;
  readonly isOffline: boolean;
  readonly inputKind: CallInput['kind'];
  readonly isAssumed: boolean;
}

type Hint = (
  verdict: CallVerdict,
  context: HintContext,
  failure: VerificationFailure | undefined,
) => string | undefined;

/**
 * What whoever looks at a verdict can do about it, most important first.
 * @returns sentences without telephone numbers; none where there is nothing to do
 */
export function verifyHints(verdict: CallVerdict, context: HintContext): readonly string[] {
  const failures = verdict.outcomes.flatMap((outcome) => ('failures' in outcome ? outcome.failures : []));
  const hints = verdict.reasons.map((reason) =>
    HINTS[reason]?.(
      verdict,
      context,
      failures.find((failure) => failure.reason === reason),
    ),
  );
  return [...new Set([...hints, ...refusedCrls(context)].filter((hint) => hint !== undefined))];
}

function refusedCrls({ trustStore }: HintContext): readonly string[] {
  return trustStore.revocation.refused.map(
    ({ crl, reason, detail }) =>
      `The CRL of ${crl.issuer.text} is not used: ${reason}${detail === '' ? '' : ` (${detail})`}.`,
  );
}

const parties: Hint = (_verdict, { inputKind, isAssumed }) => {
  if (isAssumed || inputKind === 'request') return undefined;
  return 'An Identity header alone does not say for which call it came: give --orig and --dest (or --from, --to), or the whole INVITE.';
};

const stale: Hint = (verdict) => {
  const { iatSeconds } = verdict.evidence.passports.find((passport) => passport.iatSeconds !== undefined) ?? {};
  if (iatSeconds === undefined || iatSeconds > 99_999_999_999) return undefined;
  return `To judge an old capture as of its own time, add --at ${instantText(iatSeconds * 1000)}; for a live call, look at both clocks.`;
};

const chain: Hint = () =>
  'See how far the path gets: hopback cert chain URL|FILE --trust PATH. If the issuer is on the STI-PA list, load the current list.';

const HINTS: Readonly<Partial<Record<FailureReason, Hint>>> = {
  'identity-absent': () =>
    'The request has no Identity header: nobody upstream signed it, or something on the way took it out.',
  'orig-unusable': parties,
  'dest-unusable': parties,
  'iat-stale': stale,
  'iat-in-future': stale,
  'date-stale': stale,
  'ppt-unsupported': ({ reasons }) =>
    reasons[0] === 'ppt-unsupported'
      ? 'PASSporTs without or with an unknown ppt are looked at by --profile rfc8224.'
      : undefined,
  'compact-form': () => 'The compact form is accepted by --profile rfc8224, for PASSporTs without ppt.',
  'x5u-unreachable': (_verdict, { isOffline }, failure) => {
    if (isOffline)
      return 'Without --offline the certificate is fetched; or preload it: hopback cache preload URL --cache DIR.';
    if (failure?.actual === 'tls-failed') return 'Where a laboratory has its own TLS root, name it with --tls-ca FILE.';
    return 'Fetch the certificate by other means and give it with --certificate FILE, or try again with a longer --fetch-timeout.';
  },
  'info-invalid': (_verdict, _context, failure) => {
    const isLab = ['address-special-purpose', 'host-not-permitted', 'port-not-permitted'].includes(
      String(failure?.actual),
    );
    return isLab
      ? 'Only in a laboratory: --allow-address, --allow-host and --allow-port make exceptions for it.'
      : undefined;
  },
  'no-path-to-trust-anchor': chain,
  'certificate-expired': () => 'For an old capture add --at TIME; for a live call the signer has to renew.',
  'revocation-unknown': (_verdict, { hasCrls }) =>
    hasCrls
      ? 'No loaded CRL speaks for this certificate at this time: load the current one, or accept that with --revocation-unknown accept.'
      : 'No CRL is loaded: add --crl FILE (with --crl-signer and --sti-pa-root for that of the STI-PA), or --revocation-unknown accept.',
  'retarget-without-div': () =>
    'Whoever forwarded the call should have added a div PASSporT (hopback sign --div-from).',
  'signature-invalid': () =>
    'Claims were changed after signing, or the certificate at the x5u is not the one that was signed with.',
  'time-budget-spent': () => 'Give it more time with --time-budget MS.',
};
