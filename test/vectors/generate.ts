import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { VECTOR_FOLDER } from '../support/vectors.js';
import { buildVectors } from './source/all-vectors.js';

// Writes test/vectors/verification and test/vectors/pki anew: `npm run build && node --import tsx test/vectors/generate.ts`.
// Keys are made at each run and thrown away; everything else hangs on the vectors' own time, so that they never expire.

const { vectors, files } = await buildVectors();
for (const folder of ['verification', 'pki']) {
  await mkdir(`${VECTOR_FOLDER}${folder}`, { recursive: true });
  for (const old of await readdir(`${VECTOR_FOLDER}${folder}`)) await rm(`${VECTOR_FOLDER}${folder}/${old}`);
}
for (const [path, text] of files) await writeFile(`${VECTOR_FOLDER}${path}`, text);
for (const vector of vectors) {
  await writeFile(`${VECTOR_FOLDER}verification/${vector.name}.json`, `${JSON.stringify(vector, null, 2)}\n`);
}
process.stdout.write(`${vectors.length} vectors, ${files.size} certificate files\n`);
