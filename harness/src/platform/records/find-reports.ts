import { HopbackError } from '@hopback/sdk/errors';
import type { AppReport } from '@hopback/sdk/platform';
import type { PlatformContext, PlatformTransaction, ReportReader } from '../core/index.js';
import { openJson, readableJson } from '../database/index.js';
import { wholeReport } from './report-desk.js';
import type { RecordsTables } from './records-tables.js';

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
