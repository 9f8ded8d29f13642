import { testShippedRuns } from '../support/shipped-runs.js';

testShippedRuns('short');
testShippedRuns('calls', 'calls');
