import type { Buffer } from 'node:buffer';
import type { Campaign } from '@hopback/sdk/platform';
import type { ColumnType, Kysely } from 'kysely';
import { sql } from 'kysely';
import type {
  AreaDefinition,
  CampaignCall,
  CoreTables,
  EpochMs,
  JsonColumn,
  PlatformContext,
  PlatformTransaction,
  Reading,
  SealedValues,
} from '../core/index.js';
import { isAmong, isUnreadable, NOT_ARCHIVED, statements } from '../database/index.js';
import type { CampaignFile, CampaignKey, SavedCampaign } from '../domain/campaigns/campaign-file.js';
import type { KnownEvidence } from '../domain/campaigns/count-evidence.js';
import { restoredCampaign, savedCampaign } from '../domain/campaigns/campaign-file.js';

type CampaignProvider = Campaign['providers'][number];

/** A key of a campaign as it is stored: numbers by their references among what is sealed. */
type StoredKey =
  | {
      readonly kind: 'group';
      readonly group: string;
      readonly way: string;
    }
  | { readonly kind: 'calling-number' | 'call-back-number'; readonly reference: string }
  | { readonly kind: 'recording'; readonly recording: string }
  | {
      readonly kind: 'script';
      readonly transcript: string;
      readonly language?: string;
    };

/** What tracebacks have found out about a campaign. */
export interface StoredFindings {
  readonly tracebackIds: readonly string[];
  readonly providers: readonly CampaignProvider[];
}

/** Tables of the area `campaigns`. */
type CampaignsTables = {
  readonly campaigns_campaigns: {
    readonly campaign_id: string;
    /** `live`, `dormant`, `closed`. */
    readonly state: string;
    /** Whether analysts said that it is none: only staff sees it. */
    readonly is_lawful: boolean;
    readonly merged_into: string | null;
    readonly first_seen_ms: EpochMs;
    readonly last_seen_ms: EpochMs;
    readonly updated_ms: EpochMs;
    /** Tracebacks of it and what they found. */
    readonly findings: ColumnType<StoredFindings, string | undefined, string>;
    readonly saved: JsonColumn<SavedCampaign>;
    readonly keys: JsonColumn<readonly StoredKey[]>;
  };
  /** Records and reports of calls of campaigns, the latest of each. */
  readonly campaigns_calls: {
    readonly call_id: string;
    /** The call that it is evidence of; null in rows of versions that counted each row as a call, until they are joined. */
    readonly placed_call_id: string | null;
    /** Whether such a row cannot be joined, since its record or report is gone. */
    readonly is_unjoinable: ColumnType<boolean, boolean | undefined, boolean>;
    readonly campaign_id: string;
    readonly at_ms: EpochMs;
    readonly reporter_id: string;
    readonly record_id: string | null;
    readonly report_id: string | null;
    readonly called_npa_nxx: string | null;
    readonly signer: string | null;
    readonly attestation: string | null;
    readonly duration_ms: number | null;
  };
  /** What analysts decided, and why; never changed. */
  readonly campaigns_decisions: {
    readonly decision_id: string;
    readonly campaign_id: string;
    readonly at_ms: EpochMs;
    readonly kind: string;
    readonly actor: string;
    readonly organization_id: string;
    readonly reason: string;
  };
  /** The snapshot of the detector that holds: one row, named `detector`, or none. */
  readonly campaigns_snapshots: {
    readonly name: string;
    /** Which of the two tables its parts are in. */
    readonly slot: 'a' | 'b';
    readonly version: string;
    readonly sequence: number;
    readonly at_ms: EpochMs;
    readonly parts: number;
    readonly size_bytes: number;
    readonly key_reference: string;
  };
  /** Parts of snapshots, compressed and encrypted. */
  readonly campaigns_snapshot_a: { readonly part: number; readonly octets: Buffer };
  readonly campaigns_snapshot_b: { readonly part: number; readonly octets: Buffer };
  /** Tracebacks that were opened by the platform for campaigns. */
  readonly campaigns_tracebacks: {
    readonly call_id: string;
    readonly campaign_id: string;
    readonly traceback_id: string;
    readonly opened_ms: EpochMs;
  };
};

