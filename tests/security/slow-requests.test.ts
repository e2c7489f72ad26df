import { expect, test } from '@jest/globals';
import { describeSystems } from '../support/system.ts';
import { startOwnRouter } from './own-router.ts';
import { sendRaw } from './protocols.ts';

const LIMIT_MS = 3_000;
const CLIENTS = 100;
const HEADERS = 'POST /graphql HTTP/1.1\r\nHost: a\r\n';
const BODY = `${HEADERS}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
const UPGRADE = 'GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
/** Well above the limit, and well below the default of Node. */
const CLOSE_TIMEOUT_MS = 60_000;

describeSystems('slow clients', (system) => {
  test('three hundred slow clients are disconnected within the limit, and other requests are served', async () => {
    const { router, stop } = await startOwnRouter(system, 'slow-requests-router', {
      REQUEST_RECEIVE_TIMEOUT_MS: String(LIMIT_MS),
    });
    try {
      const kinds = [
        [HEADERS, 'X: 1\r\n'],
        [BODY, ' '],
        [UPGRADE, 'X: 1\r\n'],
      ] as const;
      const slow = kinds.flatMap(([begin, more]) =>
        Array.from({ length: CLIENTS }, () => sendSlowly(router.address, begin, more)),
      );
      await Promise.all(slow.map(({ begun }) => begun));
      let sending = slow.length;
      const countEnd = () => {
        sending -= 1;
      };
      for (const { received } of slow) void received.finally(countEnd);
      let responsesMeanwhile = 0;
      while (sending > 0) {
        const { data } = await router.graphql(null, '{ __typename }');
        expect(data).toEqual({ __typename: 'Query' });
        if (sending > 0) responsesMeanwhile += 1;
      }
      for (const { received } of slow) expect(await received).toMatch(/^HTTP\/1\.1 408 /);
      expect(responsesMeanwhile).toBeGreaterThan(0);
    } finally {
      await stop();
    }
  }, 90_000);
});

/** Sends `begin`, and then `more` every 100 ms; `received` resolves when the server closes the connection. */
function sendSlowly(address: string, begin: string, more: string) {
  let sending: NodeJS.Timeout | undefined;
  let hasBegun = () => {};
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve;
  });
  const write = (send: (data: string) => void) => {
    send(begin);
    sending = setInterval(() => send(more), 100);
    hasBegun();
  };
  const received = sendRaw(address, write, CLOSE_TIMEOUT_MS).finally(() => clearInterval(sending));
  return { begun, received };
}
