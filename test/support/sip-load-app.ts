import type { AppRequest, AppResponse, AppSrf } from './drachtio-app.js';
import { OUR_TAG, staysHere } from './sip-load-mutants.js';

/** Everything that an application can ask for. */
const METHODS: readonly string[] = [
  ...['invite', 'options', 'register', 'message', 'subscribe', 'publish', 'bye', 'notify', 'refer', 'info', 'update'],
  'prack',
];
/** One INVITE of so many rings and is never answered, so that CANCEL and BYE find one that can be ended. */
const RINGING_PARTS = 4;

/**
 * Lets an application answer whatever mutants reach it: calls are accepted, ring or are refused by turns, all else gets 200.
 * @returns how many requests the application has seen
 */
export function answerMutants(srf: AppSrf): () => number {
  let seen = 0;
  const answer = (req: AppRequest, res: AppResponse): void => {
    seen += 1;
    const headers = { To: `${(req.get('To') ?? '').replace(/;tag=.*/, '')};tag=${OUR_TAG}` };
    if (req.method !== 'INVITE') res.send(200, { headers });
    else if (seen % RINGING_PARTS === 0) res.send(180, { headers });
    else if (staysHere(req.get('Record-Route'))) res.send(200, { headers });
    else res.send(486, { headers });
  };
  for (const method of METHODS) srf.use(method, answer);
  return () => seen;
}
