import { createServer } from 'node:net';

const taken = new Set<number>();

/**
 * Below the ranges that outgoing connections take theirs from: a process that is killed must get
 * its port back, and here many connections come and go meanwhile.
 */
export async function takePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
