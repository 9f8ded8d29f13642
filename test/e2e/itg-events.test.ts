import { createServer } from 'node:https';
import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createKeyRing, EVENTS_KEPT_MS, flushWrites, sealJson } from '../../harness/src/platform/database/index.js';
import { startPlatform, type PlatformOptions } from '../../harness/src/platform/index.js';
import { TestPki } from '../../sdk/src/testing/index.js';
import { listening } from '../support/http-server.js';
import { platformLab, startPlatformLab, type PlatformLab, type TestMember } from '../support/itg-platform.js';
import { startStoryReceiver } from '../support/itg-story-receiver.js';
import { WorldClock } from '../../harness/src/network/world/world.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

const pki = new TestPki();
const certificate = pki.issueTls({ addresses: ['127.0.0.1'] });
const clock = new WorldClock();
const options: PlatformOptions = {
  clock,
  webhooks: { ca: pki.tlsRoot.certificatePem, dangerouslyAllowPrivateAddresses: true },
};

let lab: PlatformLab;
let birch: TestMember;
let cedar: TestMember;
beforeAll(async () => {
  lab = await startPlatformLab(options);
  birch = await lab.join('carrier', 'prv-birch');
  cedar = await lab.join('carrier', 'prv-cedar');
});
afterAll(async () => lab[Symbol.asyncDispose]());

interface Posted {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A receiver of HTTPS that answers as it is told, 204 where nothing is said. */
type Answer = (posted: Posted, index: number) => { status: number; headers?: Record<string, string> };

async function receiver(answer: Answer = () => ({ status: 204 })) {
  const posted: Posted[] = [];
  const credentials = { cert: certificate.chainPem, key: certificate.privateKeyPem };
  const server = createServer(credentials, (request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      const headers = request.headers as Record<string, string>;
      const one = { id: headers['webhook-id'] ?? '', headers, body: Buffer.concat(chunks).toString() };
      posted.push(one);
      const { status, headers: more = {} } = answer(one, posted.length - 1);
      response.writeHead(status, more).end();
    });
  });
  const at = await listening(server);
  return { ...at, posted, url: `https://127.0.0.1:${at.port}/hook` };
}

/** Registers an endpoint of birch, and deletes it at the end. */
async function endpointOf(url: string) {
  const { webhookEndpoints } = await lab.client(birch);
  const made = await webhookEndpoints.create({ url });
  const { endpointId } = made;
  return {
    ...{ ...made, webhookEndpoints },
    [Symbol.asyncDispose]: () => webhookEndpoints.delete({ endpointId }),
  };
}

let told = 0;
/** Announces reminders. @returns their numbers */
async function tell(to: Pick<TestMember, 'organizationId'>, count = 1, at: PlatformLab = lab) {
  const numbers: number[] = [];
  for (let index = 0; index < count; index += 1) {
    told += 1;
    const reminder = told;
    numbers.push(reminder);
    await at.platform.context.transact((transaction) =>
      at.platform.context.tell(transaction, {
        type: 'org.hopback.traceback-request.reminded.1',
        subject: 'req-1',
        data: { requestId: 'req-1', tracebackId: 't-1', dueAt: '2026-10-23T20:05:10.020Z', reminder },
        to: [to.organizationId],
      }),
    );
  }
  return numbers;
}
const numbersOf = (posted: readonly { readonly body: string }[]): readonly number[] =>
  posted.map(({ body }) => (JSON.parse(body) as { data: { reminder: number } }).data.reminder);
const PATIENT = { timeout: 30_000, interval: 20 };

test('events are posted in order, signed so that sdk and standardwebhooks verify them, to their organization alone', async () => {
  await using to = await receiver();
  await using others = await receiver();
  const client = await lab.client(birch);
  const made = await client.webhookEndpoints.create({ url: to.url });
  await (await lab.client(cedar)).webhookEndpoints.create({ url: others.url });
  const numbers = await tell(birch, 8);
  await vi.waitFor(() => expect(to.posted).toHaveLength(8), PATIENT);
  expect(numbersOf(to.posted)).toEqual(numbers);
  const envelope = { specversion: '1.0', source: lab.platform.url };
  for (const { headers, body } of to.posted)
    expect(new Webhook(made.secret).verify(body, headers)).toMatchObject(envelope);
  expect(others.posted).toEqual([]);
  const { items } = await client.webhookEndpoints.list();
  expect(items[0]?.lastDeliveredAt).toMatch(/^\d{4}-\d\d-\d\dT/);
  await client.webhookEndpoints.delete({ endpointId: made.endpointId });
  await tell(birch);
  expect((await client.webhookEndpoints.list()).items).toEqual([]);
});

