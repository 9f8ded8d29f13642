import type { ProviderReference } from '../../core/traceback-request.js';
import type { RequesterKind } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import { zoneClock } from '../../records/ingest/written-time.js';
import { REQUESTER_DOMAINS } from './field-values.js';
import { labelIndex } from './label-index.js';
import type { IntakeLabels, LabelIndex } from './label-index.js';
import { zoneClocks } from './stated-time.js';
import type { ZoneClocks } from './stated-time.js';
import type { DateOrder } from './time-words.js';

/** What the reader of a request knows that does not stand in it. */
export interface IntakeOptions {
  /** When the request came, milliseconds since the epoch: calls are not asked about before they were made. */
  readonly receivedAtMs: number;
  /** Who is asked: the reader. Default what the request says, else `the asked provider`. */
  readonly provider?: ProviderReference;
  /** In which zone times without one are: IANA name or `UTC`. Default none: such a time is a doubt. */
  readonly zone?: string;
  /** Which number of a date in figures is the month. Default none: a date that can be read both ways is a doubt. */
  readonly dateOrder?: DateOrder;
  /** Who asks where the request does not say so. Default `itg` of pasted text; of an e-mail from an unknown domain that is a doubt. */
  readonly requesterKind?: RequesterKind;
  /** Domains from which requests come, beside {@link REQUESTER_DOMAINS}. */
  readonly requesters?: Readonly<Record<string, RequesterKind>>;
  /** Domains whose people forward requests, your own: who asks is then whoever sent the message within theirs. */
  readonly forwarders?: readonly string[];
  /** Labels of requests that are not in {@link INTAKE_FIELDS}. */
  readonly labels?: IntakeLabels;
  /** How numbers without `+` were dialled, and technical prefixes. Default North America. */
  readonly numbers?: SourceNumbers;
}

/** The same, looked over. */
export interface IntakeKnowledge extends Omit<IntakeOptions, 'labels' | 'requesters'> {
  readonly labels: LabelIndex;
  readonly requesters: Readonly<Record<string, RequesterKind>>;
  readonly clocks: ZoneClocks;
}

/**
 * Looks options over.
 * @throws {@link HopbackError} `invalid-argument` when there is no such zone, `receivedAtMs` is no time, or a label cannot be
 */
export function intakeKnowledge(options: IntakeOptions): IntakeKnowledge {
  const { labels, requesters, zone, ...rest } = options;
  if (!Number.isFinite(options.receivedAtMs) || Number.isNaN(new Date(options.receivedAtMs).getTime()))
    throw new HopbackError('invalid-argument', 'receivedAtMs is no time: milliseconds since the epoch.');
  const clock = zone === undefined ? undefined : zoneClock(zone);
  if (zone !== undefined && clock === undefined)
    throw new HopbackError(
      'invalid-argument',
      `There is no time zone "${zone}". Name one of the IANA database, or UTC.`,
    );
  return {
    ...rest,
    // The engine has older names for some zones: the one that was given stays.
    ...(zone === undefined ? {} : { zone: clock?.zone === 'UTC' ? 'UTC' : zone }),
    labels: labelIndex(labels),
    clocks: zoneClocks(),
    requesters: { ...REQUESTER_DOMAINS, ...requesters },
  };
}
