import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import type { Caller, OperationCall, Operations, PlatformContext, PlatformTransaction } from '../core/index.js';
import { readPage, shownRows } from '../domain/wire/routes.js';
import type { Organization, OrganizationChange, OrganizationRegistration } from './trust-bodies.js';
import type { TrustTables } from './trust-tables.js';
import { hasOperator, organizationOf, organizationRow } from './trust-tables.js';
import type { ProblemDetails } from '@hopback/sdk/platform';

type ProblemLocation = NonNullable<ProblemDetails['errors']>[number];

/** Undoes a transaction and answers. */
export class Undone extends Error {
  readonly answer: PlatformAnswer;
  constructor(answer: PlatformAnswer) {
    super('undone');
    this.answer = answer;
  }
}

/** Runs a transaction that can be undone with an answer. */
export async function transactOrAnswer(
  { transact }: PlatformContext,
  work: (transaction: PlatformTransaction) => Promise<PlatformAnswer>,
): Promise<PlatformAnswer> {
  try {
    return await transact(work);
  } catch (error) {
    if (error instanceof Undone) return error.answer;
    throw error;
  }
}

/** The platform is never left without somebody who can let others in. */
export async function keepOperator(transaction: PlatformTransaction): Promise<void> {
  if (!(await hasOperator(transaction)))
    throw new Undone(problemAnswer('conflict', { detail: 'Nobody would be left with the role operator.' }));
}

/** Who did what, for the audit. */
export const doneBy = ({ organizationId, clientId }: Caller): { organizationId: string; actor: string } => ({
  organizationId,
  actor: clientId,
});

const wrong = (...errors: readonly ProblemLocation[]): PlatformAnswer => problemAnswer('invalid-body', { errors });

/** Operations of organizations. */
export function organizationOperations(context: PlatformContext): Operations {
  return {
    registerOrganization: (call) => register(context, call),
    listOrganizations: (call) => list(context, call),
    fetchOrganization: async ({ request }) => {
      const row = await organizationRow(context.database, request.parameters['organizationId'] ?? '');
      return row === undefined ? problemAnswer('not-found') : jsonAnswer(organizationOf(row));
    },
    updateOrganization: (call) => change(context, call, call.request.body as OrganizationChange),
    revokeOrganization: async (call) => {
      const answer = await change(context, call, { state: 'revoked' });
      return answer.kind === 'json' ? { kind: 'nothing' } : answer;
    },
  };
}

/** An agency without a jurisdiction has no cases, and without an address no letters. */
function faultsOf({
  kind,
  jurisdiction,
  contactEmail,
}: Pick<Organization, 'kind' | 'jurisdiction' | 'contactEmail'>): readonly ProblemLocation[] {
  if (kind !== 'agency') return jurisdiction === undefined ? [] : [{ pointer: '/jurisdiction', code: 'agencies-only' }];
  return [
    ...(jurisdiction === undefined ? [{ pointer: '/jurisdiction', code: 'missing' }] : []),
    ...(contactEmail === undefined ? [{ pointer: '/contactEmail', code: 'missing' }] : []),
  ];
}

async function register(context: PlatformContext, { request, caller, atMs }: OperationCall): Promise<PlatformAnswer> {
  const stated = request.body as OrganizationRegistration;
  const faults = faultsOf(stated);
  if (faults.length > 0) return wrong(...faults);
  return context.transact(async (transaction) => {
    const before = await organizationRow(transaction, stated.organizationId);
    if (before !== undefined) {
      const there = organizationOf(before);
      return isSame(there, stated) ? jsonAnswer(there) : problemAnswer('conflict');
    }
    const row = await insertOrganization(transaction, stated, atMs);
    await context.audit(transaction, {
      ...doneBy(caller),
      action: 'organization.registered',
      object: `organization:${stated.organizationId}`,
      details: { kind: stated.kind },
    });
    return jsonAnswer(row);
  });
}

/** Stores an organization that is not there yet. */
export async function insertOrganization(
  transaction: PlatformTransaction,
  stated: OrganizationRegistration,
  atMs: number,
): Promise<Organization> {
  const row = {
    organization_id: stated.organizationId,
    kind: stated.kind,
    name: stated.name,
    jurisdiction: stated.jurisdiction ?? null,
    contact_email: stated.contactEmail ?? null,
    state: 'active',
    created_at_ms: atMs,
  } as const;
  await transaction.withTables<TrustTables>().insertInto('trust_organizations').values(row).execute();
  return organizationOf(row);
}

const isSame = (there: Organization, stated: OrganizationRegistration): boolean =>
  there.kind === stated.kind &&
  there.name === stated.name &&
  there.jurisdiction === stated.jurisdiction &&
  there.contactEmail === stated.contactEmail;

async function list({ database }: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const page = readPage(call, ['string']);
  if ('kind' in page) return page;
  const { after, limit } = page;
  const { kind } = call.request.parameters;
  let chosen = database
    .withTables<TrustTables>()
    .selectFrom('trust_organizations')
    .selectAll()
    .orderBy('organization_id')
    .limit(limit + 1);
  if (kind !== undefined) chosen = chosen.where('kind', '=', kind as Organization['kind']);
  if (after !== undefined) chosen = chosen.where('organization_id', '>', after[0]);
  const { shown, next } = shownRows(await chosen.execute(), limit, (row) => [row.organization_id]);
  return jsonAnswer({ items: shown.map(organizationOf), ...next });
}

async function change(
  context: PlatformContext,
  { request, caller }: OperationCall,
  stated: OrganizationChange,
): Promise<PlatformAnswer> {
  const organizationId = request.parameters['organizationId'] ?? '';
  return transactOrAnswer(context, async (transaction) => {
    const before = await organizationRow(transaction, organizationId);
    if (before === undefined) return problemAnswer('not-found');
    const row = {
      ...before,
      name: stated.name ?? before.name,
      jurisdiction: stated.jurisdiction ?? before.jurisdiction,
      contact_email: stated.contactEmail ?? before.contact_email,
      state: stated.state ?? before.state,
    };
    const faults = faultsOf(organizationOf(row));
    if (faults.length > 0) return wrong(...faults);
    const tables = transaction.withTables<TrustTables>();
    await tables
      .updateTable('trust_organizations')
      .set({ name: row.name, jurisdiction: row.jurisdiction, contact_email: row.contact_email, state: row.state })
      .where('organization_id', '=', organizationId)
      .execute();
    if (row.state === 'revoked') await endTokens(transaction, organizationId);
    await keepOperator(transaction);
    await context.audit(transaction, {
      ...doneBy(caller),
      action: row.state === before.state ? 'organization.changed' : `organization.${row.state}`,
      object: `organization:${organizationId}`,
      details: { changed: Object.keys(stated) },
    });
    return jsonAnswer(organizationOf(row));
  });
}

/** So that letting it in again lets in nobody with a token of before. */
async function endTokens(transaction: PlatformTransaction, organizationId: string): Promise<void> {
  await transaction
    .withTables<TrustTables>()
    .deleteFrom('trust_tokens')
    .where('client_id', 'in', (query) =>
      query.selectFrom('trust_clients').select('client_id').where('organization_id', '=', organizationId),
    )
    .execute();
}
