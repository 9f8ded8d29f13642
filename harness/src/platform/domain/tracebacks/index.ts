export { canonicalDigits, liveNeighbours, NEIGHBOUR_MARGIN_MS } from './live-neighbours.js';
export type { NeighbourRecord } from './live-neighbours.js';
export type { WaitingItem } from './waiting-items.js';
export { receiveResponse, waitingItems } from './waiting-items.js';
export type { RequestResult, RequestFacts, TracebackFacts, TracebackViewer } from './shown-traceback.js';
export {
  isSameResult,
  NO_RESULT,
  requestResult,
  questionIdentity,
  shownToEach,
  shownTraceback,
  veiledAnswer,
  withoutNumbers,
} from './shown-traceback.js';
