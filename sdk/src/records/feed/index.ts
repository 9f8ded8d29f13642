export { createRecordFeed } from './record-feed.js';
export type { FeedRefusal, RecordFeed, RecordFeedCounts, RecordFeedOptions } from './record-feed.js';
