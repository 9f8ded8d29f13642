import { createInterface } from 'node:readline';
import { connectApp } from '../support/drachtio-app.js';
import { answerMutants } from '../support/sip-load-app.js';

// An unmodified drachtio-srf application that answers whatever mutants reach it: `sip-load-app-process.ts PORT SECRET`. To every
// line that it is sent it answers with how many requests it has seen.

const [port = '', secret = ''] = process.argv.slice(2);
let seen = (): number => 0;
await connectApp(
  { control: { host: '127.0.0.1', port: Number(port), secret } },
  {
    setUp: (srf) => {
      seen = answerMutants(srf);
    },
  },
);
// Its routes are on their way; a question behind them is answered behind them.
process.stdout.write('ready\n');
createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`${seen()}\n`));
