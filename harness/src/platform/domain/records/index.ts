export * from './matches-live-query.js';
export * from './read-record-line.js';
export * from './spoken-numbers.js';
export * from './text-without-numbers.js';
export * from './usual-record.js';
export * from './mask-report.js';
export * from './read-complaint.js';
