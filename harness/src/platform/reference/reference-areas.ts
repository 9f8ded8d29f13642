import type { LifecycleRules, Requester } from '@hopback/sdk/traceback';
import { HARNESS_VERSION } from '../../version.js';
import { alertsDefinition } from '../alerts/alert-tables.js';
import { createAlertsArea } from '../alerts/alerts-area.js';
import { auditDefinition, createAuditArea } from '../audit/audit-area.js';
import type { CampaignsArea } from '../campaigns/campaigns-area.js';
import { campaignsDefinition } from '../campaigns/campaigns-repository.js';
import { createCampaignsArea } from '../campaigns/campaigns-area.js';
import type { AreaDefinition, PlatformArea } from '../core/index.js';
import type { AuditLog } from '../database/index.js';
import { openAuditLog } from '../database/index.js';
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
  readonly tracebacks?: { readonly rules?: LifecycleRules; readonly requester?: Requester };
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
  readonly auditLog: AuditLog;
}

/** All areas of the reference platform, in the order in which they rest on each other; and what they are once they have been opened. */
export function referenceAreas(
  home: PlatformHome,
  settings: ReferenceSettings,
): { readonly areas: readonly PluggedArea[]; readonly opened: () => OpenedAreas } {
  const built: { -readonly [Name in keyof OpenedAreas]?: OpenedAreas[Name] } = {};
  const there = <Name extends keyof OpenedAreas>(name: Name): OpenedAreas[Name] => {
    const area = built[name];
    if (area === undefined) throw new TypeError(`the area ${name} has not been opened`);
    return area;
  };
  const opening: Opening = { home, settings, there };
  const keep =
    <Name extends keyof OpenedAreas>(name: Name) =>
    (area: OpenedAreas[Name]): void =>
      void (built[name] = area);
  return {
    areas: [
      auditArea(home, settings, keep('auditLog')),
      plug(
        providersDefinition,
        ({ context, trust }) => createProvidersArea(context, { desk: { requestOutcomes }, hasClient: trust.hasClient }),
        keep('providers'),
      ),
      plug(
        recordsDefinition,
        ({ context }) => createRecordsArea(context, { directory: home.folders.live, ...retentionOf(settings) }),
        keep('records'),
      ),
      plug(tracebacksDefinition, (parts) => openTracebacks(parts, opening), keep('tracebacks')),
      plug(campaignsDefinition, (parts) => openCampaigns(parts, opening), keep('campaigns')),
      {
        definition: alertsDefinition,
        open: ({ context, trust }) => {
          const { counting, directory } = there('providers');
          return createAlertsArea(context, {
            campaigns: there('campaigns').reader,
            desk: there('tracebacks').desk,
            counting,
            organizations: trust,
            providers: directory,
          });
        },
      },
      plug(DEMANDS_DEFINITION, (parts) => openDemands(parts, opening), keep('demands')),
    ],
    opened: () => ({
      providers: there('providers'),
      records: there('records'),
      tracebacks: there('tracebacks'),
      campaigns: there('campaigns'),
      demands: there('demands'),
      auditLog: there('auditLog'),
    }),
  };
}

function plug<Area extends PlatformArea>(
  definition: PluggedArea['definition'],
  open: (parts: AreaParts) => Promise<Area> | Area,
  keep: (area: Area) => void,
): PluggedArea {
  return {
    definition,
    open: async (parts) => {
      const area = await open(parts);
      keep(area);
      return area;
    },
  };
}

const retentionOf = ({ retention }: ReferenceSettings): Pick<ReferenceSettings, 'retention'> =>
  retention === undefined ? {} : { retention };

interface Opening {
  readonly home: PlatformHome;
  readonly settings: ReferenceSettings;
  readonly there: <Name extends keyof OpenedAreas>(name: Name) => OpenedAreas[Name];
}

/** The log of the audit is open as long as its area: everything that is committed is brought to it, to the last moment. */
function auditArea(
  { folders, signer }: PlatformHome,
  { logId = DEFAULT_LOG_ID, onCheckpoint }: ReferenceSettings,
  opened: (log: AuditLog) => void,
): PluggedArea {
  return {
    definition: auditDefinition,
    open: async ({ context, database }) => {
      const log = await openAuditLog({
        context,
        database,
        directory: folders.audit,
        logId,
        signer,
        ...(onCheckpoint !== undefined && { onCheckpoint }),
      });
      opened(log);
      const area = createAuditArea(context, { log });
      return { ...area, close: log.close, [Symbol.asyncDispose]: log.close };
    },
  };
}

function openTracebacks({ context, trust }: AreaParts, { home, settings, there }: Opening): TracebacksArea {
  const { keyId, privateKey } = home.receiptKey;
  return createTracebacksArea(context, {
    providers: there('providers').directory,
    organizations: trust,
    live: there('records').reader,
    signReceipt: createReceiptSigner({ keyId, privateKey, algorithm: 'ES256' }),
    coverage: { covered: (reading, agencyId, ids) => there('demands').coverage.covered(reading, agencyId, ids) },
    ...settings.tracebacks,
  });
}

/** The detection takes up what it knew in the background, and hears what comes after that. Until then what comes is kept for it. */
function openCampaigns({ context, trust }: AreaParts, { there }: Opening): CampaignsArea {
  const records = there('records');
  const area = createCampaignsArea(context, {
    tracebacks: there('tracebacks').desk,
    live: records.reader,
    reports: records.reports,
    organizations: trust,
    journalRange: records.journalRange,
    holds: createHoldReader(),
  });
  void records.listen('campaigns', area.listener, area.begun).catch((error: unknown) => {
    context.log.error('live data are not told to the detection of campaigns', { error });
  });
  area.startSoon();
  return area;
}

function openDemands(parts: AreaParts, { home, settings, there }: Opening): DemandsArea {
  const { context, trust } = parts;
  const { reader, reports, holdPort } = there('records');
  const { logId, proofOf } = there('auditLog');
  const ports = {
    campaigns: there('campaigns').reader,
    tracebacks: there('tracebacks').desk,
    live: reader,
    reports,
    holds: holdPort,
    organizations: trust,
    providers: there('providers').directory,
    signer: home.signer,
    proofs: auditProofsOf(context.database, { logId, proofOf, publicKey: home.signer.publicKey }),
    files: openFileStore({ directory: home.folders.files, key: home.fileKey }),
    operator: {
      name: settings.operatorName ?? 'Traceback group',
      software: `@hopback/harness ${HARNESS_VERSION}`,
    },
  };
  return createDemandsArea(context, ports, settings.demandLimits);
}