/** Name and tables of the area. */
export const campaignsDefinition: AreaDefinition = {
  name: 'campaigns',
  migrations: [
    {
      name: 'campaigns-001-campaigns',
      up: statements(
        `create table campaigns_campaigns (
          campaign_id text primary key,
          state text not null,
          is_lawful boolean not null,
          merged_into text,
          first_seen_ms bigint not null,
          last_seen_ms bigint not null,
          updated_ms bigint not null,
          findings jsonb not null default '{"tracebackIds":[],"providers":[]}',
          saved jsonb not null,
          keys jsonb not null)`,
        `create index campaigns_campaigns_last_seen
          on campaigns_campaigns (last_seen_ms desc, campaign_id desc)`,
        `create table campaigns_calls (
          call_id text primary key,
          campaign_id text not null references campaigns_campaigns (campaign_id),
          at_ms bigint not null,
          reporter_id text not null,
          record_id text,
          report_id text,
          called_npa_nxx text,
          signer text,
          attestation text,
          duration_ms bigint)`,
        'create index campaigns_calls_campaign on campaigns_calls (campaign_id, at_ms desc)',
        'create index campaigns_calls_at on campaigns_calls (at_ms)',
        `create table campaigns_decisions (
          decision_id text primary key,
          campaign_id text not null,
          at_ms bigint not null,
          kind text not null,
          actor text not null,
          organization_id text not null,
          reason text not null)`,
        'create index campaigns_decisions_campaign on campaigns_decisions (campaign_id, at_ms)',
        `create table campaigns_tracebacks (
          call_id text primary key,
          campaign_id text not null references campaigns_campaigns (campaign_id),
          traceback_id text not null,
          opened_ms bigint not null)`,
        'create index campaigns_tracebacks_campaign on campaigns_tracebacks (campaign_id)',
      ),
    },
    {
      name: 'campaigns-002-placed-calls',
      up: statements('alter table campaigns_calls add column placed_call_id text'),
    },
    {
      name: 'campaigns-003-detector-snapshots',
      up: async (database) => {
        await sql`create table campaigns_snapshots (
          name text primary key,
          slot text not null,
          version text not null,
          sequence bigint not null,
          at_ms bigint not null,
          parts integer not null,
          size_bytes bigint not null,
          key_reference text not null)`.execute(database);
        for (const slot of ['a', 'b']) {
          const table = sql.table(`campaigns_snapshot_${slot}`);
          await sql`create table ${table} (part integer primary key, octets bytea not null)`.execute(database);
          // The octets are compressed already.
          await sql`alter table ${table} alter column octets set storage external`.execute(database);
        }
        for (const table of ['campaigns_snapshots', 'campaigns_snapshot_a', 'campaigns_snapshot_b'])
          await sql.raw(`comment on table ${table} is '${NOT_ARCHIVED}'`).execute(database);
      },
    },
    {
      name: 'campaigns-004-unjoined-calls',
      up: statements(
        'alter table campaigns_calls add column is_unjoinable boolean not null default false',
        `create index campaigns_calls_unjoined on campaigns_calls (at_ms)
          where placed_call_id is null and not is_unjoinable`,
      ),
    },
    {
      name: 'campaigns-005-latest-calls',
      up: statements(
        // In the order of readCalls, so that the newest few are read without sorting all of a campaign.
        'create index campaigns_calls_latest on campaigns_calls (campaign_id, at_ms desc, call_id)',
        'drop index campaigns_calls_campaign',
        // Calls are stored with their campaign, and no campaign is deleted; the check cost as much for each call as storing it.
        'alter table campaigns_calls drop constraint campaigns_calls_campaign_id_fkey',
      ),
    },
  ],
};

/** The tables of this area on a connection or transaction. */
export const campaignsTables = (reading: Reading): Kysely<CoreTables & CampaignsTables> =>
  reading.withTables<CampaignsTables>();

/** Rows of one statement: PGlite runs in this process, and nothing else does meanwhile. */
const ROWS_AT_ONCE = 1_000;

/** Stores a campaign as it stands; numbers among its keys are sealed. */
export async function storeCampaign(
  transaction: PlatformTransaction,
  file: CampaignFile,
  by: { readonly sealed: SealedValues; readonly nowMs: number },
): Promise<void> {
  const keys: StoredKey[] = [];
  for (const key of file.keys.values()) keys.push(await storedKey(transaction, by.sealed, { key, file }));
  const row = {
    state: file.standing.state,
    is_lawful: file.standing.because === 'lawful',
    merged_into: file.mergedInto ?? null,
    first_seen_ms: file.firstSeenMs,
    last_seen_ms: file.lastSeenMs,
    updated_ms: by.nowMs,
    saved: JSON.stringify(savedCampaign(file)),
    keys: JSON.stringify(keys),
  };
  await campaignsTables(transaction)
    .insertInto('campaigns_campaigns')
    .values({ campaign_id: file.campaignId, ...row })
    .onConflict((conflict) => conflict.column('campaign_id').doUpdateSet(row))
    .execute();
}

async function storedKey(
  transaction: PlatformTransaction,
  sealed: SealedValues,
  { key, file }: { readonly key: CampaignKey; readonly file: CampaignFile },
): Promise<StoredKey> {
  if (key.kind !== 'calling-number' && key.kind !== 'call-back-number') return key;
  const reference = await sealed.seal(transaction, key.tn, `campaign:${file.campaignId}`);
  return { kind: key.kind, reference };
}

