import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { WebSocket } from 'ws';
import { until } from '../../tests/support/system.ts';
import { numbers, STATUS, toVersions, useLiveRouter, watch } from './subscription-client.ts';

/** Results of about 30 KB. */
const LARGE = `subscription ($id: ID!) { bookingStatus(bookingId: $id) { version
  ${Array.from({ length: 500 }, (_, n) => `aRatherLongAliasToFillTheResultWith${n}: spaceName`).join(' ')} } }`;

const live = useLiveRouter();
const { connect } = live;

test('a client that stops reading delays no other client, and gets the latest state afterwards', async () => {
  const id = uuidv7();
  live.router.mypage.change(id);
  const slow = new WebSocket(live.router.url, 'graphql-transport-ws');
  const received: number[] = [];
  slow.on('message', (data) => {
    const message = JSON.parse(String(data));
    if (message.type === 'connection_ack') {
      const payload = { query: LARGE, variables: { id } };
      slow.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    }
    if (message.type === 'next') received.push(message.payload.data.bookingStatus.version);
  });
  await new Promise((resolve) => slow.once('open', resolve));
  slow.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'kim' } }));
  const fast = watch(connect(), LARGE, { id });
  await until(
    'both subscriptions have started',
    async () => received.length === 1 && fast.seen.length === 1,
  );

  slow.pause();
  const count = 600;
  for (let n = 0; n < count; n += 1) {
    live.router.mypage.change(id);
    await pause(1);
  }
  await until('the fast client has all versions', async () => fast.seen.length === count + 1);
  expect(toVersions(fast.seen)).toEqual(numbers(1, count + 1));
  slow.resume();
  await until('the slow client has the latest version', async () => received.at(-1) === count + 1);
  // States were skipped, but none was repeated or out of order.
  expect(received.length).toBeLessThan(count);
  expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
  slow.terminate();
}, 60_000);

test('ten thousand clients that come and go leave no memory, timer or socket behind', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const ids = Array.from({ length: 20 }, () => uuidv7());
  for (const id of ids) live.router.mypage.change(id);
  const visitTimes = async (count: number) => {
    for (let done = 0; done < count; done += 50) {
      const visits = Array.from({ length: 50 }, (_, n) => visit(ids[n % ids.length] as string));
      await Promise.all(visits);
    }
  };
  const heap = async () => {
    await until('all subscriptions have ended', async () => live.router.subscriptions.count === 0);
    await pause(300);
    live.router.requests.length = 0;
    collect();
    return process.memoryUsage().heapUsed;
  };
  await visitTimes(1_000);
  const before = await heap();
  const handles = process.getActiveResourcesInfo();
  await visitTimes(10_000);
  const after = await heap();
  // Timers and sockets end a moment after their client; leaked ones would never end.
  await until('no more handles than before', async () => {
    return process.getActiveResourcesInfo().length <= handles.length;
  });
  // Less than 200 bytes for each client: noise, not a leak.
  expect(after - before).toBeLessThan(2_000_000);
  // It takes half a minute of CPU time.
}, 400_000);

/** Connects, subscribes, receives the present state, and disconnects: every other time without a close. */
let visits = 0;
function visit(id: string): Promise<void> {
  visits += 1;
  const closes = visits % 2 === 0;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(live.router.url, 'graphql-transport-ws');
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'kim' } })),
    );
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data));
      const payload = { query: STATUS, variables: { id } };
      if (type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      } else if (type === 'next') {
        if (closes) socket.send(JSON.stringify({ id: '1', type: 'complete' }));
        if (closes) socket.close();
        else socket.terminate();
      } else reject(new Error(`unexpected: ${String(data)}`));
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}
