import { pcapOf } from '@hopback/harness/drachtio';
import type { DrachtioServer, TappedMessage } from '@hopback/harness/drachtio';
import { isMain } from './lab.js';
import { openCarrier, SDP } from './sip-lab.js';

/**
 * Draws messages as arrows between servers that speak UDP, a line each.
 * @param servers - by name, from left to right
 */
export function ladder(seen: readonly TappedMessage[], servers: Readonly<Record<string, DrachtioServer>>): string {
  const ports = Object.values(servers).map(({ listening }) => listening[0]?.port);
  const empty = ports.map(() => '|').join(' '.repeat(WIDTH - 1));
  // Whoever sends a message shows it first; its receiver shows it again.
  const sent = seen.filter(({ direction, remote }) => direction === 'out' && ports.includes(remote.port));
  const lines = sent.map(({ text, local, remote }) => {
    const [from, to] = [ports.indexOf(local.port), ports.indexOf(remote.port)];
    const [left, right] = [Math.min(from, to) * WIDTH + 1, Math.max(from, to) * WIDTH];
    const what = ` ${/^(?:SIP\/2\.0 )?(\d{3} [^\r]*|[A-Z]+)/.exec(text)?.[1] ?? ''} `;
    const length = right - left - 1;
    const arrow = from < to ? `${what.padEnd(length, '-')}>` : `<${what.padStart(length, '-')}`;
    return empty.slice(0, left) + arrow + empty.slice(right);
  });
  const heads = Object.keys(servers).map((name) => name.padEnd(WIDTH));
  return [heads.join('').trimEnd(), ...lines].join('\n');
}

/** Characters from one server to the next. */
const WIDTH = 28;

if (isMain(import.meta.url)) {
  const seen: TappedMessage[] = [];
  const onMessage = (message: TappedMessage): void => void seen.push(message);
  const caller = await openCarrier(undefined, { onMessage });
  const callee = await openCarrier(undefined, { onMessage });
  // Nobody takes calls there: the server itself refuses.
  await caller.srf.createUAC(callee.server.uri(), { localSdp: SDP }).catch(() => undefined);
  console.log(ladder(seen, { caller: caller.server, callee: callee.server }));
  // caller                      callee
  // | INVITE ------------------>|
  // |<-------------- 100 Trying |
  // |<- 503 Service Unavailable |
  // | ACK --------------------->|
  const sent = seen.filter(({ direction }) => direction === 'out');
  console.log(pcapOf(sent).length > 24 + 4 * 44); // true
  for (const part of [callee, caller]) await part.close();
}
