import { appendFileSync } from 'node:fs';

/** The defect: `url` of the module, `text` and `replacement`, and `loadedPath`, a file that says whether the module was loaded. */
let mutant = null;

/** @see https://nodejs.org/docs/latest-v20.x/api/module.html#initialize */
export function initialize(data) {
  mutant = data;
}

/** @see https://nodejs.org/docs/latest-v20.x/api/module.html#loadurl-context-nextload */
export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (mutant === null || url !== mutant.url) return loaded;
  const parts = String(loaded.source).split(mutant.text);
  if (parts.length !== 2) throw new Error(`${url} has the text of the mutant ${parts.length - 1} times`);
  appendFileSync(mutant.loadedPath, `${url}\n`);
  return { ...loaded, source: parts.join(mutant.replacement) };
}
