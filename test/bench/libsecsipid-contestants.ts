import { peer } from '../peers.js';
import { startLibsecsipidLoop, type LibsecsipidRound } from '../peers/libsecsipid/loop.js';
import { median, type Figure, type Rate } from './bench.js';
import type { SignedCall } from './signed-calls.js';

/**
 * Starts libsecsipid on one core, with a call of ours whose signer is its key pair; where it is missing, contestants without a rate. It checks one header
 * again and again: the library remembers nothing, so that variety would make it no slower.
 */
export async function startLibsecsipid(call: SignedCall | undefined) {
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
    verify: { measure: (ms: number) => rateOf(loop?.verify(ms)) },
    sign: { measure: (ms: number) => rateOf(loop?.sign(ms)) },
    /** CPU time by wall time, median of the rounds so far. */
    cores: () => median(cores),
    /** What a figure says of it as its baseline: nothing where it is missing, but how to get it. */
    baseline: (rate: Rate, note?: string): Pick<Figure, 'baselineValue' | 'note'> =>
      loop === undefined
        ? { note: `libsecsipid is missing: ${install}` }
        : { baselineValue: rate.median, ...(note === undefined ? {} : { note }) },
    [Symbol.asyncDispose]: async (): Promise<void> => loop?.close(),
  };
}
