import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { giveOrder, takeOrders } from '../../harness/src/cli/platform/orders.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

test('an order is carried out by the process that has the folder, with what it says on the way', async () => {
  const folder = await createTemporaryDirectory();
  const taking = await takeOrders(folder.path, async (order, say) => {
    say({ progress: 1 });
    say({ progress: 2 });
    return { done: order };
  });
  const heard: unknown[] = [];
  const last = await giveOrder(folder.path, { order: { backup: '/a' }, onLine: (line) => void heard.push(line) });
  expect(last).toEqual({ done: { backup: '/a' } });
  expect(heard).toEqual([{ progress: 1 }, { progress: 2 }]);
  await taking.close();
  expect(await giveOrder(folder.path, { order: {}, onLine: () => undefined })).toBe('nobody');
  await folder.close();
});

test('what is no order is refused, a folder with a long name works, and a socket that was left behind is in nobody’s way', async () => {
  const folder = await createTemporaryDirectory();
  const long = join(folder.path, 'x'.repeat(120));
  const first = await takeOrders(long, async () => ({ done: 'first' }));
  await first.close();
  await writeFile(join(long, 'orders', 'socket'), '');
  const taking = await takeOrders(long, async () => ({ done: 'second' }));
  expect(await giveOrder(long, { order: {}, onLine: () => undefined })).toEqual({ done: 'second' });
  await taking.close();

  const short = await takeOrders(folder.path, async () => ({ done: 'never' }));
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(join(folder.path, 'orders', 'socket'));
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString()));
    socket.on('end', () => resolve(text));
    socket.write('no JSON\n');
  });
  expect(JSON.parse(answer)).toEqual({ failed: 'it is no order' });
  await short.close();
  await folder.close();
});

test('a platform that ends in the middle has said no last word', async () => {
  const folder = await createTemporaryDirectory();
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const taking = await takeOrders(folder.path, async (_order, say) => {
    say({ progress: 1 });
    isAsked();
    return new Promise(() => undefined);
  });
  const given = giveOrder(folder.path, { order: {}, onLine: () => undefined });
  await asked;
  await taking.close();
  expect(await given).toBeUndefined();
  await folder.close();
});
