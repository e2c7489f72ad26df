import { expect, test } from '@jest/globals';
import { describeSystems } from '../support/system.ts';
import { startOwnRouter } from './own-router.ts';
import { raw } from './protocols.ts';

const LIMIT_MS = 3_000;
const CLIENTS = 100;
const HEADERS = 'POST /graphql HTTP/1.1\r\nHost: a\r\n';
const BODY = `${HEADERS}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
const UPGRADE = 'GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
/** Well above the limit, well below what Node allows by itself. */
const CUT_WITHIN_MS = 60_000;

describeSystems('slow clients', (system) => {
  test('three hundred slow clients are disconnected within the limit, and other requests are served', async () => {
    const { router: beside, stop } = await startOwnRouter(system, 'patient-router', {
      REQUEST_RECEIVE_TIMEOUT_MS: String(LIMIT_MS),
    });
    try {
      const kinds = [
        [HEADERS, 'X: 1\r\n'],
        [BODY, ' '],
        [UPGRADE, 'X: 1\r\n'],
      ] as const;
      const slow = kinds.flatMap(([begin, more]) =>
        Array.from({ length: CLIENTS }, () => sendSlowly(beside.address, begin, more)),
      );
      await Promise.all(slow.map(({ begun }) => begun));
      let sending = slow.length;
      const ended = () => {
        sending -= 1;
      };
      for (const { said } of slow) void said.finally(ended);
      let answeredMeanwhile = 0;
      while (sending > 0) {
        const { data } = await beside.graphql(null, '{ __typename }');
        expect(data).toEqual({ __typename: 'Query' });
        if (sending > 0) answeredMeanwhile += 1;
      }
      for (const { said } of slow) expect(await said).toMatch(/^HTTP\/1\.1 408 /);
      expect(answeredMeanwhile).toBeGreaterThan(0);
    } finally {
      await stop();
    }
  }, 90_000);
});

/** Sends `begin`, and then `more` again and again; `said` is what the server says until it ends it. */
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
  const said = raw(address, write, CUT_WITHIN_MS).finally(() => clearInterval(sending));
  return { begun, said };
}
