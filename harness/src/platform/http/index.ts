export type { PlatformTls } from './http-server.js';
export { startHttpServer } from './http-server.js';
export { createKeyedTransactions, httpDefinition } from './idempotency.js';
export { createPlatformApp } from './platform-app.js';
export { createPlatformMetrics } from './platform-metrics.js';
export type { PlatformApp } from './platform-app.js';
export type { GaugeName, HistogramName, Labels, MetricName, PlatformMetrics } from './platform-metrics.js';
export { createRateLimiter } from './rate-limiter.js';
export type { Rate } from './rate-limiter.js';
