import { randomUUID } from 'node:crypto';
import { identityOf, withIdentity } from './leg-text.js';
import type { NodeBehaviour } from './node-behaviour.js';

/** Full attestation, and an origid that was never given out, under the signature of somebody who said neither. */
export const altersIdentity: NodeBehaviour<'alters-identity'> = {
  sends: (leg) => withIdentity(leg, identityOf(leg).map(altered)),
};

/** An Identity header value with another payload; one that is no shaken PASSporT as it is. RFC 8224 section 4, RFC 8588 section 4 */
function altered(value: string): string {
  const [, header, payload, rest] = /^\s*([\w-]+)\.([\w-]+)(\.[\w-]+\s*;.*)$/s.exec(value) ?? [];
  if (header === undefined || payload === undefined || rest === undefined) return value;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>>;
  if (claims['attest'] === undefined) return value;
  const text = JSON.stringify({ ...claims, attest: 'A', origid: randomUUID() });
  return `${header}.${Buffer.from(text).toString('base64url')}${rest}`;
}
