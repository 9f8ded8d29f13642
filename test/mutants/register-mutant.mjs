import { register } from 'node:module';

// For `node --import`: whatever process has it loads the product with the defect that the environment names, and so do its children, which inherit both. It
// changes what is loaded; no file is touched. See test/mutants/mutant-environment.ts.
register('./mutant-hooks.mjs', import.meta.url, { data: JSON.parse(process.env.HOPBACK_MUTANT ?? 'null') });
