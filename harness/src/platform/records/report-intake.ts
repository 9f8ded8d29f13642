import { HopbackError } from '@hopback/sdk/errors';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/internal';
import type { AppReport, WireBodies } from '@hopback/sdk/platform';
import type { LiveReader, Operation, PlatformContext, PlatformTransaction, ReportReader } from '../core/index.js';
import { openJson, readableJson, sealJson } from '../database/index.js';
import { maskReport } from '../domain/records/mask-numbers.js';
import { MAX_AHEAD_MS } from '../domain/records/read-record-line.js';
import type { SettlingListener } from './live-feed.js';
import type { RecordsTables } from './records-tables.js';

type AppReportReceipt = WireBodies['AppReportReceipt'];
type AudioFingerprint = NonNullable<AppReport['audioFingerprint']>;

/** Reports that are read at once when somebody begins to listen: each may have a fingerprint of 400 KB. */
const TOLD_AT_ONCE = 50;
/** Until a database that fails is asked again. */
const RETRY_MS = 1_000;
/** Keys that one statement removes. */
const SETTLED_AT_ONCE = 500;

interface Listening {
  readonly listener: SettlingListener;
  /** Whether it may be told: until then what comes waits among what is not settled. */
  isTold: boolean;
  /** Told and not noted yet, by application and report. */
  told: { readonly appId: string; readonly reportId: string }[];
  /** How many were noted since the process began. */
  noted: number;
}

/** The last report of a page. */
interface Told {
  readonly receivedAtMs: number;
  readonly reportKey: string;
}

interface UntoldReport extends Told {
  readonly appId: string;
  readonly report: AppReport | undefined;
}

/** What reports are kept with. */
export interface ReportIntakeOptions {
  readonly context: PlatformContext;
  /** How long reports are kept, milliseconds: older ones are not taken. */
  readonly keptMs: number;
}

/** Takes reports of applications in, and tells them. */
export class ReportIntake {
  readonly #context: PlatformContext;
  readonly #keptMs: number;
  readonly #listeners = new Map<string, Listening>();
  #isClosed = false;

