import type { Traceback, TracebackOpening } from '../../sdk/src/platform/index.js';
import { ROLES, type AccessMembers } from './itg-access-matrix.js';
import { startReferenceLab, type ReferenceLabOptions, type TestCarrier } from './itg-reference.js';
import type { TestMember } from './itg-platform.js';

let made = 0;

/** A word that nobody has used yet. */
export const freshName = (word: string): string => `${word}-${(made += 1)}`;

/**
 * Opens a reference platform with the members of the matrix, and those whom theirs is about. Receivers of webhooks have no address: endpoints are
 * registered, and nothing is posted to them.
 */
export async function openAccessWorld(options: ReferenceLabOptions = {}) {
  const lab = await startReferenceLab({ webhooks: { resolve: async () => [] }, ...options });
  /** Carriers by id, those of the matrix among them. */
  const carriers = new Map<string, TestCarrier>();
  const joinCarrier = async (organizationId: string): Promise<TestCarrier> => {
    const carrier = await lab.joinCarrier(organizationId);
    carriers.set(organizationId, carrier);
    return carrier;
  };
  const both = async (whose: string) => ({
    carrier: await joinCarrier(`carrier-${whose}`),
    app: await lab.join('app', `app-${whose}`),
    agency: await lab.join('agency', `agency-${whose}`),
    staff: whose === 'own' ? lab.operator : await lab.join('staff', `staff-${whose}`, { roles: ROLES }),
  });
  const none = await lab.join('staff', 'staff-none');
  const staff = { none } as Record<keyof AccessMembers['staff'], TestMember>;
  for (const role of ROLES) staff[role] = await lab.join('staff', `staff-${role}`, { roles: [role] });
  const members: AccessMembers = { own: await both('own'), other: await both('other'), staff };
  /** A carrier and an agency that ask nothing. */
  const third = { carrier: await joinCarrier('carrier-third'), agency: await lab.join('agency', 'agency-third') };
  const tokens = new Map<string, Promise<string>>();
  /** A token of a member: the same each time. */
  const tokenOf = (member: TestMember): Promise<string> => {
    const token = tokens.get(member.clientId) ?? lab.token(member);
    tokens.set(member.clientId, token);
    return token;
  };
  /** Calls as somebody; what is answered has to be a success. */
  const as = async (member: TestMember, method: string, path: string, body?: unknown): Promise<unknown> => {
    const token = tokenOf(member);
    const sent = { key: freshName('world'), ...(body !== undefined && { body }) };
    const { status, value } = await lab.call(await token, method, path, sent);
    if (status >= 300) throw new Error(`${member.clientId}: ${method} ${path}: ${status} ${JSON.stringify(value)}`);
    return value;
  };
  return {
    ...{ lab, members, carriers, third, tokenOf, as },
    /** Opens a traceback as somebody, of a call that began at a carrier. */
    openTraceback: async (opener: TestMember, firstId: string): Promise<Traceback> =>
      (await as(opener, 'POST', '/v1/tracebacks', openingOf(opener, firstId))) as Traceback,
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

export type AccessWorld = Awaited<ReturnType<typeof openAccessWorld>>;

/** What the traceback that somebody opened is known by, and what one is known by of which the first provider is one of the matrix. */
export const openedCanary = ({ organizationId }: TestMember): string => `traceback of ${organizationId}.`;
export const askedCanary = (id: string): string => `traceback at ${id}.`;

/** A call of some hours ago, none like another: what is asked of the same call twice is answered once for both. */
export function openingOf(opener: TestMember, firstId: string): TracebackOpening {
  made += 1;
  const written = new Date(Date.now() - 3_600_000 - made * 60_000).toISOString().slice(0, 16);
  const at = { asWritten: `${written} UTC`, local: written, zone: 'UTC', precision: 'minute' } as const;
  return {
    ...{ direction: 'back', call: { called: '12025550143', calling: '13035550199', at } },
    campaign: {
      name: 'SSA-Suspended-P2',
      description: firstId === 'carrier-third' ? openedCanary(opener) : askedCanary(firstId),
    },
    firstProvider: { providerId: firstId, name: `${firstId} Telecom` },
  };
}
