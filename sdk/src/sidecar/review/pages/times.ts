import { html } from 'hono/html';
import type { Html } from './layout.js';

/** Shows instants in UTC, and as a clock of the office shows them. */
export interface Times {
  /** @param instant - RFC 3339 in UTC, or milliseconds since the epoch */
  readonly shown: (instant: string | number) => Html;
}

/** Makes it for a zone. @param zone - IANA name */
export function createTimes(zone: string): Times {
  const local = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', timeZoneName: 'short' },
    ...{ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  });
  return {
    shown(instant) {
      const date = new Date(instant);
      if (Number.isNaN(date.getTime())) return html`${String(instant)}`;
      const utc = date.toISOString().slice(0, 19);
      return html`<time datetime="${utc}Z">${utc.replace('T', ' ')} UTC</time>
        <span class="local">(${local.format(date)})</span>`;
    },
  };
}
