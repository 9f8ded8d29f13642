import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer, ProviderEntry } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type { OperationCall, Operations, PlatformContext, PlatformTransaction } from '../core/index.js';
import { isSameEntry, readCursor } from '../domain/providers/index.js';
import { importFilings } from './import-filings.js';
import { bodyOf, limitOf, pageOf, pathOf, timePlaceOf, wrongBody, wrongParameter } from './lists.js';
import type { Reinstatement, RegistryImport, RemovalOrder } from './provider-bodies.js';
import { listEntries, readProvider } from './provider-reader.js';
import type { ProviderTables } from './provider-tables.js';
import { lockRegistry, writeEntries } from './registry-writer.js';

/** Operations on the entries of the registry. */
export function createRegistryOperations(context: PlatformContext): Operations {
  return {
    listProviders: (call) => listProviders(context, call),
    fetchProvider: async (call) => {
      const kept = await readProvider(context.database, pathOf(call, 'providerId'));
      return kept === undefined ? problemAnswer('not-found') : jsonAnswer(kept.entry);
    },
    importRegistry: async (call) => {
      const { organizationId, clientId } = call.caller;
      const outcome = await importFilings(context, bodyOf(call) as RegistryImport, { organizationId, clientId });
      if (outcome.status === 'imported') return jsonAnswer(outcome.report);
      return wrongBody('/csv', outcome.column === undefined ? outcome.reason : `${outcome.reason}:${outcome.column}`);
    },
    listRegistryImports: (call) => listImports(context, call),
    listProviderVersions: (call) => listVersions(context, call),
    putProvider: (call) => {
      const entry = bodyOf(call) as ProviderEntry;
      if (entry.providerId !== pathOf(call, 'providerId')) return wrongBody('/providerId', 'other-than-path');
      return changeEntry(context, call, { action: 'provider.put', change: () => entry, mayBeNew: true });
    },
    removeProvider: (call) => {
      const removal = bodyOf(call) as RemovalOrder;
      return changeEntry(context, call, {
        action: 'provider.removed',
        change: (before) => ({ ...before, removal }),
        details: { removedOn: removal.removedOn },
      });
    },
    reinstateProvider: (call) =>
      changeEntry(context, call, {
        action: 'provider.reinstated',
        change: ({ removal: _removal, ...before }) => before,
        details: { reason: (bodyOf(call) as Reinstatement).reason },
      }),
  };
}

async function listProviders(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const { name, frn, ocn, spc, changedSince, cursor } = call.request.parameters;
  const place = cursor === undefined ? undefined : readCursor(cursor, ['string', 'string']);
  if (cursor !== undefined && place === undefined) return wrongParameter('cursor');
  const limit = limitOf(call);
  const rows = await listEntries(context.database, {
    limit,
    // A zero octet is none for PostgreSQL, and in no name.
    ...(name !== undefined && { name: name.replaceAll('\u0000', '') }),
    ...(frn !== undefined && { frn }),
    ...(ocn !== undefined && { ocn }),
    ...(spc !== undefined && { spc }),
    ...(changedSince !== undefined && { changedSinceMs: Date.parse(changedSince) }),
    ...(place !== undefined && { after: { sortName: String(place[0]), providerId: String(place[1]) } }),
  });
  return pageOf(rows, {
    limit,
    place: ({ sortName, entry }) => [sortName, entry.providerId],
    item: ({ entry }) => entry,
  });
}

async function listImports(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const place = timePlaceOf(call);
  if (place === 'invalid') return wrongParameter('cursor');
  const limit = limitOf(call);
  let rows = context.database
    .withTables<ProviderTables>()
    .selectFrom('providers_imports')
    .selectAll()
    .orderBy('at_ms', 'desc')
    .orderBy('import_id', 'desc')
    .limit(limit + 1);
  if (place !== undefined) rows = rows.where(sql<boolean>`(at_ms, import_id) < (${place.atMs}, ${place.id})`);
  return pageOf(await rows.execute(), {
    limit,
    place: (row) => [row.at_ms, row.import_id],
    item: (row) => ({
      importId: row.import_id,
      importedAt: new Date(row.at_ms).toISOString(),
      source: row.source,
      sha256: row.sha256,
      ...row.counts,
      rejects: row.rejected,
    }),
  });
}

