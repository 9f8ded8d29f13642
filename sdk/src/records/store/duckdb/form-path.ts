import type { FormNumbers } from './record-encoder.js';

/**
 * Most steps that are remembered, some 25 MB. They are forgotten all at once when there are more: what is usual is back after a few
 * records, what never comes twice is not.
 */
export const MAX_PATH_STEPS = 262_144;

/** What follows a step, by the text or value that makes it. */
interface Step extends FormStep {
  readonly text: string;
  readonly before: Step | undefined;
  /** The step taken last from here: mostly the next one too. */
  lastToken: string | undefined;
  lastStep: Step | undefined;
  tokens: Map<string, Step> | undefined;
  lastWord: string | number | undefined;
  lastWordStep: Step | undefined;
  words: Map<string | number, Step> | undefined;
  /** Number of the form that ends here; 0 while it has none. */
  form: number;
}

/**
 * Finds the numbers of forms without writing them: a record steps through what records before it have stepped through, and only
 * where none has been is the text of the form put together. Writing and hashing the text of every form took longer than all the
 * rest of a record.
 */
export interface FormPaths {
  readonly start: () => FormStep;
  /** A part of the form as it stands. */
  readonly token: (from: FormStep, text: string) => FormStep;
  /** A string or number of the form as JSON writes it. */
  readonly word: (from: FormStep, value: string | number) => FormStep;
  /** The number of the form that ends here; its text where it has none. */
  readonly end: (last: FormStep) => number | string;
}

/** A place in a form. */
export interface FormStep {
  /** For whoever steps: what it has made of the names of the members of the object that begins here. */
  shape: unknown;
}

/** Makes the paths of a table of forms. Never throws. */
export function createFormPaths(forms: FormNumbers): FormPaths {
  let root = step('', undefined);
  let count = 0;

  const added = (text: string, before: Step): Step => {
    count += 1;
    return step(text, before);
  };

  const nextToken = (from: Step, text: string): Step => {
    from.tokens ??= new Map();
    let next = from.tokens.get(text);
    if (next === undefined) from.tokens.set(text, (next = added(text, from)));
    from.lastToken = text;
    from.lastStep = next;
    return next;
  };

  const nextWord = (from: Step, value: string | number): Step => {
    from.words ??= new Map();
    let next = from.words.get(value);
    if (next === undefined) from.words.set(value, (next = added(JSON.stringify(value), from)));
    from.lastWord = value;
    from.lastWordStep = next;
    return next;
  };

  return {
    start: () => {
      if (count > MAX_PATH_STEPS) {
        root = step('', undefined);
        count = 0;
      }
      return root;
    },
    token: (from, text) => {
      const at = from as Step;
      return at.lastToken === text && at.lastStep !== undefined ? at.lastStep : nextToken(at, text);
    },
    word: (from, value) => {
      const at = from as Step;
      return at.lastWord === value && at.lastWordStep !== undefined ? at.lastWordStep : nextWord(at, value);
    },
    end: (last) => {
      const at = last as Step;
      if (at.form !== 0) return at.form;
      const text = textTo(at);
      at.form = forms.numberOf(text);
      return at.form || text;
    },
  };
}

function step(text: string, before: Step | undefined): Step {
  return {
    text,
    before,
    lastToken: undefined,
    lastStep: undefined,
    tokens: undefined,
    lastWord: undefined,
    lastWordStep: undefined,
    words: undefined,
    form: 0,
    shape: undefined,
  };
}

function textTo(last: Step): string {
  const texts: string[] = [];
  for (let at: Step | undefined = last; at !== undefined; at = at.before) texts.push(at.text);
  return texts.reverse().join('');
}
