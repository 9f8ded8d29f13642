import type { CampaignCall, OrganizationDirectory, PlatformContext, PlatformTransaction } from '../core/index.js';
import { forgetFailure, LONGEST_WAIT_MS, noteFailure } from '../database/index.js';
import { describeCampaign } from '../domain/campaigns/describe-campaign.js';
import type { CampaignChange, CampaignFile } from '../domain/campaigns/campaign-file.js';
import type { CampaignEngine } from '../domain/campaigns/campaign-engine.js';
import { campaignsTables, moveCalls, storeCalls, storeCampaign } from './campaigns-repository.js';

/** What of what is new is stored. */
interface FlushOptions {
  /** Default all campaigns. */
  readonly campaignId?: string;
  /** The area closes, so that a campaign that waits after a failure is tried at once. */
  readonly isLast?: boolean;
}

/** How a campaign was announced last. */
interface StoredStanding {
  readonly state: string;
  readonly isMerged: boolean;
}

/** News of one campaign, without the campaign. */
export interface UnstoredNews {
  readonly campaignId: string;
  readonly calls: readonly CampaignCall[];
  readonly changes: readonly CampaignChange[];
}

/** News of one campaign that is not stored yet. */
interface Unstored {
  readonly file: CampaignFile;
  calls: CampaignCall[];
  changes: CampaignChange[];
  works: ((transaction: PlatformTransaction) => Promise<void>)[];
  /** Why it could not be stored, and when it is tried again. */
  failed?: { readonly error: unknown; readonly nextTryMs: number };
}

/** Name of the job, under which failures of campaigns are kept. */
const STORE_JOB = 'campaigns.store';

/** Calls of one campaign that wait for a database that is down; the others are counted without being on the list. */
const MAX_UNSTORED_CALLS = 50_000;
/** Between two events about one campaign that only grows. Whoever wants more reads the campaign. */
const TELL_EVERY_MS = 60_000;
/** Calls beside those with which areas last heard of it, from which on they hear of it again: rules wait for so many calls. */
const GROWN = 1.1;
/** Organizations that hear of a campaign: agencies of all States and of the federation many times over. */
const MAX_AUDIENCE = 5_000;

/** Puts what the engine learns into the tables, and tells of it. */
export class CampaignStore {
  readonly #context: PlatformContext;
  readonly #engine: CampaignEngine;
  readonly #organizations: OrganizationDirectory;
  readonly #unstored = new Map<string, Unstored>();
  readonly #toldMs = new Map<string, number>();
  readonly #heardCalls = new Map<string, number>();
  readonly #standings = new Map<string, StoredStanding>();
  #running: Promise<void> = Promise.resolve();
  #current: Unstored | undefined;

  constructor(
    context: PlatformContext,
    by: { readonly engine: CampaignEngine; readonly organizations: OrganizationDirectory },
  ) {
    this.#context = context;
    this.#engine = by.engine;
    this.#organizations = by.organizations;
  }

  /**
   * Stores what is new, of one campaign or of all, in one transaction for each. A campaign that cannot be stored keeps no other waiting: it is tried again
   * after a wait that doubles, and is set aside after some attempts, and staff are told.
   * @throws what the database throws, when all have been tried; also for a campaign that waits, until it is set aside
   */
  flush({ campaignId, isLast }: FlushOptions = {}): Promise<void> {
    return this.#inTurn(({ file }) => campaignId === undefined || file.campaignId === campaignId, isLast);
  }

