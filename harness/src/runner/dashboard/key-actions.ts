import type { RunControl } from '../run-options.js';

/** What a key does to a run, as SIPp has them: `+ - * /` change its rate, `p` pauses it and lets it go on, `q` stops it. */
export type KeyAction = 'faster' | 'slower' | 'double' | 'halve' | 'pause' | 'stop' | 'interrupt';

/** Control-C, which a terminal in raw mode hands on like any other key. */
const INTERRUPT = '\u0003';

const KEYS: Readonly<Record<string, KeyAction | undefined>> = {
  '+': 'faster',
  '-': 'slower',
  '*': 'double',
  '/': 'halve',
  p: 'pause',
  q: 'stop',
  [INTERRUPT]: 'interrupt',
};

/** The actions of the keys that were pressed, in their order; other keys have none. */
export function keyActions(text: string): readonly KeyAction[] {
  return [...text].flatMap((key) => {
    const action = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    return action === undefined ? [] : [action];
  });
}

/** Does to a run what a key says, but for `interrupt`, which is whoever holds its signal's to do. */
export function actOn(control: RunControl, action: Exclude<KeyAction, 'interrupt'>): void {
  const { rateFactor, isPaused } = control.view();
  switch (action) {
    case 'faster':
      control.setRate(rateFactor * 1.1);
      return;
    case 'slower':
      control.setRate(rateFactor / 1.1);
      return;
    case 'double':
      control.setRate(rateFactor * 2);
      return;
    case 'halve':
      control.setRate(rateFactor / 2);
      return;
    case 'pause':
      if (isPaused) control.resume();
      else control.pause();
      return;
    case 'stop':
      control.stop();
      return;
  }
}
