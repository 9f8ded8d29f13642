import type { LifecycleRules, Requester } from '@hopback/sdk/traceback';
import { HARNESS_VERSION } from '../../version.js';
import { alertsDefinition } from '../alerts/alert-tables.js';
import { createAlertsArea } from '../alerts/alerts-area.js';
import { auditDefinition, createAuditArea } from '../audit/audit-area.js';
import type { CampaignsArea } from '../campaigns/campaigns-area.js';
import { campaignsDefinition } from '../campaigns/campaigns-repository.js';
import { createCampaignsArea } from '../campaigns/campaigns-area.js';
import type { AreaDefinition, PlatformArea } from '../core/index.js';
import { AuditLog } from '../database/index.js';
import type { DemandLimits } from '../demands/demand-rows.js';
import { auditProofsOf } from '../demands/demand-rows.js';
import type { DemandsArea } from '../demands/demands-area.js';
import { createDemandsArea } from '../demands/demands-area.js';
import { createHoldReader } from '../demands/holds.js';
import { DEMANDS_DEFINITION } from '../demands/tables.js';
import { openFileStore } from '../demands/file-store.js';
import { eventsDefinition } from '../events/events-tables.js';
import { httpDefinition } from '../http/idempotency.js';
import type { ProvidersArea } from '../providers/providers-area.js';
import { createProvidersArea } from '../providers/providers-area.js';
import { providersDefinition } from '../providers/provider-tables.js';
import type { LiveRetention, RecordsArea } from '../records/create-records-area.js';
import { createRecordsArea } from '../records/create-records-area.js';
import { recordsDefinition } from '../records/records-tables.js';
import type { AreaParts, PluggedArea } from '../start-platform.js';
import type { TracebacksArea } from '../tracebacks/index.js';
import {
  createReceiptSigner,
  createTracebacksArea,
  requestOutcomes,
  tracebacksDefinition,
} from '../tracebacks/index.js';
import { trustDefinition } from '../trust/trust-tables.js';
import type { PlatformHome } from './platform-home.js';

/** Tables of every area of the reference platform, those of the platform itself among them. */
export const REFERENCE_DEFINITIONS: readonly AreaDefinition[] = [
  trustDefinition,
  eventsDefinition,
  httpDefinition,
  auditDefinition,
  providersDefinition,
  recordsDefinition,
  tracebacksDefinition,
  campaignsDefinition,
  alertsDefinition,
  DEMANDS_DEFINITION,
];

/** Name of the log of the audit, where an operator says none. */
export const DEFAULT_LOG_ID = 'platform/audit';

/** What an operator may set of the areas. */
export interface ReferenceSettings {
  /** How live data are kept. */
  readonly retention?: Partial<LiveRetention>;
  readonly demandLimits?: Partial<DemandLimits>;
  /** By which tracebacks are conducted, and in whose name. */
  readonly tracebacks?: { readonly rules?: Partial<LifecycleRules>; readonly requester?: Requester };
  /** Who operates the platform, as certificates name it. Default `Traceback group`. */
  readonly operatorName?: string;
  /** Name of the log of the audit, which stays. Default `platform/audit`. */
  readonly logId?: string;
  /** Is told of each new checkpoint of the audit: to be kept elsewhere. */
  readonly onCheckpoint?: (note: string) => void;
}

/** Areas of a platform that has been opened. */
export interface OpenedAreas {
  readonly providers: ProvidersArea;
  readonly records: RecordsArea;
  readonly tracebacks: TracebacksArea;
  readonly campaigns: CampaignsArea;
  readonly demands: DemandsArea;
  readonly audit: Awaited<ReturnType<typeof openAudit>>;
}

/** An area of the reference platform that has been opened. */
export function openedArea<Name extends keyof OpenedAreas>(
  areas: ReadonlyMap<string, PlatformArea>,
  name: Name,
): OpenedAreas[Name] {
  const area = areas.get(name);
  if (area === undefined) throw new TypeError(`the area ${name} has not been opened`);
  return area as OpenedAreas[Name];
}