test('the receiver of the sdk takes events with both secrets while one replaces the other', async () => {
  const client = await lab.client(birch);
  await using to = await startStoryReceiver(client, { pki, clock });
  const [endpoint] = (await client.webhookEndpoints.list()).items;
  const { endpointId } = endpoint!;
  const rotate = async (): Promise<string> => (await client.webhookEndpoints.rotateSecret({ endpointId })).secret;
  let rotated = '';
  for (const step of [
    async () => undefined,
    async () => (rotated = await rotate()),
    async () => to.useSecret(rotated),
  ]) {
    await step();
    const before = to.heard.length;
    await tell(birch);
    await vi.waitFor(() => expect(to.heard).toHaveLength(before + 1), PATIENT);
  }
  await client.webhookEndpoints.delete({ endpointId });
});

test('what was not taken is posted again after 5 s, in order; 410 ends it', async () => {
  let isAway = true;
  await using to = await receiver((_posted, index) => ({ status: index >= 4 ? 410 : isAway ? 503 : 204 }));
  await using endpoint = await endpointOf(to.url);
  const numbers = await tell(birch, 3);
  await vi.waitFor(() => expect(to.posted).toHaveLength(1), PATIENT);
  clock.advance(4_000);
  isAway = false;
  clock.advance(1_500);
  await vi.waitFor(() => expect(to.posted).toHaveLength(4), PATIENT);
  expect(numbersOf(to.posted)).toEqual([numbers[0], ...numbers]);
  await tell(birch);
  await vi.waitFor(async () => {
    const { items } = await endpoint.webhookEndpoints.list();
    expect(items[0]).toMatchObject({ state: 'disabled', disabledReason: 'gone' });
  }, PATIENT);
});

test('one event that is refused waits by itself, and the others go on; a redirect is not followed', async () => {
  let refused = '';
  await using elsewhere = await receiver();
  await using to = await receiver(({ id }, index) => {
    if (index === 0) refused = id;
    if (index === 3) return { status: 307, headers: { location: elsewhere.url } };
    return { status: id === refused && index < 3 ? 400 : 204 };
  });
  await using _ = await endpointOf(to.url);
  const numbers = await tell(birch, 3);
  await vi.waitFor(() => expect(numbersOf(to.posted)).toEqual(numbers), PATIENT);
  clock.advance(5_100);
  await vi.waitFor(() => expect(to.posted).toHaveLength(4), PATIENT);
  clock.advance(300_100);
  await vi.waitFor(() => expect(numbersOf(to.posted)).toEqual([...numbers, numbers[0], numbers[0]]), PATIENT);
  expect(elsewhere.posted).toEqual([]);
});

test('an event that the platform cannot open waits by itself, the others go on, and it is posted once it can be opened', async () => {
  await using to = await receiver();
  await using _ = await endpointOf(to.url);
  const { context } = lab.platform;
  const reference = await context.transact(async (transaction) => {
    const value = { noticeId: 'n-1' };
    const [piece = ''] = await sealJson(context, transaction, { value, belongsTo: 'notice:n-1' });
    await context.tell(transaction, {
      ...{ type: 'org.hopback.notice.issued.1', subject: 'n-1', data: { member: 'notice', sealed: [piece] } },
      to: [birch.organizationId],
    });
    await flushWrites(transaction);
    await sql`update core_sealed set key_id = 'lost ' || key_id where reference = ${piece}`.execute(transaction);
    return piece;
  });
  const numbers = await tell(birch, 2);
  await vi.waitFor(() => expect(numbersOf(to.posted)).toEqual(numbers), PATIENT);
  await context.transact((transaction) =>
    sql`update core_sealed set key_id = substr(key_id, 6) where reference = ${reference}`.execute(transaction),
  );
  clock.advance(5_100);
  await vi.waitFor(() => expect(to.posted).toHaveLength(3), PATIENT);
  expect(JSON.parse(to.posted[2]?.body ?? '')).toMatchObject({ data: { notice: { noticeId: 'n-1' } } });
});

test('events of the last hour are posted once more under their old ids', async () => {
  await using to = await receiver();
  const since = new Date(clock.nowMs()).toISOString();
  const numbers = await tell(birch, 3);
  await using endpoint = await endpointOf(to.url);
  const { endpointId, webhookEndpoints } = endpoint;
  expect(await webhookEndpoints.replay({ endpointId, since })).toEqual({ endpointId, events: 3 });
  await vi.waitFor(() => expect(numbersOf(to.posted)).toEqual(numbers), PATIENT);
  await expect(webhookEndpoints.replay({ endpointId, since: '2020-01-01T00:00:00Z' })).rejects.toMatchObject({
    code: 'request-refused',
  });
});

