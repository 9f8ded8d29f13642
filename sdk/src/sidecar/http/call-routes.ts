import { answerCheck, answerVerification } from './verification-routes.js';
import { answerInviteSign, answerInviteVerify } from './invite-routes.js';
import { answerSignCsv, answerSigning } from './signing-routes.js';
import type { Answer } from './answer.js';
import type { CallContext, CallRequest } from './call-context.js';

/** One route that answers while a call waits. */
export interface CallRoute {
  /** For metrics and logs. */
  readonly name: string;
  /** What a body has to be; `any`: as with secsipidx. */
  readonly takes: 'json' | 'sip' | 'any';
  /** Whether the answer is JSON whatever is asked for. */
  readonly givesJson: boolean;
  /** Whether its answers have header fields of fixed words alone, so that they may be written without being looked at. */
  readonly isPlain?: boolean;
  readonly answer: (request: CallRequest, context: CallContext) => Answer | Promise<Answer>;
}

const VERIFICATION: CallRoute = {
  ...{ name: 'verification', takes: 'json', givesJson: true, isPlain: true },
  answer: answerVerification,
};
const SIGNING: CallRoute = {
  ...{ name: 'signing', takes: 'json', givesJson: true, isPlain: true },
  answer: answerSigning,
};

/** Where the API of ATIS-1000082 and TS 24.229 is. */
const STIR_BASE = '/stir/v1';

/**
 * All routes of the call listener by path.
 * @param basePaths - further ones of the two STIR routes
 */
export function callRoutes(basePaths: readonly string[]): ReadonlyMap<string, CallRoute> {
  const bases = [STIR_BASE, ...basePaths.map((path) => path.replace(/\/$/, ''))];
  return new Map<string, CallRoute>([
    ...bases.flatMap((base): readonly [string, CallRoute][] => [
      [`${base}/verification`, VERIFICATION],
      [`${base}/signing`, SIGNING],
    ]),
    ['/v1/check', { name: 'check', takes: 'any', givesJson: false, isPlain: true, answer: answerCheck }],
    ['/v1/sign-csv', { name: 'sign-csv', takes: 'any', givesJson: false, isPlain: true, answer: answerSignCsv }],
    ['/v1/invite/verify', { name: 'invite-verify', takes: 'sip', givesJson: false, answer: answerInviteVerify }],
    ['/v1/invite/sign', { name: 'invite-sign', takes: 'sip', givesJson: false, answer: answerInviteSign }],
  ]);
}