/** Stored campaigns with their numbers: the `limit` campaigns with the latest calls, oldest first. */
export async function loadCampaigns(
  transaction: PlatformTransaction,
  by: {
    readonly sealed: SealedValues;
    readonly limit: number;
    readonly campaignIds?: readonly string[];
  },
): Promise<readonly CampaignFile[]> {
  let query = campaignsTables(transaction).selectFrom('campaigns_campaigns').select(['saved', 'keys']);
  if (by.campaignIds !== undefined) query = query.where(isAmong('campaign_id', by.campaignIds));
  const rows = await query.orderBy('last_seen_ms', 'desc').limit(by.limit).execute();
  const references = rows.flatMap(({ keys }) => keys.flatMap((key) => ('reference' in key ? [key.reference] : [])));
  const numbers = await readableNumbers(transaction, by.sealed, references);
  return rows
    .map(({ saved, keys }) =>
      restoredCampaign(
        saved,
        keys.flatMap((key) => openedKey(key, numbers)),
      ),
    )
    .toSorted((a, b) => a.firstSeenMs - b.firstSeenMs);
}

/** Numbers by their references; one that cannot be opened any more is left out, so that its campaign and the others are known. */
async function readableNumbers(
  transaction: PlatformTransaction,
  sealed: SealedValues,
  references: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const reason = { organizationId: 'platform', actor: 'platform', object: 'campaigns' };
  if (references.length === 0) return NOTHING;
  try {
    return await sealed.open(transaction, references, reason);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const numbers = new Map<string, string>();
  for (const reference of references) {
    const opened = await sealed.open(transaction, [reference], reason).catch((error: unknown) => {
      if (!isUnreadable(error)) throw error;
      return NOTHING;
    });
    for (const [name, tn] of opened) numbers.set(name, tn);
  }
  return numbers;
}

/** Campaigns that are stored, for an engine that is behind them. */
export interface StoredCampaigns {
  readonly standings: ReadonlyMap<string, { readonly state: string; readonly isMerged: boolean }>;
  /** Those that the engine does not know, with their calls. */
  readonly found: readonly {
    readonly file: CampaignFile;
    readonly calls: readonly KnownEvidence[];
  }[];
  /** Of these, by the ids of their calls. */
  readonly campaignsOfCalls: ReadonlyMap<string, string>;
}

/** What is stored of campaigns, and all of those that an engine does not know, oldest first. */
export async function storedCampaigns(
  context: Pick<PlatformContext, 'database' | 'sealed' | 'transact'>,
  known: ReadonlySet<string>,
): Promise<StoredCampaigns> {
  const rows = await campaignsTables(context.database)
    .selectFrom('campaigns_campaigns')
    .select(['campaign_id', 'state', 'merged_into'])
    .execute();
  const standings = new Map(
    rows.map((row) => [row.campaign_id, { state: row.state, isMerged: row.merged_into !== null }]),
  );
  const unknown = rows.flatMap(({ campaign_id: id }) => (known.has(id) ? [] : [id]));
  const found: StoredCampaigns['found'][number][] = [];
  const campaignsOfCalls = new Map<string, string>();
  if (unknown.length === 0) return { standings, found, campaignsOfCalls };
  const { sealed } = context;
  const files = await context.transact((transaction) =>
    loadCampaigns(transaction, { sealed, limit: unknown.length, campaignIds: unknown }),
  );
  for (const file of files) {
    const calls = await readCalls(context.database, file.campaignId, { limit: MAX_COUNTED });
    for (const { callId } of calls) campaignsOfCalls.set(callId, file.campaignId);
    found.push({ file, calls: calls.map((call) => ({ ...call, campaignId: file.campaignId })) });
  }
  return { standings, found, campaignsOfCalls };
}

const NOTHING: ReadonlyMap<string, string> = new Map();

function openedKey(key: StoredKey, numbers: ReadonlyMap<string, string>): readonly CampaignKey[] {
  if (!('reference' in key)) return [key];
  const tn = numbers.get(key.reference);
  return tn === undefined ? [] : [{ kind: key.kind, tn }];
}

/** Stores records and reports of calls; of those that are stored already, of which call they are. */
export async function storeCalls(
  transaction: PlatformTransaction,
  campaignId: string,
  calls: readonly CampaignCall[],
): Promise<void> {
  for (let from = 0; from < calls.length; from += ROWS_AT_ONCE) {
    // Evidence that was found to be of another call is counted anew: the last one holds.
    const latest = new Map(calls.slice(from, from + ROWS_AT_ONCE).map((call) => [call.callId, call]));
    const column = <Value>(of: (call: CampaignCall) => Value): readonly Value[] => [...latest.values()].map(of);
    await sql`insert into campaigns_calls (call_id, placed_call_id, campaign_id, at_ms, reporter_id, record_id, report_id, called_npa_nxx,
        signer, attestation, duration_ms)
      select call_id, placed_call_id, ${campaignId}, at_ms, reporter_id, record_id, report_id, called_npa_nxx, signer, attestation, duration_ms
      from unnest(
        ${column(({ callId }) => callId)}::text[],
        ${column(({ placedCallId }) => placedCallId)}::text[],
        ${column(({ atMs }) => Math.round(atMs))}::bigint[],
        ${column(({ reporterId }) => reporterId)}::text[],
        ${column(({ recordId }) => recordId ?? null)}::text[],
        ${column(({ reportId }) => reportId ?? null)}::text[],
        ${column(({ calledNpaNxx }) => calledNpaNxx ?? null)}::text[],
        ${column(({ signer }) => signer ?? null)}::text[],
        ${column(({ attestation }) => attestation ?? null)}::text[],
        ${column(({ durationSeconds }) => (durationSeconds === undefined ? null : Math.round(durationSeconds * 1_000)))}::bigint[]
      ) as call (call_id, placed_call_id, at_ms, reporter_id, record_id, report_id, called_npa_nxx, signer, attestation, duration_ms)
      on conflict (call_id) do update set placed_call_id = excluded.placed_call_id, campaign_id = excluded.campaign_id
      where campaigns_calls.placed_call_id is distinct from excluded.placed_call_id`.execute(
      campaignsTables(transaction),
    );
  }
}

/** Has the calls of one campaign be those of another. */
export async function moveCalls(transaction: PlatformTransaction, from: string, into: string): Promise<void> {
  const tables = campaignsTables(transaction);
  for (const table of ['campaigns_calls', 'campaigns_tracebacks'] as const) {
    await tables.updateTable(table).set({ campaign_id: into }).where('campaign_id', '=', from).execute();
  }
}

/** Records and reports of calls of a campaign of a stretch of time, newest first. */
export async function readCalls(
  reading: Reading,
  campaignId: string,
  options: {
    readonly fromMs?: number;
    readonly toMs?: number;
    readonly limit: number;
  },
): Promise<readonly CampaignCall[]> {
  let query = campaignsTables(reading).selectFrom('campaigns_calls').selectAll().where('campaign_id', '=', campaignId);
  if (options.fromMs !== undefined) query = query.where('at_ms', '>=', Math.floor(options.fromMs));
  if (options.toMs !== undefined) query = query.where('at_ms', '<', Math.ceil(options.toMs));
  const rows = await query.orderBy('at_ms', 'desc').orderBy('call_id').limit(options.limit).execute();
  return rows.map((row) => ({
    callId: row.call_id,
    placedCallId: row.placed_call_id ?? row.call_id,
    ...(row.placed_call_id === null && { isUnjoined: true }),
    atMs: row.at_ms,
    reporterId: row.reporter_id,
    ...(row.record_id !== null && { recordId: row.record_id }),
    ...(row.report_id !== null && { reportId: row.report_id }),
    ...(row.called_npa_nxx !== null && { calledNpaNxx: row.called_npa_nxx }),
    ...(row.signer !== null && { signer: row.signer }),
    ...(isAttestation(row.attestation) && { attestation: row.attestation }),
    ...(row.duration_ms !== null && { durationSeconds: row.duration_ms / 1_000 }),
  }));
}

function isAttestation(word: string | null): word is 'A' | 'B' | 'C' {
  return word === 'A' || word === 'B' || word === 'C';
}

/** Calls that are remembered as counted at most, the latest: as many as an engine tells from repeats. */
const MAX_COUNTED = 400_000;

/** Records and reports that are counted, since a time each, so that they are not counted again when they are read again; by time. */
export async function callsSince(
  reading: Reading,
  sinceMs: { readonly records: number; readonly reports: number },
): Promise<readonly KnownEvidence[]> {
  const rows = await campaignsTables(reading)
    .selectFrom('campaigns_calls')
    .select(['call_id', 'placed_call_id', 'campaign_id', 'reporter_id', 'record_id', 'report_id'])
    .where((is) =>
      is.or([
        is('at_ms', '>=', sinceMs.records),
        is.and([is('at_ms', '>=', sinceMs.reports), is('report_id', 'is not', null)]),
      ]),
    )
    .orderBy('at_ms', 'desc')
    .limit(MAX_COUNTED)
    .execute();
  return rows.toReversed().map((row) => ({
    callId: row.call_id,
    placedCallId: row.placed_call_id ?? row.call_id,
    campaignId: row.campaign_id,
    reporterId: row.reporter_id,
    ...(row.record_id !== null && { recordId: row.record_id }),
    ...(row.report_id !== null && { reportId: row.report_id }),
  }));
}
