import { checkApiReports } from './api-reports.js';

// `npm run api`: writes docs/api-reports anew. The difference is what a review looks at.
const problems = await checkApiReports({ update: true });
process.stdout.write(problems.map((problem) => `${problem}\n`).join(''));
process.exitCode = problems.length === 0 ? 0 : 1;
