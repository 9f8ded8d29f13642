import { abortedAfter } from '@hopback/sdk/internal/runtime';
import { readVerstat } from '../case.js';
import type { Capability, Observed, SentCall, SigningAsk } from '../case.js';
import { DEFAULT_TIMEOUT_MS } from './target.js';
import type { ConformanceTarget, ConformanceTargetOptions } from './target.js';

/** An answer as it came. */
interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly text: string;
}

/** Nothing that could be read. */
interface HttpSilence {
  readonly kind: 'no-answer';
  readonly why: 'refused' | 'timeout' | 'cut';
  readonly said: string;
}

/** Answers have some kilobytes; whoever sends more is not listened to further. */
const MAX_ANSWER_BYTES = 262_144;

/** How a service is asked over HTTP, and what its answers mean. */
interface RestDialect {
  readonly capabilities: readonly Capability[];
  readonly contentType: string;
  readonly accept: string;
  readonly verificationUrl: (url: string) => string;
  readonly verification: (call: SentCall) => string;
  readonly readVerification: (answer: HttpAnswer | HttpSilence) => Observed;
  readonly signingUrl: (url: string) => string;
  readonly signing: (ask: SigningAsk) => string;
  readonly readSigning: (answer: HttpAnswer | HttpSilence) => Observed;
}

