import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A collector that accepts everything and keeps nothing, in the process of the benchmark. */
export async function startCollector() {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
