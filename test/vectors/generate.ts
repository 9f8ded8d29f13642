import { readdir, rm, writeFile } from 'node:fs/promises';
import { VECTOR_FOLDER } from '../support/vectors.js';
import { remakeVectors } from './remake.js';

// Makes the tokens of test/vectors/verification and the files of test/vectors/pki anew: `npm run build && node --import tsx
// test/vectors/generate.ts`. Keys are made at each run and thrown away; all dates are relative to the vectors' own time, so that they never expire.

const { vectors, files } = await remakeVectors();
for (const old of await readdir(`${VECTOR_FOLDER}pki`)) await rm(`${VECTOR_FOLDER}pki/${old}`);
for (const [path, text] of files) await writeFile(`${VECTOR_FOLDER}${path}`, text);
for (const vector of vectors) {
  await writeFile(`${VECTOR_FOLDER}verification/${vector.name}.json`, `${JSON.stringify(vector, null, 2)}\n`);
}
process.stdout.write(`${vectors.length} vectors, ${files.size} certificate files\n`);
