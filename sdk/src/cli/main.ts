#!/usr/bin/env node
import { nodeIo } from './node-io.js';
import { runCli } from './run.js';

// Not process.exit(): what was written must reach its reader first.
process.exitCode = await runCli(process.argv.slice(2), nodeIo());
