import { appendFileSync } from 'node:fs';
import { afterAll, expect } from 'vitest';

// Loaded by each test file of a run that notes which planted defects the file reaches.
const beganMs = performance.now();
const { __hopbackPlanted: planted } = globalThis as { __hopbackPlanted?: { readonly reached: Set<number> } };
planted?.reached.clear();

afterAll(() => {
  const path = process.env['HOPBACK_REACHED'] ?? '';
  const { __hopbackPlanted: noted } = globalThis as { __hopbackPlanted?: { readonly reached: Set<number> } };
  const line = {
    file: expect.getState().testPath,
    tookMs: Math.round(performance.now() - beganMs),
    reached: [...(noted?.reached ?? [])],
  };
  appendFileSync(path, `${JSON.stringify(line)}\n`);
});
