import { createHash } from 'node:crypto';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { demandScopeRefusal, jsonAnswer, MAX_DEMAND_DOCUMENT_BYTES, problemAnswer } from '../../platform/index.js';
import type {
  Demand,
  DemandDecision,
  DemandDecisionRequest,
  DemandState,
  DemandSubmission,
  PlatformAnswer,
  Production,
  ProductionFile,
} from '../../platform/index.js';
import type { EventHub } from './event-hub.js';
import type { Placed } from './kit-registry.js';
import type { ClientRegister } from './registered-clients.js';
import { conforming } from './kit-registry.js';

/** How long the files of a production can be fetched: thirty days. */
export const PRODUCTION_LIFETIME_MS: number = 30 * 86_400_000;

/** Name of the file of a production that lists the others. */
const MANIFEST_NAME = 'manifest.json';

/** A file of a production, as a test gives it. */
export interface TestProductionFile extends Pick<ProductionFile, 'name' | 'mediaType' | 'recordClass' | 'records'> {
  readonly bytes: Uint8Array;
}

/** A demand, and whose it is. */
export interface HeldDemand extends Placed<Demand> {
  readonly submittedBy: string;
}

interface HeldProduction {
  readonly production: Production;
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/** Takes demands, has them decided, and hands over what is produced under them. */
export interface KitDemands {
  readonly submit: (submission: DemandSubmission, document: Uint8Array, clientId: string) => PlatformAnswer;
  readonly decide: (demandId: string, decision: DemandDecisionRequest, decidedBy: string) => PlatformAnswer;
  readonly demands: () => readonly HeldDemand[];
  readonly demand: (demandId: string) => HeldDemand | undefined;
  /** Begins a production. @throws {@link HopbackError} `invalid-argument` where no decision allows one */
  readonly prepare: (demandId: string) => Production;
  /** Ends a production. @throws {@link HopbackError} `invalid-argument` where it is none, is ready already, or files have one name */
  readonly produce: (productionId: string, files: readonly TestProductionFile[]) => Production;
  /** As it stands now, and the demand that it is under. */
  readonly production: (
    productionId: string,
  ) => { readonly production: Production; readonly held: HeldDemand } | undefined;
  /** Its octets, or why there are none now. */
  readonly file: (productionId: string, name: string) => PlatformAnswer;
}

/** What it is made with. */
export interface KitDemandsParts {
  readonly clock: Clock;
  readonly register: ClientRegister;
  readonly hub: EventHub;
  readonly newId: (kind: string) => string;
  readonly newPlace: () => number;
}

const STATES: Readonly<Record<DemandDecisionRequest['decision'], DemandState>> = {
  approve: 'approved',
  narrow: 'narrowed',
  reject: 'rejected',
};

export function createKitDemands(parts: KitDemandsParts): KitDemands {
  const { clock, hub, newId, newPlace } = parts;
  const demands = new Map<string, HeldDemand>();
  const productions = new Map<string, HeldProduction>();
  const iso = (afterMs = 0): string => new Date(clock.nowMs() + afterMs).toISOString();
  /** Whoever submitted a demand, and staff. */
  const concerned = ({ submittedBy }: HeldDemand): readonly string[] => [
    ...new Set([submittedBy, ...parts.register.clientsOf('staff')]),
  ];
  const change = (held: HeldDemand, changes: Partial<Demand>): HeldDemand => {
    const next = { ...held, item: { ...held.item, ...changes } };
    demands.set(next.item.demandId, next);
    return next;
  };
  /** Its lifetime is over by the clock, whoever looks. */
  const asOfNow = (production: Production): Production => {
    const { expiresAt } = production;
    const isOver = expiresAt !== undefined && clock.nowMs() >= Date.parse(expiresAt);
    return isOver ? { ...production, state: 'expired' } : production;
  };
  const productionOf = (productionId: string): ReturnType<KitDemands['production']> => {
    const found = productions.get(productionId)?.production;
    const held = found === undefined ? undefined : demands.get(found.demandId);
    return found === undefined || held === undefined ? undefined : { production: asOfNow(found), held };
  };

  return {
    submit: (submission, document, clientId) => {
      if (document.length > MAX_DEMAND_DOCUMENT_BYTES) return problemAnswer('too-large');
      if (!isStatedPdf(document, submission.documentSha256)) return problemAnswer('document-unreadable');
      const refusal = demandScopeRefusal(submission.scope);
      if (refusal !== undefined) return refusal;
      const item: Demand = {
        ...{ format: 'hopback.demand.1', demandId: newId('dmd'), state: 'under-review', submittedAt: iso() },
        ...{ documentSizeBytes: document.length, decisions: [], productionIds: [] },
        ...submission,
      };
      demands.set(item.demandId, { place: newPlace(), item, submittedBy: clientId });
      return jsonAnswer(item);
    },
    decide: (demandId, request, decidedBy) => {
      const held = demands.get(demandId);
      if (held === undefined) return problemAnswer('not-found');
      if (held.item.state !== 'under-review') return problemAnswer('demand-not-open');
      const refusal = request.decision === 'narrow' ? demandScopeRefusal(request.scope) : undefined;
      if (refusal !== undefined) return refusal;
      const decision: DemandDecision = { ...request, decisionId: newId('dec'), decidedBy, decidedAt: iso() };
      const { item } = change(held, { state: STATES[request.decision], decisions: [...held.item.decisions, decision] });
      const data = { demandId, decision };
      hub.emit({ type: 'org.hopback.demand.decided.1', subject: demandId, data, to: concerned(held) });
      return jsonAnswer(item);
    },
    demands: () => [...demands.values()],
    demand: (demandId) => demands.get(demandId),
    prepare: (demandId) => {
      const held = demands.get(demandId);
      const decision = held?.item.decisions.at(-1);
      if (held === undefined || decision === undefined || decision.decision === 'reject')
        throw new HopbackError('invalid-argument', `no decision allows a production under ${demandId}`);
      const production: Production = {
        ...{ format: 'hopback.production.1', productionId: newId('prd'), demandId, decisionId: decision.decisionId },
        ...{ state: 'in-preparation', createdAt: iso(), files: [] },
      };
      productions.set(production.productionId, { production, contents: new Map() });
      change(held, { productionIds: [...held.item.productionIds, production.productionId] });
      return production;
    },
    produce: (productionId, files) => {
      const found = productionOf(productionId);
      if (found?.production.state !== 'in-preparation')
        throw new HopbackError('invalid-argument', `${productionId} is no production that is being prepared`);
      const contents = contentsOf(files);
      const production = conforming('Production', {
        ...found.production,
        ...{ state: 'ready', readyAt: iso(), expiresAt: iso(PRODUCTION_LIFETIME_MS), manifestName: MANIFEST_NAME },
        files: listed(files, contents),
      });
      productions.set(productionId, { production, contents });
      change(found.held, { state: 'produced' });
      const to = concerned(found.held);
      hub.emit({ type: 'org.hopback.production.ready.1', subject: productionId, data: { production }, to });
      return production;
    },
    production: productionOf,
    file: (productionId, name) => {
      const state = productionOf(productionId)?.production.state;
      const bytes = productions.get(productionId)?.contents.get(name);
      if (state === 'in-preparation') return problemAnswer('production-not-ready');
      if (bytes === undefined) return problemAnswer('not-found');
      if (state === 'expired') return problemAnswer('gone');
      const mediaType = productions.get(productionId)?.production.files.find((file) => file.name === name)?.mediaType;
      return { kind: 'file', bytes, mediaType: mediaType ?? 'application/octet-stream' };
    },
  };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** @see ISO 32000-2 section 7.5.2 for how a PDF begins */
function isStatedPdf(document: Uint8Array, statedSha256: string): boolean {
  return Buffer.from(document.subarray(0, 5)).toString('latin1') === '%PDF-' && sha256(document) === statedSha256;
}

/** What a test gives, and the list of it. */
function contentsOf(files: readonly TestProductionFile[]): ReadonlyMap<string, Uint8Array> {
  const contents = new Map(files.map(({ name, bytes }) => [name, bytes]));
  if (contents.size < files.length || contents.has(MANIFEST_NAME))
    throw new HopbackError(
      'invalid-argument',
      `files of a production have names of their own, and none is ${MANIFEST_NAME}`,
    );
  const manifest = files.map(({ name, bytes }) => ({ name, sizeBytes: bytes.length, sha256: sha256(bytes) }));
  return contents.set(MANIFEST_NAME, Buffer.from(JSON.stringify(manifest)));
}

function listed(
  files: readonly TestProductionFile[],
  contents: ReadonlyMap<string, Uint8Array>,
): readonly ProductionFile[] {
  return [...contents].map(([name, bytes]) => {
    const { mediaType = 'application/json', recordClass, records } = files.find((file) => file.name === name) ?? {};
    return {
      ...{ name, mediaType, sizeBytes: bytes.length, sha256: sha256(bytes) },
      ...(recordClass !== undefined && { recordClass }),
      ...(records !== undefined && { records }),
    };
  });
}
