import { peer } from '../peers.js';
import { startLibsecsipidLoop } from '../peers/libsecsipid/loop.js';
import type { LibsecsipidRound } from '../peers/libsecsipid/loop.js';
import { median } from './bench.js';
import type { Contestant, Figure, Rate } from './bench.js';
import type { SignedCall } from './signed-calls.js';

/** libsecsipid on one core; where it is missing, contestants without a rate. */
export interface LibsecsipidContestants extends AsyncDisposable {
  /** One header again and again: the library remembers nothing, so that variety would make it no slower. */
  readonly verify: Contestant;
  readonly sign: Contestant;
  /** CPU time by wall time, median of the rounds so far. */
  readonly cores: () => number;
  /** What a figure says of it as its baseline: nothing where it is missing, but how to get it. */
  readonly baseline: (rate: Rate, note?: string) => Pick<Figure, 'baselineValue' | 'note'>;
}

/** Starts the loop around libsecsipid with a call of ours, whose signer is its key pair. */
export async function startLibsecsipid(call: SignedCall | undefined): Promise<LibsecsipidContestants> {
  const { available, install } = peer('libsecsipid');
  const identityHeader = call?.request.identity;
  const loop =
    available && typeof identityHeader === 'string' && call !== undefined
      ? await startLibsecsipidLoop({ identityHeader, ...call.signer.provider })
      : undefined;
  const cores: number[] = [];
  const rateOf = async (round: Promise<LibsecsipidRound> | undefined): Promise<number> => {
    if (round === undefined) return Number.NaN;
    const measured = await round;
    cores.push(measured.cores);
    return measured.perSecond;
  };
  return {
    verify: { measure: (ms) => rateOf(loop?.verify(ms)) },
    sign: { measure: (ms) => rateOf(loop?.sign(ms)) },
    cores: () => median(cores),
    baseline: (rate, note) =>
      loop === undefined
        ? { note: `libsecsipid is missing: ${install}` }
        : { baselineValue: rate.median, ...(note === undefined ? {} : { note }) },
    [Symbol.asyncDispose]: async () => {
      await loop?.close();
    },
  };
}
