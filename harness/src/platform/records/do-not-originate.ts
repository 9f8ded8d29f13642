import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import type { DoNotOriginateEntry } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import type { Operations, OperationCall, PlatformContext, PlatformTransaction } from '../core/index.js';
import { readPage, shownRows } from '../domain/wire/routes.js';
import type { DoNotOriginateImport } from './records-bodies.js';
import type { RecordsTables } from './records-tables.js';
import { openJson, sealJson } from '../database/index.js';

const belongsTo = (entryId: string): string => `do-not-originate:${entryId}`;

type Parts = { readonly context: PlatformContext; readonly transaction: PlatformTransaction };

/** Operations of the list of numbers from which no call can rightly come. The numbers are sealed as all others are. */
export function createDoNotOriginateOperations(context: PlatformContext): Operations {
  return {
    listDoNotOriginate: (call) => listEntries(context, call),
    importDoNotOriginate: (call) => importEntries(context, call),
    withdrawDoNotOriginate: (call) => withdrawEntry(context, call),
  };
}

/** Entries are in the order of their last change, then of their ids. */
async function listEntries(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const page = readPage(call, ['number', 'string']);
  if ('kind' in page) return page;
  const { limit, after: [updatedAtMs, entryId] = [-1, ''] } = page;
  const { organizationId, clientId } = call.caller;
  const { changedSince } = call.request.parameters;
  const sinceMs = changedSince === undefined ? 0 : Date.parse(changedSince);
  return context.transact(async (transaction) => {
    const rows = await transaction
      .withTables<RecordsTables>()
      .selectFrom('records_do_not_originate')
      .selectAll()
      .where('updated_at_ms', '>=', Math.max(sinceMs, updatedAtMs))
      .where((expression) =>
        expression.or([expression('updated_at_ms', '>', updatedAtMs), expression('entry_id', '>', entryId)]),
      )
      .orderBy('updated_at_ms')
      .orderBy('entry_id')
      .limit(limit + 1)
      .execute();
    const { shown, next } = shownRows(rows, limit, (row) => [row.updated_at_ms, row.entry_id]);
    const opened = await openJson(context, transaction, {
      pieces: shown.map(({ sealed }) => sealed),
      reason: { organizationId, actor: clientId, object: 'do-not-originate:list' },
    });
    const items = (opened as readonly (DoNotOriginateEntry | undefined)[]).filter((entry) => entry !== undefined);
    return jsonAnswer({ items, ...next });
  });
}

async function importEntries(
  context: PlatformContext,
  { caller, request, atMs }: OperationCall,
): Promise<PlatformAnswer> {
  const { entries } = request.body as DoNotOriginateImport;
  return context.transact(async (transaction) => {
    let changed = 0;
    for (const given of entries) {
      const isChanged = await writeEntry({ context, transaction }, given, atMs);
      if (isChanged) changed += 1;
    }
    await context.audit(transaction, {
      action: 'do-not-originate.imported',
      organizationId: caller.organizationId,
      actor: caller.clientId,
      object: 'do-not-originate:list',
      details: { entries: entries.length, changed },
    });
    return jsonAnswer({ changed, unchanged: entries.length - changed });
  });
}

async function withdrawEntry(
  context: PlatformContext,
  { caller, request, atMs }: OperationCall,
): Promise<PlatformAnswer> {
  const entryId = request.parameters['entryId'] ?? '';
  return context.transact(async (transaction) => {
    const row = await transaction
      .withTables<RecordsTables>()
      .selectFrom('records_do_not_originate')
      .select('sealed')
      .where('entry_id', '=', entryId)
      .executeTakeFirst();
    if (row === undefined) return problemAnswer('not-found');
    const reason = { organizationId: caller.organizationId, actor: caller.clientId, object: belongsTo(entryId) };
    const [opened] = await openJson(context, transaction, { pieces: [row.sealed], reason });
    if (opened === undefined) return problemAnswer('not-found');
    const entry = opened as DoNotOriginateEntry;
    const hasEnded = entry.validTo !== undefined && Date.parse(entry.validTo) <= atMs;
    if (hasEnded) return jsonAnswer(entry);
    const ended = { ...entry, validTo: new Date(atMs).toISOString(), updatedAt: new Date(atMs).toISOString() };
    await writeEntry({ context, transaction }, ended, atMs);
    await context.audit(transaction, { ...reason, action: 'do-not-originate.withdrawn' });
    return jsonAnswer(ended);
  });
}

/** @returns whether it is new, or other than before */
async function writeEntry(
  { context, transaction }: Parts,
  entry: Omit<DoNotOriginateEntry, 'updatedAt'>,
  atMs: number,
): Promise<boolean> {
  const { sealed } = context;
  const { entryId, numbers, reason, subscriber, validFrom, validTo } = entry;
  const content = {
    entryId,
    numbers,
    reason,
    ...(subscriber !== undefined && { subscriber }),
    validFrom,
    ...(validTo !== undefined && { validTo }),
  };
  const contentKey = sealed.pseudonym(JSON.stringify(content));
  const tables = transaction.withTables<RecordsTables>();
  const known = await tables
    .selectFrom('records_do_not_originate')
    .select('content_key')
    .where('entry_id', '=', entryId)
    .executeTakeFirst();
  if (known?.content_key === contentKey) return false;
  if (known !== undefined) await sealed.forget(transaction, belongsTo(entryId));
  const value = { ...content, updatedAt: new Date(atMs).toISOString() };
  const references = JSON.stringify(await sealJson(context, transaction, { value, belongsTo: belongsTo(entryId) }));
  const row = { entry_id: entryId, updated_at_ms: atMs, content_key: contentKey, sealed: references };
  await tables
    .insertInto('records_do_not_originate')
    .values(row)
    .onConflict((conflict) => conflict.column('entry_id').doUpdateSet(row))
    .execute();
  return true;
}
