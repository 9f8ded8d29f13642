import type { AnswerReceipt } from '@hopback/sdk/platform';
import type { LifecycleRules, Requester } from '@hopback/sdk/traceback';
import type {
  DemandCoverage,
  LiveReader,
  OrganizationDirectory,
  PlatformContext,
  ProviderDirectory,
} from '../core/index.js';

/** Signs receipts with a key of the platform. */
export interface ReceiptSigner {
  /** Compact JWS of `typ` `answer-receipt+jws` over the JSON of the receipt. */
  readonly sign: (receipt: AnswerReceipt) => Promise<string>;
}

/** Ports and settings of the area. */
export interface TracebacksOptions {
  readonly providers: ProviderDirectory;
  readonly organizations: OrganizationDirectory;
  readonly receipts: ReceiptSigner;
  /** Live records and reports; neighbours are looked for by people alone where there is none. */
  readonly live?: LiveReader;
  readonly coverage?: DemandCoverage;
  /** By which new tracebacks are conducted; those of the sdk where nothing is said. */
  readonly rules?: LifecycleRules;
  /** In whose name it is asked where nobody else is stated. */
  readonly requester?: Requester;
}

/** What the parts of the area work with. */
export interface TracebacksParts extends TracebacksOptions {
  readonly context: PlatformContext;
}

/** The registered consortium, by its office: 47 USC 227b-1, TRACED Act section 13(d). */
export const DEFAULT_REQUESTER: Requester = { kind: 'itg', name: 'Traceback group' };
