import { readFile } from 'node:fs/promises';
import { CONFORMANCE_CASES, TRUST_FILES } from '@hopback/harness/conformance';
import type { Observed, SentCall, VerificationCase } from '@hopback/harness/conformance';
import { CertificateRepository, VerificationService, loadTrustStore } from '@hopback/sdk/stir';
import type { CallVerdict, FailureReason, VerificationRequest } from '@hopback/sdk/stir';
import { afterAll, expect, test } from 'vitest';
import { judgeVerification } from '../../harness/src/conformance/conformance-run.js';
import { openConformanceLab } from '../support/conformance-lab.js';

// A suite is as good as what it finds: services that leave out one check each, made of the verdicts of one that leaves out none. What such a
// service would say of a call is known from the reasons of the whole verdict: where only the check that it lacks objects, it passes.

const CLOCK = { nowMs: Date.now };
/** Calls under way at once. */
const LANES = 8;

interface Heard {
  readonly conformanceCase: VerificationCase;
  readonly call: SentCall;
  readonly verdict: CallVerdict;
  /** What was found of the first Identity header alone. */
  readonly firstAlone: CallVerdict;
}

const lab = await openConformanceLab();
afterAll(() => lab[Symbol.asyncDispose]());

/** Has every verification case verified by a service that leaves out nothing. */
async function heardCases(): Promise<readonly Heard[]> {
  const { server } = lab.environment;
  const certificates = new CertificateRepository({
    ...{ clock: CLOCK, ca: await readFile(lab.path(TRUST_FILES.webRoot), 'utf8') },
    allow: { addresses: ['127.0.0.0/8'], ports: Object.values(server.ports) },
  });
  const trustStore = await loadTrustStore(
    {
      anchors: { kind: 'files', paths: [lab.path(TRUST_FILES.root)] },
      ...{ stiPaRoots: [lab.path(TRUST_FILES.stiPaRoot)], crls: [lab.path(TRUST_FILES.crlDer)] },
      crlSigners: [lab.path(TRUST_FILES.crlSigner)],
    },
    { clock: CLOCK },
  );
  const service = new VerificationService({ certificates, trustStore, clock: CLOCK, timeBudgetMs: 8_000 });
  const cases = CONFORMANCE_CASES.filter((one): one is VerificationCase => one.kind === 'verification');
  const waiting = [...cases.filter((one) => one.isLast !== true), ...cases.filter((one) => one.isLast === true)];
  const all: Heard[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const call = next.sends(lab.environment.settingOf(next));
      const verdict = await service.verify(requestOf(call));
      const firstAlone = await service.verify(requestOf({ ...call, identity: call.identity.slice(0, 1) }));
      all.push({ conformanceCase: next, call, verdict, firstAlone });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await certificates.close();
  return all;
}

const heard = await heardCases();

function requestOf(call: SentCall): VerificationRequest {
  const { identity, origTn, destTn, targetTn = destTn, asserted = [], dateSeconds } = call;
  const uri = (tn: string, host: string): string => `sip:${tn.startsWith('+') ? tn : `+${tn}`}@${host};user=phone`;
  const { from = `<${uri(origTn, 'a.example')}>`, to = `<${uri(destTn, 'b.example')}>` } = call;
  return { identity, dateSeconds, pAssertedIdentity: asserted, from, to, requestUri: uri(targetTn, 'b.example') };
}

type Mutation = (heard: Heard) => CallVerdict | 'passes' | 'refuses';

function observedOf(said: CallVerdict | 'passes' | 'refuses'): Observed {
  if (said === 'passes' || said === 'refuses')
    return { kind: 'verified', isPassed: said === 'passes', codes: [], reasons: [], said };
  const { verstat, sipResponse, attestation } = said;
  const codes = sipResponse === undefined ? [] : [sipResponse.status];
  return {
    ...{ kind: 'verified', isPassed: said.status === 'passed', verstat, codes, reasons: [], said: verstat },
    ...(attestation !== undefined && { attestation }),
  };
}

/** Numbers of the cases that a service fails; Reason header fields are for targets that have them. */
function failedBy(mutation: Mutation): readonly string[] {
  return heard
    .filter(({ conformanceCase }) => !conformanceCase.needs.includes('reasons'))
    .filter((one) => judgeVerification(one, observedOf(mutation(one))).status === 'fail')
    .map(({ conformanceCase }) => conformanceCase.number)
    .sort();
}

const leavingOut =
  (...reasons: readonly FailureReason[]): Mutation =>
  ({ verdict }) =>
    verdict.status !== 'passed' && verdict.reasons.length > 0 && verdict.reasons.every((one) => reasons.includes(one))
      ? 'passes'
      : verdict;

test('a service that leaves out nothing conforms', () => {
  expect(failedBy(({ verdict }) => verdict)).toEqual([]);
});

test('a service that passes everything fails every case of a wrong call, and one that refuses everything every good one', () => {
  const outcomeOf = ({ conformanceCase: { expects }, call }: Heard): string =>
    (typeof expects === 'function' ? expects(call) : expects).outcome;
  const expecting = (outcome: string): readonly string[] =>
    heard
      .filter((one) => outcomeOf(one) === outcome && !one.conformanceCase.needs.includes('reasons'))
      .map(({ conformanceCase }) => conformanceCase.number)
      .sort();
  expect(failedBy(() => 'passes')).toEqual(expecting('refused'));
  expect(failedBy(() => 'refuses')).toEqual(expect.arrayContaining([...expecting('passed')]));
  expect(expecting('passed').length).toBeGreaterThan(30);
});

test.each<[string, Mutation, readonly string[]]>([
  ['compare the called number', leavingOut('dest-mismatch'), ['V-602', 'V-811']],
  ['compare the caller', leavingOut('orig-mismatch'), ['V-601', 'V-614', 'V-810']],
  ['look at the age of iat', leavingOut('iat-stale', 'date-stale'), ['V-254', 'V-255', 'V-261', 'V-801']],
  ['refuse an iat in the future', leavingOut('iat-in-future'), ['V-256', 'V-257', 'V-802']],
  ['verify the signature', leavingOut('signature-invalid'), ['V-310', 'V-311', 'V-312', 'V-318', 'V-323', 'V-815']],
  ['insist on ES256', leavingOut('alg-unsupported'), ['V-301', 'V-305', 'V-808']],
  ['look at crit', leavingOut('critical-header-unsupported'), ['V-324']],
  ['look at typ', leavingOut('typ-not-passport'), ['V-205', 'V-807']],
  ['compare the two ppt', leavingOut('ppt-mismatch'), ['V-206']],
  ['compare info and x5u', leavingOut('x5u-info-mismatch'), ['V-123', 'V-806']],
  ['ask for every parameter of the token header', leavingOut('header-claim-missing'), ['V-201', 'V-203', 'V-204']],
  ['ask for every claim', leavingOut('claim-missing'), ['V-210', 'V-211', 'V-213', 'V-214', 'V-809']],
  ['look at the shape of claims', leavingOut('claim-malformed'), ['V-221', 'V-226', 'V-228', 'V-230']],
  ['look at the value of attest', leavingOut('attest-invalid'), ['V-215', 'V-216', 'V-217', 'V-816']],
  ['refuse the compact form', leavingOut('compact-form'), ['V-120', 'V-817']],
  ['refuse keys that come twice', leavingOut('json-duplicate-key'), ['V-240']],
  ['read base64url strictly', leavingOut('base64url-invalid'), ['V-105', 'V-106', 'V-107']],
  ['look at the scheme and the rules of x5u', leavingOut('info-invalid'), ['V-540', 'V-541', 'V-545']],
  ['ask for a path to a root', leavingOut('no-path-to-trust-anchor'), ['V-362', 'V-401', 'V-402', 'V-812']],
  ['look at the end of validity', leavingOut('certificate-expired'), ['V-351', 'V-403', 'V-813']],
  ['look at the beginning of validity', leavingOut('certificate-not-yet-valid'), ['V-352', 'V-404']],
  ['verify certificates', leavingOut('certificate-signature-invalid'), ['V-353', 'V-354', 'V-405']],
  ['look at the kind of key', leavingOut('public-key-not-permitted'), ['V-357', 'V-358', 'V-359']],
  ['look at key usage', leavingOut('key-usage-missing'), ['V-355', 'V-409']],
  ['look at cA', leavingOut('not-a-ca'), ['V-407', 'V-408']],
  ['look at the path length', leavingOut('path-length-exceeded'), ['V-411']],
  ['look at critical extensions', leavingOut('unknown-critical-extension'), ['V-356', 'V-410']],
  ['ask for a TNAuthList', leavingOut('tn-auth-list-missing'), ['V-361']],
  ['look at what was delegated', leavingOut('tn-auth-list-not-encompassed'), ['V-415', 'V-416']],
  ['look at whose number it is', leavingOut('tn-not-authorized'), ['V-367']],
  ['look at claim constraints', leavingOut('claim-constraint-violated'), ['V-363', 'V-364']],
  ['look at the CRL', leavingOut('certificate-revoked'), ['V-451', 'V-452', 'V-814']],
  ['hold a div against the target', leavingOut('div-target-mismatch', 'retarget-without-div'), ['V-655']],
  ['follow the chain of div', leavingOut('div-chain-broken', 'retarget-without-div'), ['V-656', 'V-662']],
  ['ask for a div', leavingOut('retarget-without-div'), ['V-654']],
  ['look beyond the first Identity header', ({ firstAlone }) => firstAlone, ['V-701', 'V-704', 'V-706']],
])('a service that does not %s is found out by the cases about that', (_what, mutation, numbers) => {
  expect(failedBy(mutation)).toEqual(expect.arrayContaining([...numbers]));
});
