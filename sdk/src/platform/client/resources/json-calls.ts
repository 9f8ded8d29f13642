import type { WireSchema } from '../../wire/wire-schemas.js';
import type { PlatformCall } from '../platform-call.js';
import { ACCEPT_JSON, jsonBody, receivingJson } from '../read-json.js';

/** Where a call goes, beside its route. */
type Place = Pick<PlatformCall<unknown>, 'path' | 'query'>;

/** A call that fetches one thing. */
export function fetching<Value>(route: string, schema: WireSchema<Value>, place: Place = {}): PlatformCall<Value> {
  return { method: 'GET', route, ...place, accept: ACCEPT_JSON, receive: receivingJson(schema) };
}

/** A call that posts JSON, and is answered with what has become of it. */
export function posting<Value>(
  route: string,
  schema: WireSchema<Value>,
  { body, ...place }: Place & { readonly body?: unknown },
): PlatformCall<Value> {
  return {
    method: 'POST',
    route,
    ...place,
    ...(body === undefined ? {} : { body: jsonBody(body) }),
    accept: ACCEPT_JSON,
    receive: receivingJson(schema),
  };
}
