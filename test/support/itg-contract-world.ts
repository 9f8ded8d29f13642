import { expect } from 'vitest';
import { createRouteMatcher, PLATFORM_ROUTES } from '../../sdk/src/platform/index.js';
import type { PlatformClient, PlatformFetch } from '../../sdk/src/platform/index.js';
import { isHopbackError } from '../../sdk/src/errors.js';
import type { TestServer } from './itg-database.js';
import type { TestMember } from './itg-platform.js';
import { startReferenceLab } from './itg-reference.js';
import type { ReferenceLab, TestCarrier } from './itg-reference.js';

/** A reference platform with members of all kinds, and a note of which operations of its contract were carried out for clients of the sdk. */
export interface ContractWorld extends AsyncDisposable {
  readonly lab: ReferenceLab;
  /** It serves the subscribers who are called; `birch` and `cedar` are upstream of one another. */
  readonly alder: TestCarrier;
  readonly birch: TestCarrier;
  readonly cedar: TestCarrier;
  readonly app: TestMember;
  readonly texas: TestMember;
  readonly ohio: TestMember;
  /** Staff with this role alone, and staff without one. */
  readonly reviewer: TestMember;
  readonly clerk: TestMember;
  /** The client of a member: the same each time. */
  readonly as: (member: TestMember) => Promise<PlatformClient>;
  /** Calls, and puts down what was carried out. */
  readonly fetch: PlatformFetch;
  /** How often each operation was carried out, by `operationId`. */
  readonly carriedOut: ReadonlyMap<string, number>;
}

/** Opens it on a server of PostgreSQL, or on PGlite in memory. */
export async function openContractWorld(server?: TestServer): Promise<ContractWorld> {
  // Receivers have no address: endpoints are registered, and nothing is posted to them.
  const lab = await startReferenceLab({
    webhooks: { resolve: async () => [] },
    ...(server !== undefined && { server }),
  });
  const carriedOut = new Map<string, number>();
  const fetch = countingFetch(carriedOut);
  const clients = new Map<string, Promise<PlatformClient>>();
  const [alder, birch, cedar] = [
    await lab.joinCarrier('alder', { businessName: 'Alder Telephone', spcs: ['101A'] }),
    await lab.joinCarrier('birch', { businessName: 'Birch Wholesale' }),
    await lab.joinCarrier('cedar', { businessName: 'Cedar Gateway', isGatewayProvider: true }),
  ];
  return {
    ...{ lab, alder, birch, cedar, fetch, carriedOut },
    app: await lab.join('app', 'guard', { name: 'Call guard' }),
    texas: await lab.join('agency', 'texas', { name: 'Attorney General of Texas' }),
    ohio: await lab.join('agency', 'ohio', { name: 'Attorney General of Ohio', jurisdiction: 'US-OH' }),
    reviewer: await lab.join('staff', 'reviewers', { name: 'Reviewers', roles: ['reviewer'] }),
    clerk: await lab.join('staff', 'clerks', { name: 'Clerks' }),
    as: (member) => {
      const made = clients.get(member.clientId) ?? lab.clientOf(member, fetch);
      clients.set(member.clientId, made);
      return made;
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

function countingFetch(carriedOut: Map<string, number>): PlatformFetch {
  const match = createRouteMatcher(PLATFORM_ROUTES);
  return async (url, request) => {
    const response = await fetch(url, request);
    const operationId = match(request.method, new URL(url).pathname)?.route.operationId;
    if (operationId !== undefined && response.ok) carriedOut.set(operationId, (carriedOut.get(operationId) ?? 0) + 1);
    return response;
  };
}

/** The code of the problem with which a call is refused. */
export async function refusal(call: Promise<unknown>): Promise<unknown> {
  const outcome: unknown = await call.then(
    () => 'carried out',
    (error: unknown) => error,
  );
  if (!isHopbackError(outcome)) throw new Error(`no refusal: ${String(outcome)}`);
  return outcome.details['problemCode'] ?? outcome.code;
}

/** A list gone through in pages of one size has every item once, in more than one page. */
export async function expectPaged<Item>(
  list: (page: { readonly cursor?: string; readonly limit: number }) => Promise<{
    readonly items: readonly Item[];
    readonly nextCursor?: string;
  }>,
  { limit, keyOf }: { readonly limit: number; readonly keyOf: (item: Item) => string },
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let pages = 0;
  for (let cursor: string | undefined, isMore = true; isMore;) {
    const page = await list({ limit, ...(cursor !== undefined && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    pages += 1;
    cursor = page.nextCursor;
    isMore = cursor !== undefined;
  }
  expect(pages).toBeGreaterThan(1);
  expect(new Set(items.map(keyOf)).size).toBe(items.length);
  return items;
}
