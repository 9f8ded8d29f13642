import type { Capability } from '../case.js';
import type { Observed } from '../observed.js';
import type { HttpAnswer, HttpSilence } from './http-exchange.js';
import { post } from './http-exchange.js';
import { DEFAULT_TIMEOUT_MS } from './target.js';
import type { ConformanceTarget, ConformanceTargetOptions } from './target.js';

/** An Identity goes in and OK comes out: nothing is known of the call, and nothing said of the reasons. */
const CAPABILITIES: readonly Capability[] = ['verify', 'sign', 'sign-attestation', 'sign-origid', 'sign-spelling'];

/** A service that speaks as the HTTP server of secsipidx: `/v1/check`, `/v1/sign-csv`. */
export function secsipidxTarget(options: ConformanceTargetOptions): ConformanceTarget {
  const { kind, url, signingUrl = url, token, timeoutMs = DEFAULT_TIMEOUT_MS, lacks = [] } = options;
  const ask = (to: string, body: string): ReturnType<typeof post> =>
    post({
      ...{ url: to, contentType: 'text/plain', accept: '*/*', body, timeoutMs },
      ...(token !== undefined && { token }),
    });
  const close = (): Promise<void> => Promise.resolve();
  return {
    ...{ kind, url, close, [Symbol.asyncDispose]: close },
    capabilities: new Set(CAPABILITIES.filter((one) => !lacks.includes(one))),
    verify: async ({ identity }) => readCheck(await ask(new URL('/v1/check', url).href, identity[0] ?? '')),
    sign: async ({ origTn = '', destTn, attestation = '', origId = '', x5u = '' }) =>
      readSigned(
        await ask(new URL('/v1/sign-csv', signingUrl).href, [origTn, destTn[0], attestation, origId, x5u].join(',')),
      ),
  };
}

function readCheck(answer: HttpAnswer | HttpSilence): Observed {
  if (answer.kind === 'no-answer') return answer;
  const said = `HTTP ${String(answer.status)} ${answer.text.trim().slice(0, 40)}`;
  const isPassed = answer.status === 200 && answer.text.startsWith('OK');
  const isRefused = answer.status >= 400 && answer.text.startsWith('FAILED');
  if (!isPassed && !isRefused) return { kind: 'not-understood', said };
  return { kind: 'verified', isPassed, codes: [], reasons: [], said };
}

function readSigned(answer: HttpAnswer | HttpSilence): Observed {
  if (answer.kind === 'no-answer') return answer;
  const identity = answer.text.trim();
  // Nothing but an Identity header value is an Identity header value.
  if (answer.status === 200 && identity.includes(';info='))
    return { kind: 'signed', identity: [identity], said: 'signed' };
  return { kind: 'not-signed', status: answer.status, said: `HTTP ${String(answer.status)} ${identity.slice(0, 60)}` };
}
