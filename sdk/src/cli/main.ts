#!/usr/bin/env node
import { HOPBACK } from './command-table.js';
import { nodeIo } from './kit/node-io.js';
import { runProgram } from './kit/program.js';

// Not process.exit(): what was written must reach its reader first.
process.exitCode = await runProgram(HOPBACK, process.argv.slice(2), nodeIo());