/** All areas of the reference platform, in the order in which they rest on each other. */
export function referenceAreas(home: PlatformHome, settings: ReferenceSettings): readonly PluggedArea[] {
  return [
    { definition: auditDefinition, open: (parts) => openAudit(parts, home, settings) },
    {
      definition: providersDefinition,
      open: ({ context, trust }) =>
        createProvidersArea(context, { desk: { requestOutcomes }, hasClient: trust.hasClient }),
    },
    {
      definition: recordsDefinition,
      open: ({ context }) => createRecordsArea(context, { directory: home.folders.live, ...retentionOf(settings) }),
    },
    { definition: tracebacksDefinition, open: (parts) => openTracebacks(parts, home, settings) },
    { definition: campaignsDefinition, open: openCampaigns },
    {
      definition: alertsDefinition,
      open: ({ context, trust, opened }) => {
        const { counting, directory } = openedArea(opened, 'providers');
        return createAlertsArea(context, {
          campaigns: openedArea(opened, 'campaigns').reader,
          desk: openedArea(opened, 'tracebacks').desk,
          counting,
          organizations: trust,
          providers: directory,
        });
      },
    },
    { definition: DEMANDS_DEFINITION, open: (parts) => openDemands(parts, home, settings) },
  ];
}

const retentionOf = ({ retention }: ReferenceSettings): Pick<ReferenceSettings, 'retention'> =>
  retention === undefined ? {} : { retention };

/** The log of the audit is open as long as its area: everything that is committed is brought to it, to the last moment. */
async function openAudit(
  { context, database }: AreaParts,
  { folders, signer }: PlatformHome,
  { logId = DEFAULT_LOG_ID, onCheckpoint }: ReferenceSettings,
) {
  const log = await AuditLog.open({
    context,
    database,
    directory: folders.audit,
    logId,
    signer,
    ...(onCheckpoint !== undefined && { onCheckpoint }),
  });
  return { ...createAuditArea(context, { log }), log, close: () => log.close() };
}

function openTracebacks(
  { context, trust, opened }: AreaParts,
  { receiptKey: { keyId, privateKey } }: PlatformHome,
  settings: ReferenceSettings,
): TracebacksArea {
  return createTracebacksArea(context, {
    providers: openedArea(opened, 'providers').directory,
    organizations: trust,
    live: openedArea(opened, 'records').reader,
    signReceipt: createReceiptSigner({ keyId, privateKey, algorithm: 'ES256' }),
    // Demands are opened later.
    coverage: { covered: (...asked) => openedArea(opened, 'demands').coverage.covered(...asked) },
    ...settings.tracebacks,
  });
}

/** The detection takes up what it knew in the background, and hears what comes after that. Until then what comes is kept for it. */
function openCampaigns({ context, trust, opened }: AreaParts): CampaignsArea {
  const records = openedArea(opened, 'records');
  const area = createCampaignsArea(context, {
    tracebacks: openedArea(opened, 'tracebacks').desk,
    live: records.reader,
    reports: records.reports,
    organizations: trust,
    journalRange: records.journalRange,
    holds: createHoldReader(),
  });
  void records.listen('campaigns', area.listener, area.begun).catch((error: unknown) => {
    context.log.error('live data are not told to the detection of campaigns', { error });
  });
  return area;
}

function openDemands(
  { context, trust, opened }: AreaParts,
  home: PlatformHome,
  settings: ReferenceSettings,
): DemandsArea {
  const { reader, reports, holdPort } = openedArea(opened, 'records');
  const { log } = openedArea(opened, 'audit');
  const ports = {
    campaigns: openedArea(opened, 'campaigns').reader,
    tracebacks: openedArea(opened, 'tracebacks').desk,
    live: reader,
    reports,
    holds: holdPort,
    organizations: trust,
    providers: openedArea(opened, 'providers').directory,
    signer: home.signer,
    proofs: auditProofsOf(context.database, {
      logId: () => log.logId(),
      proofOf: (position) => log.proofOf(position),
      publicKey: home.signer.publicKey,
    }),
    files: openFileStore({ directory: home.folders.files, key: home.fileKey }),
    operator: {
      name: settings.operatorName ?? 'Traceback group',
      software: `@hopback/harness ${HARNESS_VERSION}`,
    },
  };
  return createDemandsArea(context, ports, settings.demandLimits);
}
