import type { Capability, SentCall, SigningAsk } from '../case.js';
import type { Observed } from '../observed.js';
import { post } from './http-exchange.js';
import {
  atisVerification,
  readSigningAnswer,
  readVerificationAnswer,
  signingBody,
  threeGppVerification,
} from './rest-answers.js';
import { DEFAULT_TIMEOUT_MS } from './target.js';
import type { ConformanceTarget, ConformanceTargetOptions } from './target.js';

const ATIS: readonly Capability[] = [
  ...(['verify', 'parties', 'date', 'codes', 'verstat'] as const),
  ...(['sign', 'sign-attestation', 'sign-origid', 'sign-iat', 'sign-several', 'sign-spelling'] as const),
  'sign-incomplete',
];
const THREE_GPP: readonly Capability[] = [...ATIS, 'several-headers', 'target', 'sign-div'];

/** A service that speaks ATIS-1000082. */
export const atisTarget = (options: ConformanceTargetOptions): ConformanceTarget =>
  restTarget(options, { capabilities: ATIS, verification: atisVerification });

/** A service that speaks Ms of TS 24.229. */
export const threeGppTarget = (options: ConformanceTargetOptions): ConformanceTarget =>
  restTarget(options, { capabilities: THREE_GPP, verification: threeGppVerification });

function restTarget(
  { kind, url, signingUrl = url, token, timeoutMs = DEFAULT_TIMEOUT_MS, lacks = [] }: ConformanceTargetOptions,
  dialect: { readonly capabilities: readonly Capability[]; readonly verification: (call: SentCall) => unknown },
): ConformanceTarget {
  const ask = (to: string, body: unknown): ReturnType<typeof post> =>
    post({
      ...{ url: to, contentType: 'application/json', accept: 'application/json', timeoutMs },
      body: JSON.stringify(body),
      ...(token !== undefined && { token }),
    });
  const close = (): Promise<void> => Promise.resolve();
  return {
    ...{ kind, url, close, [Symbol.asyncDispose]: close },
    capabilities: new Set(dialect.capabilities.filter((one) => !lacks.includes(one))),
    verify: async (call): Promise<Observed> =>
      readVerificationAnswer(await ask(`${baseOf(url)}/verification`, dialect.verification(call))),
    sign: async (request: SigningAsk): Promise<Observed> =>
      readSigningAnswer(await ask(`${baseOf(signingUrl)}/signing`, signingBody(request))),
  };
}

/** Where ATIS-1000082 has its two resources, unless the URL has a path of its own. */
const baseOf = (url: string): string => {
  const { origin, pathname } = new URL(url);
  return pathname === '/' ? `${origin}/stir/v1` : `${origin}${pathname.replace(/\/$/, '')}`;
};
