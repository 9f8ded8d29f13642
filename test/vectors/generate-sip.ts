import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SipCase } from './source/sip-case.js';
import { RFC4475_CASES } from './source/sip-rfc4475.js';
import { RFC5118_CASES } from './source/sip-rfc5118.js';

// Writes test/vectors/sip anew: `node --import tsx test/vectors/generate-sip.ts`. Nothing is random: a run without a change of the
// source changes no file.

const FOLDER = fileURLToPath(new URL('sip/', import.meta.url));

await writeSet('rfc4475', RFC4475_CASES);
await writeSet('rfc5118', RFC5118_CASES);
process.stdout.write(`${RFC4475_CASES.length} messages of RFC 4475, ${RFC5118_CASES.length} of RFC 5118\n`);

async function writeSet(set: string, cases: readonly SipCase[]): Promise<void> {
  const folder = `${FOLDER}${set}`;
  await mkdir(folder, { recursive: true });
  for (const old of await readdir(folder)) await rm(`${folder}/${old}`);
  for (const { name, bytes } of cases) await writeFile(`${folder}/${name}.dat`, bytes());
  const expectations = cases.map(
    ({ name, section, trick, expected }) => [name, { section, trick, ...expected }] as const,
  );
  await writeFile(`${folder}/expectations.json`, `${JSON.stringify(Object.fromEntries(expectations), null, 2)}\n`);
}
