import type { SentCall, SigningAsk } from '../case.js';
import { readVerstat } from '../observed.js';
import type { Observed } from '../observed.js';
import type { HttpAnswer, HttpSilence } from './http-exchange.js';

type Members = Readonly<Record<string, unknown>>;

/** The body of a request to verify in the dialect of ATIS-1000082. */
export const atisVerification = ({ identity, origTn, destTn, dateSeconds }: SentCall): unknown => ({
  verificationRequest: { from: { tn: origTn }, to: { tn: [destTn] }, time: dateSeconds, identity: identity[0] },
});

/** The same in that of Ms. @see 3GPP TS 24.229 annex V.2.6 */
export const threeGppVerification = ({ identity, origTn, destTn, targetTn, dateSeconds }: SentCall): unknown => ({
  verificationRequest: {
    ...{ identityHeaders: identity, from: { tn: origTn }, to: { tn: destTn }, time: dateSeconds },
    dest: { tn: targetTn ?? destTn },
  },
});

/** The body of a request to sign; both dialects have the same members but for div. */
export const signingBody = ({ origTn, destTn, attestation, origId, iatSeconds, div }: SigningAsk): unknown => ({
  signingRequest: {
    ...(div === undefined && attestation !== undefined && { attest: attestation }),
    dest: { tn: destTn },
    ...(iatSeconds !== undefined && { iat: iatSeconds }),
    ...(origTn !== undefined && { orig: { tn: origTn } }),
    ...(div === undefined && origId !== undefined && { origid: origId }),
    ...(div !== undefined && { div: { tn: div.divertingTn }, identityHeaders: div.identity }),
  },
});

/** Reads an answer of either dialect to a request to verify. Never throws for what a service sends. */
export function readVerificationAnswer(answer: HttpAnswer | HttpSilence): Observed {
  if (answer.kind === 'no-answer') return answer;
  const body = objectOf(answer.text);
  const refusal = refusalOf(answer, body);
  if (refusal !== undefined)
    return refusal.isService
      ? { kind: 'verified', isPassed: false, codes: [], reasons: [], said: refusal.said }
      : { kind: 'not-understood', said: refusal.said };
  const response = membersOf(body?.['verificationResponse']);
  if (response === undefined) return { kind: 'not-understood', said: `no verificationResponse: ${short(answer.text)}` };
  const read = readVerstat(response['verstat'] ?? response['verstatValue']);
  if (read === undefined) return { kind: 'not-understood', said: `no verstat: ${short(answer.text)}` };
  const codes = [response, ...resultsOf(response)].flatMap((members) => codeOf(members));
  const attestation = read.attestation ?? attestationOf(response);
  return {
    kind: 'verified',
    isPassed: read.verstat === 'TN-Validation-Passed',
    verstat: read.verstat,
    codes,
    reasons: [],
    ...(attestation !== undefined && { attestation }),
    said: [read.verstat, ...codes].join(' '),
  };
}

/** Reads an answer of either dialect to a request to sign. Never throws for what a service sends. */
export function readSigningAnswer(answer: HttpAnswer | HttpSilence): Observed {
  if (answer.kind === 'no-answer') return answer;
  const body = objectOf(answer.text);
  const refusal = refusalOf(answer, body);
  if (refusal !== undefined)
    return refusal.isService
      ? { kind: 'not-signed', status: answer.status, said: refusal.said }
      : { kind: 'not-understood', said: refusal.said };
  const response = membersOf(body?.['signingResponse']);
  if (response === undefined) return { kind: 'not-understood', said: `no signingResponse: ${short(answer.text)}` };
  const identity = response['identity'] ?? response['identityHeader'];
  if (typeof identity !== 'string' || identity === '')
    return { kind: 'not-signed', status: answer.status, said: 'an answer without an Identity' };
  return { kind: 'signed', identity: [identity], said: 'signed' };
}

/** An exception of the API (the service decided so), or a failure of the service. */
function refusalOf(
  { status, text }: HttpAnswer,
  body: Members | undefined,
): { readonly isService: boolean; readonly said: string } | undefined {
  if (status >= 200 && status < 300) return undefined;
  const error = membersOf(body?.['requestError']);
  const exception = membersOf(error?.['serviceException']) ?? membersOf(error?.['policyException']);
  const messageId = exception?.['messageId'];
  const said = `HTTP ${String(status)} ${typeof messageId === 'string' ? messageId : short(text)}`.trim();
  return { isService: status >= 400 && status < 500, said };
}

function resultsOf(response: Members): readonly Members[] {
  const results = response['verifyResults'];
  if (!Array.isArray(results)) return [];
  return results.flatMap((one: unknown) => {
    const members = membersOf(one);
    const inner = membersOf(members?.['verifyResult']) ?? members;
    return inner === undefined ? [] : [inner];
  });
}

/** Vendors differ in case, and some write digits as text. */
function codeOf(members: Members): readonly number[] {
  const code = Number(members['reasoncode'] ?? members['reasonCode']);
  return Number.isInteger(code) && code > 0 ? [code] : [];
}

function attestationOf(response: Members): string | undefined {
  const told = response['attest'] ?? resultsOf(response).map((one) => membersOf(one['validClaims'])?.['attest'])[0];
  return typeof told === 'string' ? told : undefined;
}

const membersOf = (value: unknown): Members | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;

function objectOf(text: string): Members | undefined {
  try {
    return membersOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Most characters of an answer in a report. */
const SHORT_CHARS = 120;
const short = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, SHORT_CHARS);
