import type { AppReport } from '@hopback/sdk/platform';
import { maskSpokenNumbers } from './spoken-numbers.js';

/** Digits of a North American number without its country code. */
const NATIONAL_DIGITS = 10;

/** A report without numbers, and the pseudonyms by which it is found. */
export interface MaskedReport {
  readonly calledPseudonym: string;
  readonly callingPseudonym?: string;
  /** Numbers are pseudonyms, also those in text; area code and exchange of the number called are shown. */
  readonly masked: unknown;
}

/**
 * Replaces the numbers of a report, those in text too. Never throws.
 * @param pseudonymOf - of a canonical number
 */
export function maskReport(report: AppReport, pseudonymOf: (tn: string) => string): MaskedReport {
  const { called, calling, callerName, servedBy, transcript, app } = report;
  const plain = (text: string): string => maskText(text, pseudonymOf);
  const calledPseudonym = called.shown === 'number' ? pseudonymOf(called.tn) : called.pseudonym;
  const npaNxx = called.shown === 'number' ? /^1(\d{6})\d{4}$/.exec(called.tn)?.[1] : called.npaNxx;
  const callingPseudonym = calling === undefined ? undefined : pseudonymOf(calling);
  return {
    calledPseudonym,
    ...(callingPseudonym !== undefined && { callingPseudonym }),
    masked: {
      ...report,
      app: { ...app, name: plain(app.name) },
      called: { shown: 'pseudonym', pseudonym: calledPseudonym, ...(npaNxx !== undefined && { npaNxx }) },
      ...(callingPseudonym !== undefined && { calling: callingPseudonym }),
      ...(callerName !== undefined && { callerName: plain(callerName) }),
      ...(servedBy !== undefined && { servedBy: plain(servedBy) }),
      ...(transcript !== undefined && { transcript: { ...transcript, text: plain(transcript.text) } }),
    },
  };
}

/**
 * Puts pseudonyms in the place of the numbers of a text: the same call-back number is the same one in every text. Never throws.
 * @param pseudonymOf - of a canonical number
 */
export function maskText(text: string, pseudonymOf: (tn: string) => string): string {
  return maskSpokenNumbers(text, (digits) => `[number ${pseudonymOf(canonical(digits))}]`).text;
}

function canonical(digits: string): string {
  return digits.length === NATIONAL_DIGITS ? `1${digits}` : digits;
}
