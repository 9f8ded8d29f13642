// Run in a folder with the package installed: imports the specifier it is given and prints the URL of every module that
// was loaded, one a line. ES modules are seen by a loader hook, CommonJS ones by require's cache.
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

const hook = `
  import { writeSync } from 'node:fs';
  export async function load(url, context, next) {
    writeSync(1, url + '\\n');
    return next(url, context);
  }`;

register(`data:text/javascript,${encodeURIComponent(hook)}`);
await import(process.argv[2]);
for (const path of Object.keys(createRequire(import.meta.url).cache))
  process.stdout.write(`${pathToFileURL(path).href}\n`);