const streamOf = async (member: TestMember, more: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${lab.platform.url}/v1/events`, {
    headers: { authorization: `Bearer ${await lab.token(member)}`, ...more },
  });

test('a stream delivers new events, goes on behind the last event, and ends when its client is revoked', async () => {
  const member = await lab.join('carrier', 'prv-stream');
  const client = await lab.client(member);
  const read = async (count: number, lastEventId?: string): Promise<readonly { reminder: number; id: string }[]> => {
    const found: { reminder: number; id: string }[] = [];
    const leaving = new AbortController();
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    const reading = (async () => {
      for await (const item of client.events({
        signal: leaving.signal,
        ...(lastEventId !== undefined && { lastEventId }),
        onConnection: () => open(),
      })) {
        if (item.status !== 'event') continue;
        found.push({ reminder: (item.event.data as { reminder: number }).reminder, id: item.lastEventId });
        if (found.length === count) leaving.abort();
      }
    })().catch(() => undefined);
    await opened;
    if (lastEventId === undefined) await tell(member, count);
    await reading;
    return found;
  };
  const first = await read(3);
  expect(first).toHaveLength(3);
  const missed = await tell(member, 2);
  const expected = [...first.slice(1).map(({ reminder }) => reminder), ...missed];
  expect((await read(4, first[0]!.id)).map(({ reminder }) => reminder)).toEqual(expected);
  await vi.waitFor(async () => expect(await metric('hopback_event_streams_open')).toBe(0), PATIENT);
  const gone = await streamOf(cedar, { 'last-event-id': first[0]!.id });
  expect(gone.status).toBe(410);
  await gone.body?.cancel();

  const stream = await streamOf(member);
  await lab.call(await lab.token(lab.operator), 'DELETE', `/v1/clients/${member.clientId}`);
  await tell(member);
  expect(await stream.text()).toBe(': here is what comes\n\n');
});

test('a stream has a comment every 15 seconds', async () => {
  const stream = await streamOf(birch);
  const reader = stream.body!.getReader();
  const text = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
  expect(await text()).toBe(': here is what comes\n\n');
  const next = text();
  await vi.waitFor(async () => {
    clock.advance(15_100);
    expect(await Promise.race([next, Promise.resolve('')])).toContain(': still here\n\n');
  }, PATIENT);
  await reader.cancel();
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${lab.platform.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

test('what was not posted when the platform ended is posted when it is back, with what came before', async () => {
  await using folder = await createTemporaryDirectory();
  const directory = folder.path;
  const kept = { ...options, database: { directory }, keyRing: createKeyRing() };
  let isAway = true;
  await using to = await receiver(() => ({ status: isAway ? 503 : 204 }));
  const first = await startPlatformLab(kept);
  const member = await first.join('carrier', 'prv-kept');
  await (await first.client(member)).webhookEndpoints.create({ url: to.url });
  const numbers = await tell(member, 2, first);
  await vi.waitFor(() => expect(to.posted).toHaveLength(1), PATIENT);
  await first[Symbol.asyncDispose]();
  isAway = false;
  await using second = platformLab(await startPlatform(kept), first.operator, clock);
  clock.advance(5_100);
  await vi.waitFor(() => expect(numbersOf(to.posted)).toEqual([numbers[0], ...numbers]), PATIENT);
  expect((await (await second.client(member)).webhookEndpoints.list()).items).toHaveLength(1);
});

test('events are removed after a month, but for those that an endpoint still waits for', async () => {
  const { database } = lab.platform.context;
  const [member, other] = [await lab.join('carrier', 'prv-waiting'), { organizationId: 'prv-other' }];
  const kept = async (): Promise<readonly number[]> =>
    (await database.selectFrom('core_events').select('data').orderBy('position').execute()).map(
      ({ data }) => (data as { reminder: number }).reminder,
    );
  await tell(member);
  const { webhookEndpoints } = await lab.client(member);
  // Nobody is there: what is posted waits for some days, and here for as long as the clock is not moved past them.
  const { endpointId } = await webhookEndpoints.create({ url: 'https://receiver.example/hook' });
  await tell(other);
  const waiting = [...(await tell(member)), ...(await tell(other))];
  clock.advance(EVENTS_KEPT_MS + 3_600_000);
  const fresh = await tell(other);
  await vi.waitFor(async () => expect(await kept()).toEqual([...waiting, ...fresh]), PATIENT);
  await webhookEndpoints.delete({ endpointId });
  clock.advance(3_600_000);
  await vi.waitFor(async () => expect(await kept()).toEqual(fresh), PATIENT);
});
