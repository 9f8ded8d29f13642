import type { IntakeSourceNotice, IntakeState, StreamStatus } from '../records/index.js';
import { countText } from './output.js';
import { shownText } from './shown-text.js';

/** How everything stands; nothing is submitted to a tail. */
export type TailState = Pick<IntakeState, 'sources' | 'platform'>;

/** One line for people. */
export function statusText({ sources, platform }: TailState): string {
  const sum = (name: 'rows' | 'records' | 'rejected' | 'waiting' | 'lost'): number =>
    sources.reduce((total, source) => total + source[name], 0);
  const failing = sources.filter(({ failures }) => failures > 0).map(({ id }) => id);
  const stuck = sources.filter(({ isStuck }) => isStuck).map(({ id }) => id);
  const lost = sum('lost');
  const parts = [
    `${countText(sum('rows'), 'row')}, ${countText(sum('records'), 'record')}, ${String(sum('rejected'))} rejected, ` +
      `${String(sum('waiting'))} waiting`,
    ...(lost > 0 ? [`${String(lost)} LOST`] : []),
    ...(stuck.length > 0 ? [`STUCK: ${stuck.join(', ')}`] : []),
    ...(failing.length > 0 ? [`failing: ${failing.join(', ')}`] : []),
    ...(platform === undefined ? [] : [streamText(platform)]),
  ];
  return parts.join('; ');
}

function streamText({ status, counts }: NonNullable<TailState['platform']>): string {
  const { durableSequence, acknowledgedSequence, deadLetters, storageFailures } = status;
  const refused = total(counts.refused);
  return (
    `${String(counts.shared)} shared, ${String(total(counts.withheld))} withheld; ` +
    `spool ${String(durableSequence)} durable, ${String(acknowledgedSequence)} acknowledged, ${countText(deadLetters, 'dead letter')}` +
    (refused > 0 ? `, ${String(refused)} REFUSED` : '') +
    `${storageFailures > 0 ? `, disk refused ${String(storageFailures)} times` : ''}; platform ${platformText(status)}`
  );
}

/** Whether records get through, and what stands in their way. */
export function platformText({ breaker, trouble }: StreamStatus): string {
  if (trouble === undefined) return 'ok';
  const http = 'httpStatus' in trouble && trouble.httpStatus !== undefined ? ` ${String(trouble.httpStatus)}` : '';
  return `${trouble.reason}${http}${breaker === 'closed' ? '' : ', left alone for now'}`;
}

/** The sum of counts by reason. */
export function total(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** The same for programs: one object a line. */
export function statusDocument(state: TailState, atMs: number): Readonly<Record<string, unknown>> {
  const { sources, platform } = state;
  return {
    format: 'hopback.records-tail.1',
    atMs,
    sources,
    ...(platform === undefined
      ? {}
      : {
          shared: platform.counts.shared,
          withheld: platform.counts.withheld,
          refused: platform.counts.refused,
          stream: platform.status,
          platform: platformText(platform.status),
        }),
  };
}

/** What files hold that was not taken in, when an end is made of it: a line each. */
export function unreadLines({ sources }: TailState): readonly string[] {
  const files = sources.reduce((sum, { unreadFiles }) => sum + unreadFiles, 0);
  const octets = sources.reduce((sum, { unreadBytes }) => sum + unreadBytes, 0);
  return [
    ...(files > 0 ? [`! ${countText(files, 'file')} not read: still being packed or copied, or not to be opened`] : []),
    ...(octets > 0 ? [`· ${countText(octets, 'octet')} at the end of files: no row yet, its line has no end`] : []),
  ];
}

/** What happened, as a line. */
export function noticeText({ source, kind, path, detail }: IntakeSourceNotice): string {
  const mark = kind === 'listening' || kind === 'resumed' ? '✓' : '!';
  const word = kind === 'listening' ? 'listens on ' : path === undefined ? '' : `${shownText(path)} `;
  return `${mark} ${source}: ${word}${detail}`;
}
