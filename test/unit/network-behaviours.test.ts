import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BEHAVIOUR_TRUTHS } from '../../harness/src/network/truth/behaviours/index.js';

test('each behaviour that a scenario can name has its truth, in a file of its name', () => {
  const text = readFileSync(new URL('../../harness/src/scenario/behaviour.ts', import.meta.url), 'utf8');
  const kinds = [...text.matchAll(/readonly kind: '([a-z-]+)'/g)].map(([, kind = '']) => kind);
  const folder = new URL('../../harness/src/network/truth/behaviours/', import.meta.url);
  const others = ['index', 'behaviour-effects'];
  const files = readdirSync(folder)
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !others.includes(name));
  expect(kinds.length).toBeGreaterThan(20);
  expect(new Set(Object.keys(BEHAVIOUR_TRUTHS))).toEqual(new Set(kinds));
  expect(new Set(files)).toEqual(new Set(kinds));
});
