import { COUNT_BASE, HOLE } from './record-form.js';

/** A form taken apart at its holes: look-ups read the same few hundred forms again and again. */
export interface ParsedForm {
  /** What stands before each hole, and behind the last. */
  readonly texts: readonly string[];
  /** Of each of them what comes behind its last quotation mark; undefined where it has none. */
  readonly tails: readonly (string | undefined)[];
  /** What fills the holes: values of `HOLE`. */
  readonly holes: readonly number[];
  /** The counts of holes that have one, by the places of the holes; 0 for others. */
  readonly counts: readonly number[];
  /** How many other forms stand in it, those inside them not counted. */
  readonly forms: number;
}

/** Takes a form apart. Never throws. */
export function parseForm(form: string): ParsedForm {
  const texts: string[] = [];
  const holes: number[] = [];
  const counts: number[] = [];
  let from = 0;
  for (let at = 0; at < form.length; at += 1) {
    const hole = form.charCodeAt(at);
    if (hole >= COUNT_BASE) continue;
    texts.push(form.slice(from, at));
    holes.push(hole);
    // The character after these two is a count, whatever it looks like.
    const hasCount = hole === HOLE.hex || hole === HOLE.repeat;
    if (hasCount) at += 1;
    counts.push(hasCount ? form.charCodeAt(at) - COUNT_BASE : 0);
    from = at + 1;
  }
  texts.push(form.slice(from));
  return {
    texts,
    tails: texts.map(behindQuote),
    holes,
    counts,
    forms: holes.filter((hole) => hole === HOLE.form).length,
  };
}

/** What comes behind the last quotation mark; undefined where there is none. Never throws. */
export function behindQuote(text: string): string | undefined {
  const at = text.lastIndexOf('"');
  return at < 0 ? undefined : text.slice(at + 1);
}
