import { hash } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import { signatureFor } from '@hopback/sdk/log';
import { canonicalJson } from '@hopback/sdk/traceback';
import type { Demand, DemandScope } from '@hopback/sdk/platform';
import {
  dataDictionary,
  gatherRestraintPackage,
  narrowed,
  scopeMatcher,
  type Producible,
  type RestraintPackage,
} from '../domain/demands/index.js';
import { PLATFORM_ACTOR, tablesOf, type DemandParts } from './demand-area.js';
import { approvedScope, demandRow, productionRow, wireDemand, type ProductionRow } from './demand-rows.js';
import { resolvedScope } from './named.js';
import { createPartWriter, type PartWriter, type WrittenFile } from './part-writer.js';
import { productionCertificate } from './production-certificate.js';
import { restraintCsv, restraintPdf } from './restraint-files.js';
import { producibles } from './sources.js';

/** Items after which progress is written down: some a second. */
const PROGRESS_ITEMS = 5_000;

/** A production at work. */
interface Work {
  readonly row: ProductionRow;
  readonly asOfMs: number;
  readonly demand: Demand;
  /** As it was approved. */
  readonly scope: DemandScope;
  /** With the providers of the registry, up to now. */
  readonly reached: DemandScope | undefined;
}

/**
 * Writes the files of a production, its certificate and its manifest, and enters the manifest in the audit. Begun anew after a crash it writes the
 * same files over; nothing is handed over before its proof is there.
 * @returns false where it was withdrawn meanwhile
 */
export async function buildProduction(parts: DemandParts, productionId: string, nowMs: number): Promise<boolean> {
  const work = await beginWork(parts, productionId, nowMs);
  if (work === undefined) return false;
  const { ports, limits } = parts;
  const { row, demand, scope } = work;
  const writer = createPartWriter({
    owner: productionId,
    files: ports.files,
    classes: scope.recordClasses,
    partBytes: limits.partBytes,
  });
  const gathering = row.with_restraint ? gatherRestraintPackage() : undefined;
  for await (const produced of within(parts, work)) {
    await writer.add(produced);
    gathering?.add(produced);
    if (writer.items() % PROGRESS_ITEMS === 0 && !(await noteProgress(parts, work, writer))) return false;
  }
  const files: WrittenFile[] = [...(await writer.end())];
  const put = async (name: string, mediaType: string, content: string | Uint8Array): Promise<void> => {
    const octets = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    files.push({ name, mediaType, ...(await ports.files.put(productionId, octets)) });
  };
  if (gathering !== undefined) {
    const gathered = gathering.gathered({
      queriedAtMs: work.asOfMs,
      query: { ...scope, until: new Date(work.asOfMs).toISOString() },
    });
    await putRestraint(gathered, { ...demand, scope }, put);
  }
  await put('data-dictionary.md', 'text/markdown', dataDictionary(scope.recordClasses));
  const publicKeySha256 = hash('sha256', ports.signer.publicKey.export({ type: 'spki', format: 'der' }), 'hex');
  const signer = { algorithm: ports.signer.algorithm, publicKeySha256 };
  const writtenAtMs = parts.context.clock.nowMs();
  const certificate = productionCertificate({
    ...{ productionId, demand, decisionId: row.decision_id, scope, asOfMs: work.asOfMs, writtenAtMs, files, signer },
    ...(row.from_ms !== null && { fromMs: row.from_ms }),
    ...{ operator: ports.operator, logId: ports.proofs.logId },
  });
  await put('custodian-certificate.txt', 'text/plain', certificate);
  const manifest = Buffer.from(canonicalJson(manifestOf(work, { files, writtenAtMs, signer, parts })), 'utf8');
  const named = [...files];
  await put('manifest.json', 'application/json', manifest);
  await put('manifest.sig', 'application/octet-stream', await signatureFor(ports.signer, manifest));
  return seal(parts, work, {
    files,
    named: named.length,
    items: writer.items(),
    manifestSha256: hash('sha256', manifest, 'hex'),
  });
}

async function beginWork(parts: DemandParts, productionId: string, nowMs: number): Promise<Work | undefined> {
  const { context } = parts;
  return context.transact(async (transaction) => {
    const row = await productionRow(transaction, productionId);
    if (row?.phase !== 'building') return undefined;
    const demandFound = await demandRow(transaction, row.demand_id);
    if (demandFound === undefined) throw withoutScope(productionId);
    const asOfMs = row.as_of_ms ?? nowMs;
    await tablesOf(transaction)
      .updateTable('demands_productions')
      .set({ as_of_ms: asOfMs, attempts: row.attempts + 1, items: 0 })
      .where('production_id', '=', productionId)
      .execute();
    const reason = { ...PLATFORM_ACTOR, object: `production:${productionId}` };
    const demand = await wireDemand(context, transaction, { row: demandFound, reason });
    const scope = approvedScope(demand, row.decision_id);
    if (scope === undefined) throw withoutScope(productionId);
    const resolved = (await resolvedScope(parts, transaction, scope)).scope;
    const reached = narrowed(resolved, { ...resolved, to: new Date(asOfMs).toISOString() });
    return { row, asOfMs, demand, scope, reached };
  });
}

const withoutScope = (productionId: string): HopbackError =>
  new HopbackError('internal', 'no decision says what a production is made of', { details: { productionId } });

