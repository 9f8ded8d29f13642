import type { SeededRandom } from '../../harness/src/faults/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';

/** A call before it is anybody's record. */
export interface PlannedCall {
  readonly atMs: number;
  readonly carrier: number;
  readonly calling: string;
  readonly called: string;
  readonly trunk: string;
  /** Name of the provider that sent it; absent for own subscribers. */
  readonly upstream?: string;
  readonly spc?: string;
  readonly attestation?: 'A' | 'B' | 'C';
  readonly verstat?: 'TN-Validation-Failed';
  /** Seconds of the answered call; undefined where nobody answers. */
  readonly seconds?: number;
  /** Name of the planted campaign, or undefined for ordinary traffic. */
  readonly campaign?: string;
  /** What an application heard, where one reports it. */
  readonly heard?: {
    readonly transcript?: string;
    readonly fingerprint?: string;
    readonly reason: AppReport['reason'];
  };
}

export const CARRIERS = 24;
export const TRAFFIC_START_MS: number = Date.UTC(2026, 10, 16, 15);

/** Area codes of this little world: the North American plan keeps them for its growth. */
export const AREAS: readonly string[] = ['2', '3', '4', '5'].flatMap((first) =>
  Array.from({ length: 10 }, (_, last) => `${first}9${String(last)}`),
);

/** Area codes in use here: those, and that of pharmacies. */
export const ALLOCATED: ReadonlySet<string> = new Set([...AREAS, '888']);

/** Any number of an area, with an exchange that can be. */
export function someNumber(random: SeededRandom, area: string = random.pick(AREAS)): string {
  let exchange = 200 + random.int(800);
  while (exchange % 100 === 11 || [555, 950, 958, 959].includes(exchange)) exchange = 200 + random.int(800);
  return `1${area}${String(exchange)}${line(random)}`;
}

/** Four digits. */
export const line = (random: SeededRandom): string => String(random.int(10_000)).padStart(4, '0');