function restTarget(
  { kind, url, signingUrl = url, token, timeoutMs = DEFAULT_TIMEOUT_MS, lacks = [] }: ConformanceTargetOptions,
  dialect: RestDialect,
): ConformanceTarget {
  /** Posts a body. Never rejects. */
  const post = async (to: string, body: string): Promise<HttpAnswer | HttpSilence> => {
    try {
      const response = await fetch(to, {
        method: 'POST',
        headers: {
          'content-type': dialect.contentType,
          accept: dialect.accept,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body,
        redirect: 'manual',
        signal: abortedAfter(timeoutMs),
      });
      return { kind: 'answer', status: response.status, text: await bodyText(response) };
    } catch (error) {
      return silence(error, timeoutMs);
    }
  };
  const close = (): Promise<void> => Promise.resolve();
  return {
    kind,
    url,
    close,
    [Symbol.asyncDispose]: close,
    capabilities: new Set(dialect.capabilities.filter((one) => !lacks.includes(one))),
    verify: async (call) =>
      dialect.readVerification(await post(dialect.verificationUrl(url), dialect.verification(call))),
    sign: async (asked) => dialect.readSigning(await post(dialect.signingUrl(signingUrl), dialect.signing(asked))),
  };
}

async function bodyText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function silence(error: unknown, timeoutMs: number): HttpSilence {
  if (error instanceof Error && error.name === 'TimeoutError')
    return { kind: 'no-answer', why: 'timeout', said: `nothing within ${String(timeoutMs)} ms` };
  const code = codeOf(error);
  const why = code === 'ECONNREFUSED' ? 'refused' : 'cut';
  return { kind: 'no-answer', why, said: code ?? 'the connection broke' };
}

/** The code of node's error, which fetch keeps one below. */
function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

type Members = Readonly<Record<string, unknown>>;

/** The body of a request to verify in the dialect of ATIS-1000082. */
const atisVerification = ({ identity, origTn, destTn, dateSeconds }: SentCall): unknown => ({
  verificationRequest: { from: { tn: origTn }, to: { tn: [destTn] }, time: dateSeconds, identity: identity[0] },
});

/** The same in that of Ms. @see 3GPP TS 24.229 annex V.2.6 */
const threeGppVerification = ({ identity, origTn, destTn, targetTn, dateSeconds }: SentCall): unknown => ({
  verificationRequest: {
    identityHeaders: identity,
    from: { tn: origTn },
    to: { tn: destTn },
    time: dateSeconds,
    dest: { tn: targetTn ?? destTn },
  },
});

/** The body of a request to sign; both dialects have the same members but for div. */
const signingBody = ({ origTn, destTn, attestation, origId, iatSeconds, div }: SigningAsk): unknown => ({
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
      ? {
          kind: 'verified',
          isPassed: false,
          codes: [],
          reasons: [],
          said: refusal.said,
        }
      : { kind: 'not-understood', said: refusal.said };
  const response = membersOf(body?.['verificationResponse']);
  if (response === undefined) return { kind: 'not-understood', said: `no verificationResponse: ${short(answer.text)}` };
  const read = readVerstat(response['verstat'] ?? response['verstatValue']);
  if (read === undefined) return { kind: 'not-understood', said: `no verstat: ${short(answer.text)}` };
  const codes = [response, ...resultsOf(response)].flatMap((members) => reasonCodeOf(members));
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
function reasonCodeOf(members: Members): readonly number[] {
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

/** A service that speaks ATIS-1000082. */
export const atisTarget = (options: ConformanceTargetOptions): ConformanceTarget => restTarget(options, ATIS);

/** A service that speaks Ms of TS 24.229. */
export const threeGppTarget = (options: ConformanceTargetOptions): ConformanceTarget => restTarget(options, THREE_GPP);

/** A service that speaks as the HTTP server of secsipidx: `/v1/check`, `/v1/sign-csv`. */
export const secsipidxTarget = (options: ConformanceTargetOptions): ConformanceTarget => restTarget(options, SECSIPIDX);

/** Where ATIS-1000082 has its two resources, unless the URL has a path of its own. */
const baseOf = (url: string): string => {
  const { origin, pathname } = new URL(url);
  return pathname === '/' ? `${origin}/stir/v1` : `${origin}${pathname.replace(/\/$/, '')}`;
};

const ATIS: RestDialect = {
  capabilities: [
    ...(['verify', 'parties', 'date', 'codes', 'verstat'] as const),
    ...(['sign', 'sign-attestation', 'sign-origid', 'sign-iat', 'sign-several', 'sign-spelling'] as const),
    'sign-incomplete',
  ],
  contentType: 'application/json',
  accept: 'application/json',
  verificationUrl: (url) => `${baseOf(url)}/verification`,
  verification: (call) => JSON.stringify(atisVerification(call)),
  readVerification: readVerificationAnswer,
  signingUrl: (url) => `${baseOf(url)}/signing`,
  signing: (asked) => JSON.stringify(signingBody(asked)),
  readSigning: readSigningAnswer,
};

const THREE_GPP: RestDialect = {
  ...ATIS,
  capabilities: [...ATIS.capabilities, 'several-headers', 'target', 'sign-div'],
  verification: (call) => JSON.stringify(threeGppVerification(call)),
};

/** An Identity goes in and OK comes out: nothing is known of the call, and nothing said of the reasons. */
const SECSIPIDX: RestDialect = {
  capabilities: ['verify', 'sign', 'sign-attestation', 'sign-origid', 'sign-spelling'],
  contentType: 'text/plain',
  accept: '*/*',
  verificationUrl: (url) => new URL('/v1/check', url).href,
  verification: ({ identity }) => identity[0] ?? '',
  readVerification: readCheck,
  signingUrl: (url) => new URL('/v1/sign-csv', url).href,
  signing: ({ origTn = '', destTn, attestation = '', origId = '', x5u = '' }) =>
    [origTn, destTn[0], attestation, origId, x5u].join(','),
  readSigning: readSigned,
};

function readCheck(answer: HttpAnswer | HttpSilence): Observed {
  if (answer.kind === 'no-answer') return answer;
  const said = `HTTP ${String(answer.status)} ${answer.text.trim().slice(0, 40)}`;
  const isPassed = answer.status === 200 && answer.text.startsWith('OK');
  const isRefused = answer.status >= 400 && answer.text.startsWith('FAILED');
  if (!isPassed && !isRefused) return { kind: 'not-understood', said };
  return {
    kind: 'verified',
    isPassed,
    codes: [],
    reasons: [],
    said,
  };
}

function readSigned(answer: HttpAnswer | HttpSilence): Observed {
  if (answer.kind === 'no-answer') return answer;
  const identity = answer.text.trim();
  // Nothing but an Identity header value is an Identity header value.
  if (answer.status === 200 && identity.includes(';info='))
    return { kind: 'signed', identity: [identity], said: 'signed' };
  return { kind: 'not-signed', status: answer.status, said: `HTTP ${String(answer.status)} ${identity.slice(0, 60)}` };
}
