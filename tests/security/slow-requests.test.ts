import { expect, test } from '@jest/globals';
import { describeSystems } from '../support/system.ts';
import { raw } from './every-protocol.ts';
import { startOwnRouter } from './own-router.ts';

const LIMIT_MS = 1_000;
const CLIENTS = 100;
const HEADERS = 'POST /graphql HTTP/1.1\r\nHost: a\r\n';
const BODY = `${HEADERS}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
const UPGRADE = 'GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

describeSystems('clients that send slowly', (system) => {
  test('are cut within the limit, a hundred of each kind, and others are answered meanwhile', async () => {
    const { router: beside, stop } = await startOwnRouter(system, 'patient-router', {
      REQUEST_RECEIVE_TIMEOUT_MS: String(LIMIT_MS),
    });
    try {
      const began = performance.now();
      const kinds = [
        [HEADERS, 'X: 1\r\n'],
        [BODY, ' '],
        [UPGRADE, 'X: 1\r\n'],
      ] as const;
      const slow = kinds.flatMap(([begin, more]) =>
        Array.from({ length: CLIENTS }, () => sendSlowly(beside.address, begin, more)),
      );
      let answered = 0;
      let longest = 0;
      const all = Promise.all(slow);
      let isOver = false;
      void all.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        const asked = performance.now();
        expect((await beside.graphql(null, '{ __typename }')).data).toEqual({
          __typename: 'Query',
        });
        longest = Math.max(longest, performance.now() - asked);
        answered += 1;
      }
      for (const said of await all) expect(said).toMatch(/^HTTP\/1\.1 408 /);
      // The clock of connections ticks every second.
      expect(performance.now() - began).toBeLessThan(LIMIT_MS + 6_000);
      expect(answered).toBeGreaterThan(10);
      expect(longest).toBeLessThan(1_000);
    } finally {
      await stop();
    }
  });
});

async function sendSlowly(address: string, begin: string, more: string): Promise<string> {
  let sending: NodeJS.Timeout | undefined;
  try {
    return await raw(address, (send) => {
      send(begin);
      sending = setInterval(() => send(more), 100);
    });
  } finally {
    clearInterval(sending);
  }
}
