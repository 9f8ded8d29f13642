import type { Vector } from '../../support/vectors.js';
import { finishVector } from './draft.js';
import { goodVectors } from './good-vectors.js';
import { pathVectors } from './path-vectors.js';
import { reasonVectors } from './reason-vectors.js';
import { createScene } from './scene.js';
import { tableVectors } from './table-vectors.js';

/** Every vector, and every file they refer to, made anew with new keys. */
export interface GeneratedVectors {
  readonly vectors: readonly Vector[];
  /** Text by path below test/vectors. */
  readonly files: ReadonlyMap<string, string>;
}

/** Builds all vectors from their source. */
export async function buildVectors(): Promise<GeneratedVectors> {
  const scene = await createScene();
  const groups = [tableVectors, reasonVectors, pathVectors, goodVectors];
  const vectors = groups.flatMap((group) =>
    Object.entries(group(scene)).map(([name, draft]) => finishVector(name, draft, scene)),
  );
  return { vectors, files: scene.files };
}
