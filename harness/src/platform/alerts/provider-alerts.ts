import { SEVERITIES } from '../domain/alerts/index.js';
import { CONCERN_RULES, countRequest, wilsonInterval } from '../domain/providers/index.js';
import type { CountedRequest } from '../domain/providers/index.js';
import type { PlatformTransaction } from '../core/index.js';
import { holdVersions } from '../database/index.js';
import { rulesOf } from './evaluate.js';
import type { AlertParts } from './evaluate.js';
import { raiseAlert, toldAlready } from './raise-alert.js';

/** Stretch over which requests to a provider are counted: a quarter, so that what was once is not held against it for ever. */
const STRETCH_MS = 90 * 86_400_000;
/** Requests unanswered in it before anybody is told: one lost letter makes no case. */
const MIN_UNANSWERED = 5;
/** Tracebacks that an alert names. */
const MAX_NAMED = 50;

/**
 * Tells the United States and staff that a provider leaves requests unanswered: once a quarter of the calendar, where at least five are and
 * the lower bound of the share is above that of the scorecard. Requests count as they do there: what was withdrawn, met an outage of the
 * platform, or was contested with reason does not.
 */
export async function evaluateProvider(
  parts: AlertParts,
  transaction: PlatformTransaction,
  providerId: string,
): Promise<void> {
  // Whom there is to be told is decided by others.
  holdVersions(transaction);
  const nowMs = parts.context.clock.nowMs();
  const subject = `provider:${providerId}`;
  const reason = `provider-non-responsive:${quarterOf(nowMs)}`;
  // Whoever is silent is so a hundred times over, and its requests are counted while there is somebody to be told.
  const told = await toldAlready(transaction, { subject, reason });
  if (told.size > 0 && (await recipientsOf(parts, transaction, told)).length === 0) return;
  const range = { fromMs: nowMs - STRETCH_MS, toMs: nowMs + 1, providerId };
  const facts = { nowMs, ...(await parts.counting.facts(transaction, range)) };
  const counted: CountedRequest[] = [];
  for await (const outcome of parts.desk.requestOutcomes(transaction, range)) {
    const request = countRequest(outcome, facts);
    if (request.tried.length > 0) counted.push(request);
  }
  const unanswered = counted.filter(({ timeliness }) => timeliness === 'unanswered');
  const { lower } = wilsonInterval(unanswered.length, counted.length);
  if (unanswered.length < MIN_UNANSWERED || lower <= CONCERN_RULES['not-participating'].threshold) return;
  const entry = (await parts.providers.provider(transaction, providerId))?.entry;
  const name = entry?.businessName ?? providerId;
  const tracebackIds = [...new Set(unanswered.map(({ outcome }) => outcome.tracebackId))];
  for (const organizationId of await recipientsOf(parts, transaction, told)) {
    await raiseAlert(parts.context, transaction, {
      ...{ organizationId, subject, reason },
      alert: {
        kind: 'provider-non-responsive',
        severity: 'warning',
        title: `${name.slice(0, 200)} leaves requests unanswered`,
        summary: `${unanswered.length} of ${counted.length} requests of the last 90 days are due and unanswered. The scorecard has each of them with its reason.`,
        tracebackIds: tracebackIds.slice(0, MAX_NAMED),
        providers: [{ providerId, name, ...(entry?.frn !== undefined && { frn: entry.frn }) }],
        figures: [
          { name: 'unanswered', value: unanswered.length },
          { name: 'requests', value: counted.length },
        ],
      },
    });
  }
}

/** Who wants such alerts and has not had this one. */
async function recipientsOf(
  parts: AlertParts,
  transaction: PlatformTransaction,
  told: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { agencies, subscriptions } = await rulesOf(parts, transaction);
  const isWanted = (agencyId: string): boolean => {
    const subscription = subscriptions.get(agencyId);
    return (
      subscription?.withoutKinds.includes('provider-non-responsive') !== true &&
      SEVERITIES.indexOf('warning') >= SEVERITIES.indexOf(subscription?.minSeverity ?? 'information')
    );
  };
  return agencies
    .filter(({ agencyId, jurisdiction }) => jurisdiction === 'US' && isWanted(agencyId) && !told.has(agencyId))
    .map(({ agencyId }) => agencyId);
}

function quarterOf(ms: number): string {
  const date = new Date(ms);
  return `${date.getUTCFullYear()}-q${Math.floor(date.getUTCMonth() / 3) + 1}`;
}