/** What is produced: everything that the scope reaches up to now; of a supplement, calls since the one before, and all that was traced. */
async function* within(parts: DemandParts, { row, asOfMs, reached }: Work): AsyncGenerator<Producible> {
  if (reached === undefined) return;
  const traced = reached.recordClasses.filter((one) => one === 'traceback-records' || one === 'customer-records');
  const other = reached.recordClasses.filter((one) => one !== 'traceback-records' && one !== 'customer-records');
  const scopes: DemandScope[] = [];
  if (traced.length > 0) scopes.push({ ...reached, recordClasses: traced });
  const since =
    row.from_ms === null ? reached : narrowed(reached, { ...reached, from: new Date(row.from_ms).toISOString() });
  if (other.length > 0 && since !== undefined) scopes.push({ ...since, recordClasses: other });
  for (const scope of scopes) {
    const matches = scopeMatcher(scope);
    for await (const produced of producibles(parts, { scope, asOfMs })) if (matches(produced.item)) yield produced;
  }
}

/** @returns false where it was withdrawn meanwhile */
async function noteProgress({ context }: DemandParts, { row }: Work, writer: PartWriter): Promise<boolean> {
  const updated = await context.transact((transaction) =>
    tablesOf(transaction)
      .updateTable('demands_productions')
      .set({ items: writer.items() })
      .where('production_id', '=', row.production_id)
      .where('phase', '=', 'building')
      .executeTakeFirst(),
  );
  return updated.numUpdatedRows > 0n;
}

type Put = (name: string, mediaType: string, content: string | Uint8Array) => Promise<void>;

async function putRestraint(gathered: RestraintPackage, demand: Demand, put: Put): Promise<void> {
  await put('restraint-package.json', 'application/json', `${JSON.stringify(gathered, undefined, 2)}\n`);
  for (const [name, text] of restraintCsv(gathered)) await put(name, 'text/csv', text);
  await put('restraint-package.pdf', 'application/pdf', await restraintPdf(gathered, demand));
}

interface ManifestParts {
  readonly files: readonly WrittenFile[];
  readonly writtenAtMs: number;
  readonly signer: { readonly algorithm: string; readonly publicKeySha256: string };
  readonly parts: DemandParts;
}

/** Members of a file are named so that its name and its hash stand side by side in canonical JSON, where the script looks for them. */
function manifestOf(work: Work, { files, writtenAtMs, signer, parts }: ManifestParts): unknown {
  const { row, demand, scope, asOfMs } = work;
  const { agency, kind, reference, authority, documentSha256 } = demand;
  return {
    format: 'hopback.production-manifest.1',
    productionId: row.production_id,
    production: row.kind,
    demand: { demandId: demand.demandId, kind, reference, authority, documentSha256, agency: agency.name },
    decisionId: row.decision_id,
    scope,
    asOf: new Date(asOfMs).toISOString(),
    ...(row.from_ms !== null && { callsFrom: new Date(row.from_ms).toISOString() }),
    writtenAt: new Date(writtenAtMs).toISOString(),
    software: parts.ports.operator.software,
    logId: parts.ports.proofs.logId,
    signer,
    files: files.map(({ name, sha256, sizeBytes, mediaType, recordClass, records }) => ({
      ...{ mediaType, name, sha256, sizeBytes },
      ...(recordClass !== undefined && { class: recordClass }),
      ...(records !== undefined && { items: records }),
    })),
  };
}

interface Sealing {
  readonly files: readonly WrittenFile[];
  readonly named: number;
  readonly items: number;
  readonly manifestSha256: string;
}

/** Files of a statement: eight columns each, of the 65,535 parameters that PostgreSQL takes. */
const FILES_OF_A_STATEMENT = 1_000;

async function seal({ context }: DemandParts, { row, demand }: Work, sealing: Sealing): Promise<boolean> {
  const { files, items, manifestSha256 } = sealing;
  return context.transact(async (transaction) => {
    const tables = tablesOf(transaction);
    const updated = await tables
      .updateTable('demands_productions')
      .set({ phase: 'sealed', items, manifest_sha256: manifestSha256, failure: null })
      .where('production_id', '=', row.production_id)
      .where('phase', '=', 'building')
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) return false;
    await insertFiles(transaction, { productionId: row.production_id, files, from: 0 });
    await context.audit(transaction, {
      ...PLATFORM_ACTOR,
      action: 'production.sealed',
      object: `production:${row.production_id}`,
      details: { demandId: demand.demandId, manifestSha256, files: sealing.named, items },
    });
    return true;
  });
}

/** Writes down files of a production. */
export async function insertFiles(
  transaction: Parameters<typeof productionRow>[0],
  {
    productionId,
    files,
    from,
  }: { readonly productionId: string; readonly files: readonly WrittenFile[]; readonly from: number },
): Promise<void> {
  const rows = files.map((file, index) => ({
    production_id: productionId,
    name: file.name,
    position: from + index,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    record_class: file.recordClass ?? null,
    records: file.records ?? null,
  }));
  for (let at = 0; at < rows.length; at += FILES_OF_A_STATEMENT)
    await tablesOf(transaction)
      .insertInto('demands_files')
      .values(rows.slice(at, at + FILES_OF_A_STATEMENT))
      .execute();
}