async function listVersions(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const place = timePlaceOf(call);
  if (place === 'invalid') return wrongParameter('cursor');
  const limit = limitOf(call);
  const providerId = pathOf(call, 'providerId');
  let rows = context.database
    .withTables<ProviderTables>()
    .selectFrom('providers_history')
    .selectAll()
    .where('provider_id', '=', providerId)
    .orderBy('from_ms', 'desc')
    .orderBy('source', 'desc')
    .limit(limit + 1);
  if (place !== undefined) rows = rows.where(sql<boolean>`(from_ms, source) < (${place.atMs}, ${place.id})`);
  const found = await rows.execute();
  if (found.length === 0 && place === undefined) return problemAnswer('not-found');
  return pageOf(found, {
    limit,
    place: (row) => [row.from_ms, row.source],
    item: (row) => ({
      from: new Date(row.from_ms).toISOString(),
      ...(row.to_ms !== null && { to: new Date(row.to_ms).toISOString() }),
      source: row.source,
      entry: row.entry,
    }),
  });
}

/** A change of one entry by staff. */
export interface EntryChange {
  readonly action: string;
  readonly change: (before: ProviderEntry) => ProviderEntry;
  /** Whether there need not be one before: `change` is then given an entry that says nothing. */
  readonly mayBeNew?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

async function changeEntry(
  context: PlatformContext,
  call: OperationCall,
  change: EntryChange,
): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    await lockRegistry(transaction);
    const changed = await changedEntry(context, { transaction, call, change });
    return changed.status === 'refused' ? problemAnswer(changed.code) : jsonAnswer(changed.entry);
  });
}

/**
 * Changes an entry, with its history and its audit. A change that changes nothing leaves no trace.
 * @returns the entry as it is now, or why not: `conflict` where the number belongs to another provider
 */
export async function changedEntry(
  context: PlatformContext,
  { transaction, call, change }: { transaction: PlatformTransaction; call: OperationCall; change: EntryChange },
): Promise<{ status: 'changed'; entry: ProviderEntry } | { status: 'refused'; code: 'not-found' | 'conflict' }> {
  const providerId = pathOf(call, 'providerId');
  const before = (await readProvider(transaction, providerId))?.entry;
  if (before === undefined && change.mayBeNew !== true) return { status: 'refused', code: 'not-found' };
  const nowMs = context.clock.nowMs();
  const wanted = change.change(before ?? ({} as ProviderEntry));
  if (before !== undefined && isSameEntry(before, wanted)) return { status: 'changed', entry: before };
  if (await isNumberTaken(transaction, wanted)) return { status: 'refused', code: 'conflict' };
  const entry = { ...wanted, updatedAt: new Date(nowMs).toISOString() };
  const source = `staff:${call.caller.clientId}`;
  await writeEntries(transaction, [{ entry, isNew: before === undefined }], { nowMs, source });
  await context.audit(transaction, {
    action: change.action,
    organizationId: call.caller.organizationId,
    actor: call.caller.clientId,
    object: `provider:${providerId}`,
    ...(change.details !== undefined && { details: change.details }),
  });
  return { status: 'changed', entry };
}

async function isNumberTaken(transaction: PlatformTransaction, { providerId, frn }: ProviderEntry): Promise<boolean> {
  if (frn === undefined) return false;
  const owner = await transaction
    .withTables<ProviderTables>()
    .selectFrom('providers_entries')
    .select('provider_id')
    .where('frn', '=', frn)
    .executeTakeFirst();
  return owner !== undefined && owner.provider_id !== providerId;
}