  readonly reportCall: Operation = async ({ caller, request, atMs }) => {
    const report = request.body as AppReport;
    const calledAtMs = Date.parse(report.calledAt);
    const late =
      calledAtMs < atMs - this.#keptMs ? 'too-old' : calledAtMs > atMs + MAX_AHEAD_MS ? 'in-the-future' : undefined;
    if (late !== undefined) return problemAnswer('invalid-body', { errors: [{ pointer: '/calledAt', code: late }] });
    const appId = caller.organizationId;
    const stored = await this.#context.transact((transaction) =>
      storeReport(
        { context: this.#context, transaction },
        {
          appId,
          report,
          atMs,
          clientId: caller.clientId,
          listeners: [...this.#listeners.keys()],
        },
      ),
    );
    if (stored.status === 'conflict') return problemAnswer('conflict');
    if (!stored.isRepeat) for (const one of this.#listeners.values()) this.#tell(one, appId, report, atMs);
    const { receivedAtMs, isRepeat } = stored;
    const receipt: AppReportReceipt = {
      reportId: report.reportId,
      receivedAt: new Date(receivedAtMs).toISOString(),
      isRepeat,
    };
    return jsonAnswer(receipt);
  };

  readonly report: LiveReader['report'] = (appId, reportId, transaction) => {
    const named = { appId, reportId };
    return transaction === undefined
      ? this.#context.transact((own) => storedReport(this.#context, own, named))
      : storedReport(this.#context, transaction, named);
  };

  constructor({ context, keptMs }: ReportIntakeOptions) {
    this.#context = context;
    this.#keptMs = keptMs;
  }

  /** Gives up what is still to be told; it is told again after a restart. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Tells somebody the reports that were not settled before, and all that come. Those that come from now on are kept for it.
   * @param from - resolves when it may be told
   * @throws HopbackError where the database fails
   */
  async listen(name: string, listener: SettlingListener, from?: Promise<unknown>): Promise<void> {
    const one: Listening = { listener, isTold: false, told: [], noted: 0 };
    this.#listeners.set(name, one);
    await from;
    // One that comes from here on may be told twice, and is the same report.
    one.isTold = true;
    for (let after: Told | undefined; ;) {
      const reports: readonly UntoldReport[] | undefined = await this.#untold(name, after).catch(
        async (error: unknown) => {
          if (from === undefined || this.#isClosed) throw error;
          this.#context.log.warn('reports that were not settled cannot be read: tried again', { listener: name });
          await new Promise<void>((resolve) => void this.#context.clock.schedule(resolve, RETRY_MS));
          return undefined;
        },
      );
      if (reports === undefined) continue;
      for (const { appId, report, receivedAtMs } of reports)
        if (report !== undefined) this.#tell(one, appId, report, receivedAtMs);
      after = reports.at(-1);
      if (reports.length < TOLD_AT_ONCE) break;
    }
  }

  /** Notes what those who listen have settled. */
  async settle(): Promise<void> {
    for (const [name, one] of this.#listeners) {
      const all = one.told.slice();
      if (all.length === 0 || (await one.listener.settled?.()) === false) continue;
      const told = all.slice(0, Math.max(0, (one.listener.coveredReports?.() ?? Infinity) - one.noted));
      for (let at = 0; at < told.length; at += SETTLED_AT_ONCE)
        await this.#context.transact((transaction) =>
          transaction
            .withTables<RecordsTables>()
            .deleteFrom('records_untold')
            .where('listener', '=', name)
            .where((expression) =>
              expression.or(
                told
                  .slice(at, at + SETTLED_AT_ONCE)
                  .map(({ appId, reportId }) => expression.and({ app_id: appId, report_id: reportId })),
              ),
            )
            .execute(),
        );
      one.told = one.told.slice(told.length);
      one.noted += told.length;
    }
  }

  #tell(one: Listening, appId: string, report: AppReport, receivedAtMs: number): void {
    if (!one.isTold) return;
    // Whoever listens is no reason to refuse what was stored; it is told again after a restart.
    try {
      one.listener.report(appId, report, receivedAtMs);
      one.told.push({ appId, reportId: report.reportId });
    } catch {
      this.#context.log.error('a report was not heard', { appId });
    }
  }

  #untold(name: string, after: Told | undefined): Promise<readonly UntoldReport[]> {
    return this.#context.transact(async (transaction) => {
      let query = transaction
        .withTables<RecordsTables>()
        .selectFrom('records_untold')
        .innerJoin('records_reports', (join) =>
          join
            .onRef('records_reports.app_id', '=', 'records_untold.app_id')
            .onRef('records_reports.report_id', '=', 'records_untold.report_id'),
        )
        .select(['records_reports.app_id', 'masked', 'sealed', 'received_at_ms', 'report_key'])
        .where('listener', '=', name);
      if (after !== undefined)
        query = query.where((is) =>
          is.or([
            is('received_at_ms', '>', after.receivedAtMs),
            is.and([is('received_at_ms', '=', after.receivedAtMs), is('report_key', '>', after.reportKey)]),
          ]),
        );
      const rows = await query.orderBy('received_at_ms').orderBy('report_key').limit(TOLD_AT_ONCE).execute();
      const reason = { ...PLATFORM, object: `listener:${name}` };
      const pieces = rows.map(({ sealed }) => sealed);
      const opened = await readableJson(this.#context, transaction, { pieces, reason });
      return rows.map((row, index) => ({
        appId: row.app_id,
        receivedAtMs: row.received_at_ms,
        reportKey: row.report_key,
        report: wholeReport(opened[index], row.masked),
      }));
    });
  }
}

