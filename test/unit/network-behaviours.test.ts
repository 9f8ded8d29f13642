import { expect, test } from 'vitest';
import { NODE_BEHAVIOURS } from '../../harness/src/network/node/behaviours.js';
import { BEHAVIOUR_TRUTHS } from '../../harness/src/network/truth/behaviours.js';
import { Behaviour } from '../../harness/src/scenario/schema/scenario.schema.js';

const kinds = (): readonly string[] => Behaviour.options.map(({ shape }) => shape.kind.value);

test('each behaviour that a scenario can name has its truth', () => {
  expect(kinds().length).toBeGreaterThan(20);
  expect(new Set(Object.keys(BEHAVIOUR_TRUTHS))).toEqual(new Set(kinds()));
});

test('each makes a node do something', () => {
  expect(new Set(Object.keys(NODE_BEHAVIOURS))).toEqual(new Set(kinds()));
  for (const doing of Object.values(NODE_BEHAVIOURS)) expect(Object.keys(doing).length).toBeGreaterThan(0);
});

test('who forwards a call names the number that was called in canonical form, however it came', async () => {
  const { sends } = NODE_BEHAVIOURS.diverts;
  if (sends === undefined) throw new TypeError('who forwards a call sends it');
  for (const target of ['4155550123', '+14155550123', '14155550123']) {
    const named: string[] = [];
    const tools = {
      divert: (identity: readonly string[], { from, to }: { readonly from: string; readonly to: string }) => {
        named.push(from, to);
        return Promise.resolve([...identity, 'div']);
      },
    } as unknown as Parameters<typeof sends>[2];
    const leg = { target, headers: { identity: 'shaken' } } as unknown as Parameters<typeof sends>[0];
    const sent = await sends(leg, { kind: 'diverts', to: '12025550199' }, tools);
    expect(named).toEqual(['14155550123', '12025550199']);
    expect(sent).toMatchObject({ target: '+12025550199', headers: { identity: 'shaken\r\nIdentity: div' } });
  }
});