  /** Takes what is new from the engine, to be stored later. */
  gather(): void {
    for (const news of this.#engine.take()) this.#add(news);
  }

  /** What is not stored, or being stored now, as plain values. What analysts' calls wait to store is not among it: those calls have failed. */
  unstored(): readonly UnstoredNews[] {
    this.gather();
    const entries = [...(this.#current === undefined ? [] : [this.#current]), ...this.#unstored.values()];
    return entries.map(({ file, calls, changes }) => ({
      campaignId: file.campaignId,
      calls: [...calls],
      changes: [...changes],
    }));
  }

  /** Whether something that was given to {@link CampaignStore.along} is not stored: it is lost with the process, though the engine knows of it. */
  hasQueuedWork(): boolean {
    return [this.#current, ...this.#unstored.values()].some((entry) => (entry?.works.length ?? 0) > 0);
  }

  /** Has the store keep trying with what another one had not stored, before anything else. */
  restoreUnstored(saved: readonly UnstoredNews[]): void {
    const files = new Map([...this.#engine.campaigns()].map((file) => [file.campaignId, file]));
    for (const { campaignId, ...news } of saved) {
      const file = files.get(campaignId);
      if (file !== undefined) this.#add({ file, ...news });
    }
  }

  /** Campaigns as they are stored after a restart: what is news to an engine that found them again is not announced again. */
  announced(stored: ReadonlyMap<string, StoredStanding>): void {
    for (const [campaignId, standing] of stored) this.#standings.set(campaignId, standing);
  }

  /** Stores those alone that have changed in what others rest on; what only grew waits. @throws as `flush` */
  flushChanges(): Promise<void> {
    return this.#inTurn(({ changes }) => changes.length > 0);
  }

  /** Has something done in the transaction that stores a campaign. */
  along(campaignId: string, work: (transaction: PlatformTransaction) => Promise<void>): void {
    const file = this.#engine.campaign(campaignId);
    if (file !== undefined) this.#entryOf(file).works.push(work);
  }

  #entryOf(file: CampaignFile): Unstored {
    let entry = this.#unstored.get(file.campaignId);
    if (entry === undefined) {
      entry = { file, calls: [], changes: [], works: [] };
      this.#unstored.set(file.campaignId, entry);
    }
    return entry;
  }

  #add({ file, calls, changes }: Pick<Unstored, 'file'> & Omit<UnstoredNews, 'campaignId'>): void {
    const entry = this.#entryOf(file);
    entry.calls.push(...calls.slice(0, MAX_UNSTORED_CALLS - entry.calls.length));
    for (const change of changes) if (!entry.changes.includes(change)) entry.changes.push(change);
  }

  async #storeOne(entry: Unstored): Promise<void> {
    const { file, calls, works } = entry;
    const { clock, sealed } = this.#context;
    const nowMs = clock.nowMs();
    const { campaignId, observedCalls } = file;
    const news = entry.changes.filter((change) => !isAnnounced(change, this.#standings.get(campaignId)));
    const isGrown = news.length === 0 && observedCalls >= GROWN * (this.#heardCalls.get(campaignId) ?? 0);
    const changes: readonly CampaignChange[] = isGrown ? ['grown'] : news;
    const isDue = nowMs - (this.#toldMs.get(campaignId) ?? 0) >= TELL_EVERY_MS;
    const isTold = news.length > 0 || works.length > 0 || isDue;
    await this.#context.transact(async (transaction) => {
      await storeCampaign(transaction, file, { sealed, nowMs });
      // What was merged into another that is stored later is moved when it is there.
      const holder = this.#engine.campaign(campaignId) ?? file;
      if (holder !== file) await storeCampaign(transaction, holder, { sealed, nowMs });
      if (calls.length > 0) await storeCalls(transaction, holder.campaignId, calls);
      if (holder !== file && changes.includes('merged')) await moveCalls(transaction, campaignId, holder.campaignId);
      for (const work of works) await work(transaction);
      await announceChanges(this.#context, transaction, { file, changes });
      if (isTold && file.standing.because !== 'lawful')
        await tellCampaign(this.#context, transaction, { file, nowMs, organizations: this.#organizations });
    });
    this.#standings.delete(campaignId);
    if (isTold) this.#toldMs.set(campaignId, nowMs);
    if (changes.length > 0) this.#heardCalls.set(campaignId, observedCalls);
  }

  async #flushOnce(isDue: (entry: Unstored) => boolean, isLast = false): Promise<void> {
    this.gather();
    const nowMs = this.#context.clock.nowMs();
    const failures: unknown[] = [];
    for (const entry of [...this.#unstored.values()].filter(isDue)) {
      const { failed } = entry;
      if (failed !== undefined && nowMs < failed.nextTryMs && !isLast) {
        if (!isSetAside(failed, nowMs)) failures.push(failed.error);
        continue;
      }
      // What comes while it is being stored is news of the next time.
      const { campaignId } = entry.file;
      this.#unstored.delete(campaignId);
      this.#current = entry;
      try {
        await this.#storeOne(entry);
        if (failed !== undefined) await forgetFailure(this.#context, STORE_JOB, campaignId);
      } catch (error) {
        const later = this.#entryOf(entry.file);
        later.calls = [...entry.calls, ...later.calls].slice(0, MAX_UNSTORED_CALLS);
        later.changes = [...new Set([...entry.changes, ...later.changes])];
        later.works = [...entry.works, ...later.works];
        // Where the database cannot even note it, no campaign is to blame.
        const nextTryMs = await noteFailure(this.#context, { job: STORE_JOB, item: campaignId, nowMs, error });
        later.failed = { error, nextTryMs };
        failures.push(error);
      } finally {
        this.#current = undefined;
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #inTurn(isDue: (entry: Unstored) => boolean, isLast?: boolean): Promise<void> {
    const next = this.#running.then(() => this.#flushOnce(isDue, isLast));
    this.#running = next.catch(() => undefined);
    return next;
  }
}

function isAnnounced(change: CampaignChange, stored: StoredStanding | undefined): boolean {
  if (stored === undefined) return false;
  return change === 'found' || change === stored.state || (change === 'merged' && stored.isMerged);
}

/** What was set aside is not waited for any longer. */
const isSetAside = ({ nextTryMs }: { readonly nextTryMs: number }, nowMs: number): boolean =>
  nextTryMs - nowMs > LONGEST_WAIT_MS;

async function announceChanges(
  context: PlatformContext,
  transaction: PlatformTransaction,
  { file, changes }: { readonly file: CampaignFile; readonly changes: readonly CampaignChange[] },
): Promise<void> {
  const { campaignId } = file;
  for (const change of changes) {
    // That there is one is news to nobody when an analyst has said that it is none.
    if (file.standing.because === 'lawful' && change !== 'merged') continue;
    await context.announce(transaction, {
      type: 'campaign.changed',
      subject: campaignId,
      data: { campaignId, change },
    });
    if (change === 'grown') continue;
    await context.audit(transaction, {
      action: `campaign.${change}`,
      organizationId: 'platform',
      actor: 'platform',
      object: `campaign:${campaignId}`,
      details: { name: file.name, observedCalls: file.observedCalls, because: file.standing.because },
    });
  }
}

async function tellCampaign(
  context: PlatformContext,
  transaction: PlatformTransaction,
  {
    file,
    nowMs,
    organizations,
  }: {
    readonly file: CampaignFile;
    readonly nowMs: number;
    readonly organizations: OrganizationDirectory;
  },
): Promise<void> {
  const agencies = await organizations.agencies(transaction);
  const to = [...agencies.map(({ agencyId }) => agencyId), ...(await organizations.staff(transaction))];
  if (to.length === 0) return;
  const row = await campaignsTables(transaction)
    .selectFrom('campaigns_campaigns')
    .select('findings')
    .where('campaign_id', '=', file.campaignId)
    .executeTakeFirst();
  const findings = row?.findings ?? { tracebackIds: [], providers: [] };
  await context.tell(transaction, {
    type: 'org.hopback.campaign.updated.1',
    subject: file.campaignId,
    data: { campaign: describeCampaign(file, { ...findings, updatedAtMs: nowMs }) },
    to: to.slice(0, MAX_AUDIENCE),
  });
}
