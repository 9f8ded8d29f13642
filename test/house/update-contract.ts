import { checkContract } from './contract.js';

// `npm run contract`: writes docs/contract anew. The difference is what a review looks at.
const problems = await checkContract({ update: true });
process.stdout.write(problems.map((problem) => `${problem}\n`).join(''));
process.exitCode = problems.length === 0 ? 0 : 1;
