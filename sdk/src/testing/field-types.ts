// The few types of the library that the test kit speaks in, in one place.
export type { PathFailureReason, TnAuthEntry, X5uFailure } from '../stir/index.js';
