import type { SigningOutcome } from '@hopback/sdk/stir';
import type { Leg } from './node-behaviour.js';

const JOINT = '\r\nIdentity: ';

/** Identity header values of a leg. */
export function identityOf({ headers }: Leg): readonly string[] {
  const { identity } = headers;
  return identity === undefined ? [] : identity.split(JOINT);
}

/** A leg with other Identity header values; none: without the field. */
export function withIdentity(leg: Leg, values: readonly string[]): Leg {
  const { identity: _identity, ...headers } = leg.headers;
  return { ...leg, headers: values.length === 0 ? headers : { ...headers, identity: values.join(JOINT) } };
}

/** A leg that nobody but the one that signed it now speaks for; unsigned where that could not be made. */
export function signedAnew(leg: Leg, signing: SigningOutcome): Leg {
  const { date: _date, ...headers } = leg.headers;
  const date = signing.status === 'signed' && signing.date !== undefined ? { date: signing.date } : {};
  const bare = { ...leg, headers: { ...headers, ...date }, signing };
  return withIdentity(bare, signing.status === 'signed' ? signing.identityHeaders : []);
}

/** Digits of the number in a From or To. */
export function numberIn(field: string | undefined): string {
  return /<sips?:\+?([^@;>]*)/i.exec(field ?? '')?.[1] ?? '';
}

/** A From or To with another user part. */
export function withUser(field: string | undefined, user: string): string {
  return (field ?? '').replace(/(<sips?:)[^@;>]*/i, (_all, scheme: string) => scheme + user);
}

/** Caller and called number of a leg, digits, as they go out. */
export function partiesOf({ headers }: Leg): { readonly origTn: string; readonly destTn: string } {
  return { origTn: numberIn(headers['from']), destTn: numberIn(headers['to']) };
}
