import {
  CERTIFICATE_FAULTS,
  createPassport,
  PASSPORT_FAULTS,
  type CertificateFaultName,
  type PassportFaultName,
  type PassportOptions,
} from '@hopback/sdk/testing';
import type {
  Capability,
  CaseGroup,
  CaseSetting,
  SentCall,
  VerificationCase,
  VerificationExpectation,
} from '../case.js';

/** What of a case is otherwise than usual. */
export interface CaseDetails {
  readonly number: string;
  readonly title: string;
  readonly source: string;
  readonly level?: 'must' | 'should';
  readonly needs?: readonly Capability[];
}

/** Anything but TN-Validation-Passed. */
export const REFUSED: VerificationExpectation = { outcome: 'refused' };
/** TN-Validation-Passed. */
export const PASSED: VerificationExpectation = { outcome: 'passed' };
/** The standards leave the verdict open. */
export const ANSWERED: VerificationExpectation = { outcome: 'answered' };

/** A case, its usual members filled in. */
export function verificationCase(
  group: CaseGroup,
  details: CaseDetails,
  rest: Pick<VerificationCase, 'sends' | 'expects' | 'showsReason'>,
): VerificationCase {
  const { number, title, source, level = 'must', needs = [] } = details;
  return { kind: 'verification', number, title, group, source, level, needs: ['verify', ...needs], ...rest };
}

/** The call of a setting with these Identity header values. */
export function callWith(
  { origTn, destTn, nowSeconds }: CaseSetting,
  identity: readonly string[],
  rest: Partial<SentCall> = {},
): SentCall {
  return { identity, origTn, destTn, dateSeconds: nowSeconds, ...rest };
}

/** A right token of the call with changes, as an Identity header value. */
export const identityOf = (setting: CaseSetting, changes: Partial<PassportOptions> = {}): string =>
  createPassport(setting.passport(changes)).identityHeader;

/** Sends one right token with changes. */
export const token =
  (change: (setting: CaseSetting) => Partial<PassportOptions> = () => ({})): VerificationCase['sends'] =>
  (setting) =>
    callWith(setting, [identityOf(setting, change(setting))]);

/** Sends what the catalogue of wrong PASSporTs has under a name. */
export const fault =
  (name: PassportFaultName): VerificationCase['sends'] =>
  (setting) =>
    callWith(setting, [PASSPORT_FAULTS[name].build(setting.context).identityHeader]);

/** Sends a right token under a path of the catalogue of certification paths. */
export const path =
  (name: CertificateFaultName): VerificationCase['sends'] =>
  (setting) => {
    const { endEntity, chainPem } = CERTIFICATE_FAULTS[name].build(setting.pki, setting.provider.certificate.spc);
    const changes = { origTn: DELEGATED_TN, signer: endEntity, x5u: setting.publish(chainPem) };
    return callWith(setting, [identityOf(setting, changes)], { origTn: DELEGATED_TN });
  };

/** The number that paths with delegates are for. */
const DELEGATED_TN = '12025550101';

/** One row of a table: number, what is sent, what a conforming service does, and the text that decides. */
export type FaultRow<Name> = readonly [
  number: string,
  name: Name,
  title: string,
  source: string,
  level?: 'must' | 'should',
];

/** Cases of a table, all with one expectation. */
export const table = <Name>(
  group: CaseGroup,
  rows: readonly FaultRow<Name>[],
  {
    sends,
    expects,
  }: { readonly sends: (name: Name) => VerificationCase['sends']; readonly expects: VerificationExpectation },
): readonly VerificationCase[] =>
  rows.map(([number, name, title, source, level = 'must']) =>
    verificationCase(group, { number, title, source, level }, { sends: sends(name), expects }),
  );
