#!/usr/bin/env node
import { runHarness } from './run.js';
import { endAtSignals } from './stop-signals.js';

endAtSignals();

// Not process.exit(): what was written must reach its reader first.
process.exitCode = await runHarness(process.argv.slice(2), process);
