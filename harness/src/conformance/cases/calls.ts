import { createPassport } from '@hopback/sdk/testing';
import type { CertificateOptions, PassportOptions } from '@hopback/sdk/testing';
import type { CaseSetting, SentCall, VerificationCase } from '../case.js';

type Sends = VerificationCase['sends'];

/** The call of a setting with these Identity header values. */
export function callWith(
  { origTn, destTn, nowSeconds }: CaseSetting,
  identity: readonly string[],
  rest: Partial<SentCall> = {},
): SentCall {
  return {
    identity,
    origTn,
    destTn,
    dateSeconds: nowSeconds,
    ...rest,
  };
}

/** A right token of the call with changes, as an Identity header value. */
export const identityOf = (setting: CaseSetting, changes: Partial<PassportOptions> = {}): string =>
  createPassport(setting.passport(changes)).identityHeader;

/** Sends one right token with changes. */
const token =
  (change: (setting: CaseSetting) => Partial<PassportOptions>): Sends =>
  (setting) =>
    callWith(setting, [identityOf(setting, change(setting))]);

/** Sends a right token with a call that differs. */
const call =
  (change: (setting: CaseSetting) => Partial<SentCall>): Sends =>
  (setting) =>
    callWith(setting, [identityOf(setting)], change(setting));

/** Sends these Identity header values. */
const several =
  (identity: (setting: CaseSetting) => readonly string[]): Sends =>
  (setting) =>
    callWith(setting, identity(setting));

const issued = (seconds: number): Sends => token(({ nowSeconds }) => ({ iatSeconds: nowSeconds + seconds }));

/** Sends a right token under a certificate of its own. */
const signedBy =
  (issue: (setting: CaseSetting) => ReturnType<CaseSetting['pki']['issueDelegate']>): Sends =>
  (setting) => {
    const signer = issue(setting);
    return callWith(setting, [identityOf(setting, { signer, x5u: setting.publish(signer.chainPem) })]);
  };

const endEntity = (options: (setting: CaseSetting) => CertificateOptions & { readonly canDelegate?: boolean }): Sends =>
  signedBy((setting) =>
    setting.pki.issueServiceProvider({ spc: setting.provider.certificate.spc, ...options(setting) }),
  );

const permitting = (...permitted: readonly string[]): Sends =>
  endEntity(() => ({ jwtClaimConstraints: { permittedValues: [{ claim: 'attest', permitted }] } }));

const revoked: Sends = endEntity(({ revokedSerials }) => ({ serialNumber: revokedSerials.endEntity }));

/** A delegate of the provider of the case, for a number. */
const delegated = (tnOf: (setting: CaseSetting) => string): Sends =>
  signedBy((setting) => {
    const { pki, provider } = setting;
    const parent = pki.issueServiceProvider({
      spc: provider.certificate.spc,
      canDelegate: true,
      issuer: pki.issueCa(),
    });
    return pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: tnOf(setting) }] });
  });

/** A right chain under a URL that is made of the right one. */
const under =
  (url: (right: string, setting: CaseSetting) => string): Sends =>
  (setting) => {
    const right = setting.publish(setting.provider.certificate.chainPem);
    return callWith(setting, [identityOf(setting, { x5u: url(right, setting) })]);
  };

/** What of a diverted call is wrong, by the number of its token: 0 is the shaken one. */
interface Diversion {
  readonly change?: (setting: CaseSetting, index: number) => Partial<PassportOptions>;
  /** Makes something else of the Identity header values. */
  readonly reorder?: (identity: readonly string[]) => readonly string[];
  readonly target?: (setting: CaseSetting) => string;
}

/** Where a call goes after so many diversions: the callee for 0, then other numbers kept for fiction, 99 at most. */
export function divertedTn({ destTn }: CaseSetting, diversions: number): string {
  return diversions === 0 ? destTn : `1303555${String(100 + diversions).padStart(4, '0')}`;
}

/** Sends a call that was diverted so many times. */
const diverted =
  (diversions: number, { change, reorder, target }: Diversion = {}): Sends =>
  (setting) => {
    const identity = [
      identityOf(setting, change?.(setting, 0)),
      ...Array.from({ length: diversions }, (_, at) => {
        const step = { ppt: 'div', divTn: divertedTn(setting, at), destTn: divertedTn(setting, at + 1) };
        return identityOf(setting, { ...step, ...change?.(setting, at + 1) });
      }),
    ];
    return callWith(setting, reorder === undefined ? identity : reorder(identity), {
      targetTn: target?.(setting) ?? divertedTn(setting, diversions),
    });
  };

/** Sends a call that was diverted once, with a change of the token with this number alone. */
const divertedWith = (index: number, change: (setting: CaseSetting) => Partial<PassportOptions>): Sends =>
  diverted(1, { change: (setting, current) => (current === index ? change(setting) : {}) });

