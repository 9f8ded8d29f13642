import { testShippedRuns } from '../support/shipped-runs.js';

testShippedRuns('short');
