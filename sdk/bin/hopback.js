#!/usr/bin/env node
// Committed, so that npm links the command before the package is built.
import { existsSync } from 'node:fs';

if (existsSync(new URL('../dist/cli/main.js', import.meta.url))) await import('../dist/cli/main.js');
else {
  process.stderr.write('hopback: dist is missing. Run `npm run build` at the root of the repository.\n');
  process.exitCode = 4;
}