async function storedReport(
  context: PlatformContext,
  transaction: PlatformTransaction,
  { appId, reportId }: { readonly appId: string; readonly reportId: string },
): Promise<AppReport | undefined> {
  const row = await transaction
    .withTables<RecordsTables>()
    .selectFrom('records_reports')
    .select(['masked', 'sealed', 'report_key'])
    .where('app_id', '=', appId)
    .where('report_id', '=', reportId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const reason = { ...PLATFORM, object: `report:${row.report_key}` };
  const [opened] = await openJson(context, transaction, { pieces: [row.sealed], reason });
  return wholeReport(opened, row.masked);
}

const PLATFORM = { organizationId: 'platform', actor: 'platform' } as const;

interface GivenReport {
  readonly appId: string;
  readonly report: AppReport;
  readonly atMs: number;
  readonly clientId: string;
  /** Names of those who are to be told. */
  readonly listeners: readonly string[];
}

type StoredReport =
  | {
      readonly status: 'stored';
      readonly receivedAtMs: number;
      readonly isRepeat: boolean;
    }
  | { readonly status: 'conflict' };

async function storeReport(
  { context, transaction }: { readonly context: PlatformContext; readonly transaction: PlatformTransaction },
  { appId, report, atMs, clientId, listeners }: GivenReport,
): Promise<StoredReport> {
  const { sealed } = context;
  const tables = transaction.withTables<RecordsTables>();
  // Members are in the order of the schema, so that the same report is the same text.
  const contentKey = sealed.pseudonym(JSON.stringify(report));
  const known = await tables
    .selectFrom('records_reports')
    .select(['received_at_ms', 'content_key'])
    .where('app_id', '=', appId)
    .where('report_id', '=', report.reportId)
    .executeTakeFirst();
  if (known !== undefined)
    return known.content_key === contentKey
      ? { status: 'stored', receivedAtMs: known.received_at_ms, isRepeat: true }
      : { status: 'conflict' };
  const reportKey = context.newId('report');
  const { masked, calledPseudonym, callingPseudonym } = maskReport(report, sealed.pseudonym);
  const { audioFingerprint: _public, ...secret } = report;
  const references = await sealJson(context, transaction, { value: secret, belongsTo: `report:${reportKey}` });
  await tables
    .insertInto('records_reports')
    .values({
      app_id: appId,
      report_id: report.reportId,
      report_key: reportKey,
      received_at_ms: atMs,
      called_at_ms: Date.parse(report.calledAt),
      content_key: contentKey,
      called_pseudonym: calledPseudonym,
      calling_pseudonym: callingPseudonym ?? null,
      masked: JSON.stringify(masked),
      sealed: JSON.stringify(references),
    })
    .execute();
  for (const listener of listeners)
    await tables.insertInto('records_untold').values({ listener, app_id: appId, report_id: report.reportId }).execute();
  await context.audit(transaction, {
    action: 'report.received',
    organizationId: appId,
    actor: clientId,
    object: `report:${reportKey}`,
  });
  return { status: 'stored', receivedAtMs: atMs, isRepeat: false };
}

/** The report as it came: its fingerprint is kept beside what is sealed. Undefined where that has been removed. */
function wholeReport(opened: unknown, masked: unknown): AppReport | undefined {
  if (opened === undefined) return undefined;
  const secret = opened as Omit<AppReport, 'audioFingerprint'>;
  const { audioFingerprint } = masked as { readonly audioFingerprint?: AudioFingerprint };
  return { ...secret, ...(audioFingerprint !== undefined && { audioFingerprint }) };
}

/** Reports that one look-up may ask for: each may have a transcript of 32 KB. */
const MAX_FOUND_REPORTS = 5_000;

type Query = Parameters<ReportReader['findReports']>[0];

/**
 * Looks reports up by the time of their calls. Numbers are looked for by their pseudonyms; a report whose application veils its number is not
 * found by one.
 */
export function createReportFinder(context: PlatformContext): ReportReader['findReports'] {
  return async (query) => {
    const { limit } = query;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_FOUND_REPORTS)
      throw new HopbackError('invalid-argument', `limit is a whole number from 1 to ${MAX_FOUND_REPORTS}`);
    return context.transact(async (transaction) => {
      const rows = await foundRows(context, transaction, query);
      const shown = rows.slice(0, limit);
      const open = query.leavesOutUnreadable === true ? readableJson : openJson;
      const opened = await open(context, transaction, {
        pieces: shown.map(({ sealed }) => sealed),
        reason: { organizationId: 'platform', actor: 'platform', object: 'reports:found' },
      });
      const reports: { readonly appId: string; readonly report: AppReport }[] = [];
      for (const [index, row] of shown.entries()) {
        const report = wholeReport(opened[index], row.masked);
        if (report !== undefined) reports.push({ appId: row.app_id, report });
      }
      return { reports, isCut: rows.length > limit };
    });
  };
}

async function foundRows(
  context: PlatformContext,
  transaction: PlatformTransaction,
  { fromMs, toMs, callingTns, calledTns, limit }: Query,
) {
  const pseudonyms = (numbers: readonly string[]): readonly string[] =>
    [...new Set(numbers)].map((number) => context.sealed.pseudonym(number));
  let statement = transaction
    .withTables<RecordsTables>()
    .selectFrom('records_reports')
    .select(['app_id', 'masked', 'sealed'])
    .where('called_at_ms', '>=', fromMs)
    .where('called_at_ms', '<', toMs);
  if (callingTns !== undefined) statement = statement.where('calling_pseudonym', 'in', pseudonyms(callingTns));
  if (calledTns !== undefined) statement = statement.where('called_pseudonym', 'in', pseudonyms(calledTns));
  return statement
    .orderBy('called_at_ms')
    .orderBy('report_key')
    .limit(limit + 1)
    .execute();
}
