import { createHash } from 'node:crypto';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { MAX_DEMAND_DOCUMENT_BYTES } from '../../contract/demand.js';
import type { DemandDecision, DemandDecisionRequest, ProductionFile } from '../../contract/demand.js';
import { demandScopeRefusal, jsonAnswer, problemAnswer } from '../../contract/platform-answer.js';
import type { PlatformAnswer } from '../../contract/platform-answer.js';
import type { Demand, DemandSubmission, Production } from '../../platform/index.js';
import type { EventHub } from './event-hub.js';
import type { Placed } from './kit-registry.js';
import type { ClientRegister } from './registered-clients.js';
import { conforming } from './kit-registry.js';

/** How long the files of a production can be fetched: thirty days. */
export const PRODUCTION_LIFETIME_MS: number = 30 * 86_400_000;

/** Name of the file of a production that lists the others. */
const MANIFEST_NAME = 'manifest.json';

/** A file of a production, as a test gives it. */
export interface TestProductionFile extends Pick<
  Production['files'][number],
  'name' | 'mediaType' | 'recordClass' | 'records'
> {
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

/** What it is made with. */
interface KitDemandsParts {
  readonly clock: Clock;
  readonly register: ClientRegister;
  readonly hub: EventHub;
  readonly newId: (kind: string) => string;
  readonly newPlace: () => number;
}

const STATES: Readonly<Record<DemandDecisionRequest['decision'], Demand['state']>> = {
  approve: 'approved',
  narrow: 'narrowed',
  reject: 'rejected',
};

/** Takes demands, has them decided, and hands over what is produced under them. */
export class KitDemands {
  readonly #parts: KitDemandsParts;
  readonly #demands = new Map<string, HeldDemand>();
  readonly #productions = new Map<string, HeldProduction>();

  constructor(parts: KitDemandsParts) {
    this.#parts = parts;
  }

  submit(submission: DemandSubmission, document: Uint8Array, clientId: string): PlatformAnswer {
    if (document.length > MAX_DEMAND_DOCUMENT_BYTES) return problemAnswer('too-large');
    if (!isStatedPdf(document, submission.documentSha256)) return problemAnswer('document-unreadable');
    const refusal = demandScopeRefusal(submission.scope);
    if (refusal !== undefined) return refusal;
    const demandId = this.#parts.newId('dmd');
    const item: Demand = {
      format: 'hopback.demand.1',
      demandId,
      state: 'under-review',
      submittedAt: this.#iso(),
      documentSizeBytes: document.length,
      decisions: [],
      productionIds: [],
      ...submission,
    };
    this.#demands.set(demandId, { place: this.#parts.newPlace(), item, submittedBy: clientId });
    return jsonAnswer(item);
  }

  decide(demandId: string, request: DemandDecisionRequest, decidedBy: string): PlatformAnswer {
    const held = this.#demands.get(demandId);
    if (held === undefined) return problemAnswer('not-found');
    if (held.item.state !== 'under-review') return problemAnswer('demand-not-open');
    const refusal = request.decision === 'narrow' ? demandScopeRefusal(request.scope) : undefined;
    if (refusal !== undefined) return refusal;
    const decisionId = this.#parts.newId('dec');
    const decision: DemandDecision = { ...request, decisionId, decidedBy, decidedAt: this.#iso() };
    const decisions = [...held.item.decisions, decision];
    const { item } = this.#change(held, { state: STATES[request.decision], decisions });
    const data = { demandId, decision };
    this.#parts.hub.emit({ type: 'org.hopback.demand.decided.1', subject: demandId, data, to: this.#concerned(held) });
    return jsonAnswer(item);
  }

  demands(): readonly HeldDemand[] {
    return [...this.#demands.values()];
  }

  demand(demandId: string): HeldDemand | undefined {
    return this.#demands.get(demandId);
  }

  /** Begins a production. @throws {@link HopbackError} `invalid-argument` where no decision allows one */
  prepare(demandId: string): Production {
    const held = this.#demands.get(demandId);
    const decision = held?.item.decisions.at(-1);
    if (held === undefined || decision === undefined || decision.decision === 'reject')
      throw new HopbackError('invalid-argument', `no decision allows a production under ${demandId}`);
    const productionId = this.#parts.newId('prd');
    const production: Production = {
      format: 'hopback.production.1',
      productionId,
      demandId,
      decisionId: decision.decisionId,
      state: 'in-preparation',
      createdAt: this.#iso(),
      files: [],
    };
    this.#productions.set(productionId, { production, contents: new Map() });
    this.#change(held, { productionIds: [...held.item.productionIds, productionId] });
    return production;
  }

  /** Ends a production. @throws {@link HopbackError} `invalid-argument` where it is none, is ready already, or files have one name */
  produce(productionId: string, files: readonly TestProductionFile[]): Production {
    const found = this.production(productionId);
    if (found?.production.state !== 'in-preparation')
      throw new HopbackError('invalid-argument', `${productionId} is no production that is being prepared`);
    const contents = contentsOf(files);
    const production = conforming('Production', {
      ...found.production,
      state: 'ready',
      manifestName: MANIFEST_NAME,
      readyAt: this.#iso(),
      expiresAt: this.#iso(PRODUCTION_LIFETIME_MS),
      files: listed(files, contents),
    });
    this.#productions.set(productionId, { production, contents });
    this.#change(found.held, { state: 'produced' });
    const to = this.#concerned(found.held);
    this.#parts.hub.emit({ type: 'org.hopback.production.ready.1', subject: productionId, data: { production }, to });
    return production;
  }

  /** A production as it stands now, and the demand that it is under. */
  production(productionId: string): { readonly production: Production; readonly held: HeldDemand } | undefined {
    const found = this.#productions.get(productionId)?.production;
    const held = found === undefined ? undefined : this.#demands.get(found.demandId);
    if (found === undefined || held === undefined) return undefined;
    const { expiresAt } = found;
    const isOver = expiresAt !== undefined && this.#parts.clock.nowMs() >= Date.parse(expiresAt);
    return { production: isOver ? { ...found, state: 'expired' } : found, held };
  }

  /** The octets of a file, or why there are none now. */
  file(productionId: string, name: string): PlatformAnswer {
    const state = this.production(productionId)?.production.state;
    const held = this.#productions.get(productionId);
    const bytes = held?.contents.get(name);
    if (state === 'in-preparation') return problemAnswer('production-not-ready');
    if (bytes === undefined) return problemAnswer('not-found');
    if (state === 'expired') return problemAnswer('gone');
    const mediaType = held?.production.files.find((file) => file.name === name)?.mediaType;
    return { kind: 'file', bytes, mediaType: mediaType ?? 'application/octet-stream' };
  }

  /** The client that submitted a demand, and staff. */
  #concerned({ submittedBy }: HeldDemand): readonly string[] {
    return [...new Set([submittedBy, ...this.#parts.register.clientsOf('staff')])];
  }

  #change(held: HeldDemand, changes: Partial<Demand>): HeldDemand {
    const next = { ...held, item: { ...held.item, ...changes } };
    this.#demands.set(next.item.demandId, next);
    return next;
  }

  #iso(afterMs = 0): string {
    return new Date(this.#parts.clock.nowMs() + afterMs).toISOString();
  }
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
      name,
      mediaType,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
      ...(recordClass !== undefined && { recordClass }),
      ...(records !== undefined && { records }),
    };
  });
}
