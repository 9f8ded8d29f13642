import type { RunnerParts } from './runner-parts.js';

export const SIP_PARTS: RunnerParts = undefined as unknown as RunnerParts;