const STRANGER = '12125550142';
/** +1 (202) 555-0101 */
const spelled = (tn: string): string => `+${tn.slice(0, 1)} (${tn.slice(1, 4)}) ${tn.slice(4, 7)}-${tn.slice(7)}`;
const dashed = (tn: string): string => `+${tn.slice(0, 1)}-${tn.slice(1, 4)}-${tn.slice(4, 7)}-${tn.slice(7)}`;
const caller = (user: string): string => `<sip:+${user}@originating.example;user=phone>`;
const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>';

const forged = (setting: CaseSetting): string => identityOf(setting, { signer: setting.context.attacker });
const stale = (setting: CaseSetting): string => identityOf(setting, { iatSeconds: setting.nowSeconds - 600 });
const unreachable = (setting: CaseSetting): string =>
  identityOf(setting, { x5u: setting.publishFault('status-404', setting.provider.certificate.chainPem) });
const typed = (setting: CaseSetting, ppt: string): string => identityOf(setting, { ppt });

/** Calls that no catalogue of faults has, by the number of their case. */
export const CALLS: Readonly<Record<string, Sends>> = {
  'V-001': token(() => ({ attest: 'A' })),
  'V-002': token(() => ({ attest: 'B' })),
  'V-003': token(() => ({ attest: 'C' })),
  'V-004': token(({ destTn }) => ({ claims: { dest: { tn: ['12025550144', destTn] } } })),
  'V-005': token(() => ({ claims: { tomorrow: 'x' } })),
  'V-006': token(() => ({ header: { tomorrow: 'x' } })),
  'V-007': call(() => ({ times: 2 })),
  'V-008': several(() => []),
  'V-009': call(({ nowSeconds }) => ({ dateSeconds: nowSeconds - 30 })),
  'V-135': token(() => ({ identityHeader: { alg: 'absent' } })),
  'V-140': several(() => ['junk']),
  'V-143': several((setting) => [identityOf(setting).slice(0, 1)]),
  'V-240': token(({ context: { destTn, origTn, origId, nowSeconds } }) => ({
    payloadText: `{"attest":"A","attest":"Z","dest":{"tn":["${destTn}"]},"iat":${nowSeconds},"orig":{"tn":"${origTn}"},"origid":"${origId}"}`,
  })),
  'V-251': issued(-30),
  'V-252': issued(5),
  'V-253': issued(-75),
  'V-254': issued(-600),
  'V-255': issued(-31_536_000),
  'V-256': issued(600),
  'V-257': issued(31_536_000),
  'V-261': (setting) => {
    const iatSeconds = setting.nowSeconds - 3600;
    return callWith(setting, [identityOf(setting, { iatSeconds })], { dateSeconds: iatSeconds });
  },
  'V-357': endEntity(({ rsaKey }) => ({ key: rsaKey })),
  'V-363': permitting('B', 'C'),
  'V-364': endEntity(() => ({ jwtClaimConstraints: { mustInclude: ['rcd'] } })),
  'V-365': permitting('A', 'B'),
  'V-366': endEntity(() => ({ enhancedJwtClaimConstraints: { mustExclude: ['attest'] } })),
  'V-367': delegated(() => '12125550177'),
  'V-413': endEntity(({ pki, rsaKey }) => ({ issuer: pki.issueCa({ key: rsaKey }) })),
  'V-435': delegated(({ origTn }) => origTn),
  'V-451': revoked,
  'V-452': endEntity(({ pki, revokedSerials }) => ({ issuer: pki.issueCa({ serialNumber: revokedSerials.ca }) })),
  'V-453': endEntity(({ pki, revokedSerials }) => ({
    issuer: pki.issueCa(),
    serialNumber: revokedSerials.endEntity,
  })),
  'V-540': under((right, { httpUrl }) => httpUrl(right)),
  'V-541': under((right) => right.replace('https://', 'https://user:password@')),
  'V-542': under((right, { publishAt }) => publishAt(`${new URL(right).pathname}?a=b`)),
  'V-543': under((right) => `${right}#a`),
  'V-544': under(() => 'certificate.pem'),
  'V-545': under(() => 'file:///etc/ssl/certs/ca-certificates.crt'),
  'V-550': under((_right, { publish, provider }) =>
    publish(provider.certificate.chainPem, { contentType: 'text/plain' }),
  ),
  'V-551': under((right) => right),
  'V-601': token(() => ({ origTn: STRANGER })),
  'V-602': token(() => ({ destTn: STRANGER })),
  'V-603': token(({ origTn, destTn }) => ({ origTn: destTn, destTn: origTn })),
  'V-604': call(({ origTn }) => ({ origTn: origTn.slice(4) })),
  'V-605': call(({ origTn, destTn }) => ({ origTn: `+${origTn}`, destTn: `+${destTn}` })),
  'V-606': call(({ origTn, destTn }) => ({ origTn: dashed(origTn), destTn: dashed(destTn) })),
  'V-607': call(({ origTn }) => ({ from: `<tel:+${origTn}>` })),
  'V-608': call(({ origTn }) => ({ from: `"${spelled(STRANGER)}" ${caller(origTn)}` })),
  'V-609': call(({ origTn }) => ({ from: caller(`${origTn};tgrp=tg1;trunk-context=a.example`) })),
  'V-610': call(({ destTn }) => ({ to: `<sip:+${destTn};npdi;rn=+12125550100@terminating.example;user=phone>` })),
  'V-611': call(({ origTn }) => ({ from: ANONYMOUS, asserted: [caller(origTn)] })),
  'V-612': call(({ origTn }) => ({ from: caller(STRANGER), asserted: [caller(origTn)] })),
  'V-613': call(() => ({ from: ANONYMOUS })),
  'V-614': call(({ origTn }) => ({ from: `"${spelled(origTn)}" ${caller(STRANGER)}` })),
  'V-651': diverted(1),
  'V-652': diverted(3),
  'V-653': diverted(2, { reorder: (identity) => identity.toReversed() }),
  'V-654': diverted(0, { target: (setting) => divertedTn(setting, 1) }),
  'V-655': diverted(1, { target: () => STRANGER }),
  'V-656': divertedWith(1, () => ({ divTn: STRANGER })),
  'V-657': divertedWith(1, () => ({ origTn: STRANGER })),
  'V-658': diverted(3, { reorder: (identity) => identity.filter((_, index) => index !== 2) }),
  'V-659': divertedWith(1, ({ context }) => ({ signer: context.attacker })),
  'V-660': divertedWith(0, ({ context }) => ({ signer: context.attacker })),
  'V-661': divertedWith(1, ({ nowSeconds }) => ({ iatSeconds: nowSeconds - 600 })),
  'V-662': diverted(1, { reorder: (identity) => identity.slice(1) }),
  'V-663': divertedWith(1, () => ({ claims: { div: undefined } })),
  'V-664': divertedWith(1, ({ destTn }) => ({ claims: { div: { tn: [destTn] } } })),
  'V-701': several((setting) => ['junk', identityOf(setting)]),
  'V-702': several((setting) => [identityOf(setting), 'junk']),
  'V-703': several((setting) => [typed(setting, 'tomorrow'), identityOf(setting)]),
  'V-704': several((setting) => [forged(setting), identityOf(setting)]),
  'V-705': several((setting) => [stale(setting), identityOf(setting)]),
  'V-706': several((setting) => [unreachable(setting), identityOf(setting)]),
  'V-707': several((setting) => [forged(setting), stale(setting)]),
  'V-708': several((setting) => [typed(setting, 'tomorrow'), typed(setting, 'someday')]),
  'V-709': several((setting) => [identityOf(setting, { destTn: STRANGER }), forged(setting)]),
  'V-801': issued(-600),
  'V-802': issued(31_536_000),
  'V-810': token(() => ({ origTn: STRANGER })),
  'V-811': token(() => ({ destTn: STRANGER })),
  'V-814': revoked,
  'V-823': issued(-600),
  'V-831': several((setting) => [forged(setting), identityOf(setting)]),
  'V-832': several((setting) => [forged(setting), stale(setting)]),
  'V-833': several((setting) => [unreachable(setting), identityOf(setting)]),
  'V-834': several((setting) => [identityOf(setting)]),
};

/** The token of an Identity header value, and what stands for it in a compact `ppi`. */
const namesOf = (identity: string | undefined): readonly string[] => {
  const [value = ''] = (identity ?? '').split(';', 1);
  return [value, `..${value.slice(value.lastIndexOf('.') + 1)}`];
};

/** The Reason header fields that must be sent when the call goes on and the caller's side learns what was wrong. */
export const REASONED: Readonly<Record<string, Pick<VerificationCase, 'expects' | 'showsReason'>>> = {
  'V-831': { expects: ({ identity: [first] }) => ({ outcome: 'passed', reasonCauses: [438], ppiOf: namesOf(first) }) },
  'V-832': { expects: { outcome: 'refused', reasonCauses: [438, 403] } },
  'V-833': { expects: ({ identity: [first] }) => ({ outcome: 'passed', reasonCauses: [436], ppiOf: namesOf(first) }) },
  'V-834': {
    showsReason: several((setting) => [forged(setting), identityOf(setting)]),
    expects: { outcome: 'passed', reasonCauses: [] },
  },
};
