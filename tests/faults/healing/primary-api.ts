import { createServer } from 'node:http';

/**
 * Responds to `GET /primary` as Patroni's REST API does: 200 while the server is the primary, and 503 otherwise.
 * Returns the function that ends it.
 */
export async function servePrimaryApi(
  port: number,
  isPrimary: () => Promise<boolean>,
): Promise<() => Promise<void>> {
  const server = createServer((_, response) => {
    isPrimary().then(
      (is) => void response.writeHead(is ? 200 : 503).end(),
      () => void response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}
