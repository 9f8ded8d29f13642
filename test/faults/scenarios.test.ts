import { testShippedRuns } from '../support/shipped-runs.js';

testShippedRuns('others');
testShippedRuns('calls');
