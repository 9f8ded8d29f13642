import { isHopbackError } from '../../errors.js';
import type { Pushed, RecordIntake } from '../../records/index.js';
import { boundedOctets } from './bounded-octets.js';
import type { FormReading } from './form-document.js';
import { problem } from './problem.js';

/** How much is taken in at a time. */
export interface IntakeLimits {
  /** Octets of a body, sent and unpacked, 1,024 to 268,435,456. Default 8 MiB: 4,096 records of 2 KiB, as many as the store takes at once. */
  readonly maxBodyBytes: number;
  /** Octets of the bodies that are being taken in, `maxBodyBytes` or more; others are to come again. Default 64 MiB. */
  readonly maxInFlightBytes: number;
  /** Milliseconds that the store may take until the caller is told to come again, 1 or more. Default 10,000. */
  readonly storeTimeoutMs: number;
}

/** What {@link IntakeLimits} are where nothing else is said. */
export const DEFAULT_INTAKE_LIMITS: IntakeLimits = {
  maxBodyBytes: 8_388_608,
  maxInFlightBytes: 67_108_864,
  storeTimeoutMs: 10_000,
};

/** Takes the body of a request in as rows of a source. */
export type TakeIn = (
  request: Request,
  options: {
    readonly sourceId: string;
    /** The rows in a body. Default they are the body. */
    readonly rowsIn?: (octets: Uint8Array) => FormReading;
  },
) => Promise<Pushed | Response>;

/** What {@link createTakeIn} brings together. */
export interface TakeInParts {
  readonly intake: Pick<RecordIntake, 'push'>;
  readonly limits: IntakeLimits;
  /** Told what the store refused with, or what broke. */
  readonly onFailed: (cause: unknown) => void;
}

/** Makes it: what comes back is what was pushed and is durable, or the problem to answer with. Never rejects. */
export function createTakeIn({ intake, limits, onFailed }: TakeInParts): TakeIn {
  const { maxBodyBytes, maxInFlightBytes, storeTimeoutMs } = limits;
  let inFlightBytes = 0;
  const pushed = async (sourceId: string, octets: Uint8Array): Promise<Pushed | Response> => {
    try {
      const outcome = await intake.push(sourceId, octets);
      return outcome.status === 'taken' ? outcome : problem('source-unknown');
    } catch (error) {
      onFailed(error);
      const isLater =
        isHopbackError(error) && (error.retryable || error.code === 'closed' || error.code === 'storage-failed');
      return isLater ? problem('not-stored') : problem('internal');
    }
  };
  return async (request, { sourceId, rowsIn }) => {
    // What a body may become is taken for what it is: one that is packed, or of no known length, may be as large as allowed.
    const room = Math.min(maxBodyBytes, declaredBytes(request) ?? maxBodyBytes);
    if (inFlightBytes + room > maxInFlightBytes) return problem('busy');
    inFlightBytes += room;
    const free = (): void => void (inFlightBytes -= room);
    const body = await boundedOctets(request, maxBodyBytes);
    const rows = body.status === 'read' && rowsIn !== undefined ? rowsIn(body.octets) : body;
    if (rows.status === 'refused') {
      free();
      return problem(body.status === 'refused' ? body.code : 'body-malformed', rows.detail);
    }
    // A store that takes its time keeps the octets, whoever has gone meanwhile.
    const outcome = pushed(sourceId, rows.octets).finally(free);
    return within(outcome, storeTimeoutMs);
  };
}

function declaredBytes({ headers }: Request): number | undefined {
  const length = headers.get('content-length');
  if (length === null || headers.has('content-encoding') || !/^\d{1,15}$/.test(length)) return undefined;
  return Number(length);
}

function within(outcome: Promise<Pushed | Response>, timeoutMs: number): Promise<Pushed | Response> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => resolve(problem('not-stored', 'not durable in time; it may be stored yet')),
      timeoutMs,
    );
    void outcome.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
