import { createHash } from 'node:crypto';
import type { ProviderEntry } from '@hopback/sdk/platform';
import type { PlatformContext, PlatformTransaction } from '../core/index.js';
import { entryAfterFiling, readFilings } from '../domain/providers/index.js';
import type { Filing, RejectedFiling } from '../domain/providers/index.js';
import { textWithoutNumbers } from '../domain/records/index.js';
import type { RegistryImport, RegistryImportReport } from './provider-bodies.js';
import type { ImportCounts, ProviderTables } from './provider-tables.js';
import { lockRegistry, slices, writeEntries } from './registry-writer.js';
import type { ChangedEntry } from './registry-writer.js';

/** Lines that a report names: who has more to mend has the wrong file. The count is of all. */
const MAX_NAMED_REJECTS = 1_000;
/** Numbers of one look-up. */
const NUMBERS_PER_STATEMENT = 5_000;

/** What came of an import. */
export type ImportOutcome =
  | { readonly status: 'imported'; readonly report: RegistryImportReport }
  | { readonly status: 'unreadable'; readonly reason: string; readonly column?: string };

/**
 * Takes a file of filings into the registry, whole or not at all. Done again it changes nothing. A provider that the file does not have
 * stays, and is counted.
 * @param order - the file, and where it is from
 * @param by - whose client brought it
 */
export async function importFilings(
  context: PlatformContext,
  order: RegistryImport,
  by: { readonly organizationId: string; readonly clientId: string },
): Promise<ImportOutcome> {
  const reading = readFilings(order.csv);
  if (reading.status === 'unreadable') return reading;
  const { filings, rejected } = reading;
  const sha256 = createHash('sha256').update(order.csv).digest('hex');
  const report = await context.transact(async (transaction) => {
    await lockRegistry(transaction);
    const importId = context.newId('imp');
    const nowMs = context.clock.nowMs();
    const before = await entriesByNumber(transaction, filings);
    const changed = changesOf(filings, before, new Date(nowMs).toISOString());
    await writeEntries(transaction, changed, { nowMs, source: `import:${importId}`, importId });
    await markSeen(transaction, { filings, before, importId });
    const counts: ImportCounts = {
      lines: filings.length + rejected.length,
      added: changed.filter(({ isNew }) => isNew).length,
      changed: changed.filter(({ isNew }) => !isNew).length,
      unchanged: filings.length - changed.length,
      rejected: rejected.length,
      missing: await missingIn(transaction, importId),
    };
    const named = rejected.slice(0, MAX_NAMED_REJECTS);
    await noteImport(transaction, { importId, nowMs, counts, rejected: named, sha256, order, by });
    await context.audit(transaction, {
      action: 'registry.imported',
      organizationId: by.organizationId,
      actor: by.clientId,
      object: `registry-import:${importId}`,
      details: { ...counts, sha256 },
    });
    return {
      importId,
      importedAt: new Date(nowMs).toISOString(),
      source: textWithoutNumbers(order.source),
      sha256,
      ...counts,
      rejects: named,
    };
  });
  return { status: 'imported', report };
}

async function entriesByNumber(
  transaction: PlatformTransaction,
  filings: readonly Filing[],
): Promise<ReadonlyMap<string, ProviderEntry>> {
  const found = new Map<string, ProviderEntry>();
  for (const some of slices(filings, NUMBERS_PER_STATEMENT)) {
    const rows = await transaction
      .withTables<ProviderTables>()
      .selectFrom('providers_entries')
      .select(['frn', 'entry'])
      .where(
        'frn',
        'in',
        some.map(({ frn }) => frn),
      )
      .execute();
    for (const { frn, entry } of rows) if (frn !== null) found.set(frn, entry);
  }
  return found;
}

function changesOf(
  filings: readonly Filing[],
  before: ReadonlyMap<string, ProviderEntry>,
  updatedAt: string,
): readonly ChangedEntry[] {
  return filings.flatMap((filing) => {
    const known = before.get(filing.frn);
    const entry = entryAfterFiling(filing, known, updatedAt);
    return entry === known ? [] : [{ entry, isNew: known === undefined }];
  });
}

/** Of providers that did not change too: those which no import sees any longer are missing. */
async function markSeen(
  transaction: PlatformTransaction,
  {
    filings,
    before,
    importId,
  }: { filings: readonly Filing[]; before: ReadonlyMap<string, ProviderEntry>; importId: string },
): Promise<void> {
  const known = filings.map(({ frn }) => frn).filter((frn) => before.has(frn));
  for (const some of slices(known, NUMBERS_PER_STATEMENT))
    await transaction
      .withTables<ProviderTables>()
      .updateTable('providers_entries')
      .set({ import_id: importId })
      .where('frn', 'in', some)
      .execute();
}

async function missingIn(transaction: PlatformTransaction, importId: string): Promise<number> {
  const { missing } = await transaction
    .withTables<ProviderTables>()
    .selectFrom('providers_entries')
    .select((row) => row.fn.countAll<number>().as('missing'))
    .where('import_id', 'is not', null)
    .where('import_id', '!=', importId)
    .executeTakeFirstOrThrow();
  return missing;
}

interface NotedImport {
  readonly importId: string;
  readonly nowMs: number;
  readonly counts: ImportCounts;
  readonly rejected: readonly RejectedFiling[];
  readonly sha256: string;
  readonly order: RegistryImport;
  readonly by: { readonly clientId: string };
}

async function noteImport(transaction: PlatformTransaction, noted: NotedImport): Promise<void> {
  const { importId, nowMs, counts, rejected, sha256, order, by } = noted;
  await transaction
    .withTables<ProviderTables>()
    .insertInto('providers_imports')
    .values({
      import_id: importId,
      at_ms: nowMs,
      actor: by.clientId,
      source: textWithoutNumbers(order.source),
      sha256,
      counts: JSON.stringify(counts),
      rejected: JSON.stringify(rejected),
    })
    .execute();
}
