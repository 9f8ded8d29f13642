import type { TrueAnswer } from '../../network/truth/index.js';
import type { SeenAnswer } from '../../oracle/index.js';
import type { Behaviour } from '../../scenario/index.js';

/** A behaviour as a QA engineer would say it, with when and for how many calls it holds. */
export function behaviourText(behaviour: Behaviour): string {
  const { fromSeconds, untilSeconds, share } = behaviour;
  const bounds = [
    fromSeconds === undefined ? '' : `from ${fromSeconds} s`,
    untilSeconds === undefined ? '' : `until ${untilSeconds} s`,
    share === undefined ? '' : `${Math.round(share * 100)} % of calls`,
  ].filter((text) => text !== '');
  return bounds.length === 0 ? doing(behaviour) : `${doing(behaviour)} (${bounds.join(', ')})`;
}

function doing(behaviour: Behaviour): string {
  switch (behaviour.kind) {
    case 'strips-identity':
      return 'strips Identity';
    case 'signs-spoofed':
      return 'signs spoofed calls with A';
    case 'downgrades':
      return `signs anew with ${behaviour.to}`;
    case 'alters-identity':
      return 'alters what others have signed';
    case 'signs-as':
      return `signs as ${behaviour.provider} with ${behaviour.attestation}`;
    case 'diverts':
      return `diverts to ${behaviour.to}${behaviour.withoutDiv === true ? ' without div' : ''}`;
    case 'rewrites-numbers':
      return `rewrites numbers: ${behaviour.how}`;
    case 'forks':
      return `forks to ${behaviour.branches}`;
    case 'replays-identity':
      return 'replays Identity';
    case 'overloads':
      return `refuses above ${behaviour.perSecond} calls/s`;
    case 'crashes':
      return 'crashes';
    case 'certificate':
      return `certificate: ${behaviour.fault}`;
    case 'certificate-server':
      return `certificate server: ${behaviour.fault}`;
    case 'record-gap':
      return 'has a gap in its records';
    case 'purged-records':
      return 'has purged its records';
    case 'clock-skew':
      return `clock is off by ${behaviour.seconds} s`;
    case 'silent':
      return 'is silent';
    case 'late':
      return `answers after ${behaviour.hours} h`;
    case 'refuses':
      return `refuses: ${behaviour.reason}`;
    case 'names-another':
      return [
        `lies: names ${behaviour.provider}`,
        ...(behaviour.colludes === true ? [', which colludes'] : []),
        ...(behaviour.otherCall === true ? [', and discloses another call'] : []),
      ].join('');
    case 'names-nobody':
      return `lies: names ${behaviour.name}`;
    case 'claims-origin':
      return 'lies: says it is the origin';
    default:
      return 'lies: says there was no such call';
  }
}

/** A true answer in words. */
export function answerText(answer: TrueAnswer): string {
  switch (answer.kind) {
    case 'upstream':
      return `from ${answer.provider}`;
    case 'origin':
      return `origin, customer ${answer.caller}`;
    case 'point-of-entry':
      return `point of entry, from ${answer.foreign}`;
    case 'not-retained':
      return 'not retained';
    default:
      return 'not found';
  }
}

/** An answer that was given, in the words of a true one. */
export function seenAnswerText({ kind, named }: SeenAnswer): string {
  if (named !== undefined && (kind === 'received-from' || kind === 'upstream')) return `from ${named}`;
  const words = kind.replaceAll('-', ' ');
  return named === undefined ? words : `${words}: ${named}`;
}

/** What a traceback came to, in words. Of a dispute nobody is the one that it is about. */
export function outcomeText({ kind, provider }: { readonly kind: string; readonly provider?: string }): string {
  const words = kind === 'non-responsive' ? kind : kind.replaceAll('-', ' ');
  return provider === undefined || kind === 'disputed' ? words : `${words} ${provider}`;
}

/** A number with its noun: `1 call`, `2 calls`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
