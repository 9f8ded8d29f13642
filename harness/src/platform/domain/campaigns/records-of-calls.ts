import type { CampaignCall, LiveReader, LiveRecord } from '../../core/index.js';

/** Milliseconds by which the time of a call of a campaign and that of its record may differ: the one is rounded. */
const ROUNDING_MS = 1_000;

/** Records of evidence of calls that is near in time, by its ids; what is a report, or has no record any more, is not among them. */
export async function recordsOfCalls(
  live: Pick<LiveReader, 'find' | 'record'>,
  calls: readonly Pick<CampaignCall, 'callId' | 'reporterId' | 'recordId' | 'atMs'>[],
): Promise<ReadonlyMap<string, LiveRecord>> {
  const wanted = calls.flatMap(({ callId, reporterId, recordId, atMs }) =>
    recordId === undefined ? [] : [{ callId, providerId: reporterId, recordId, atMs }],
  );
  const records = new Map<string, LiveRecord>();
  if (wanted.length === 0) return records;
  const times = wanted.map(({ atMs }) => atMs);
  const found = await live.find({
    fromMs: Math.min(...times) - ROUNDING_MS,
    toMs: Math.max(...times) + ROUNDING_MS,
    recordIds: wanted.map(({ providerId, recordId }) => ({ providerId, recordId })),
    limit: wanted.length,
  });
  const byId = new Map(found.records.map((one) => [`${one.providerId} ${one.record.recordId}`, one]));
  for (const { callId, providerId, recordId } of wanted) {
    // A record that was sent again with another time is found by its id.
    const record = byId.get(`${providerId} ${recordId}`) ?? (await live.record(providerId, recordId));
    if (record !== undefined) records.set(callId, record);
  }
  return records;
}
