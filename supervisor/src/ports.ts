import { createServer } from 'node:net';
import { type ContextName, contextNames } from '#contracts/topology.ts';

// Below the ports of outgoing connections (from 32768 on Linux, 49152 elsewhere): otherwise a service
// that restarts could find its port used by a connection.
const MIN_PORT = 15_000;
const MAX_PORT = 32_000;

type Ports = Record<ContextName | 'router' | 'postgres', number>;

/** One port for each process, which it keeps when it restarts. */
export async function choosePorts(router: number): Promise<Ports> {
  const used = new Set([router]);
  const choose = async () => {
    const port = await freePort(used);
    used.add(port);
    return port;
  };
  const ports: Record<string, number> = { router: router === 0 ? await choose() : router };
  for (const name of [...contextNames, 'postgres']) ports[name] = await choose();
  return ports as Ports;
}

async function freePort(used: ReadonlySet<number>): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = MIN_PORT + Math.floor(Math.random() * (MAX_PORT - MIN_PORT));
    if (!used.has(port) && (await canListen(port, '127.0.0.1'))) return port;
  }
  throw new Error(`No free port was found between ${MIN_PORT} and ${MAX_PORT}.`);
}

/** Throws if another program listens on the port. */
export async function requireFreePort(port: number, host: string): Promise<void> {
  // Browsers try [::1] first for "localhost", so a server of another program there would respond.
  const hosts = host === '127.0.0.1' ? [host, '::1'] : [host];
  for (const each of hosts) {
    if (await canListen(port, each)) continue;
    throw new Error(
      `Port ${port} is in use by another program. Choose another port, for example PORT=${
        port < 65_000 ? port + 1 : 4000
      } npm start.`,
    );
  }
}

async function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, exclusive: true }, resolve);
    });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return false;
    // On a machine without IPv6 nothing can listen on [::1].
    if (host === '::1') return true;
    if (code === 'EACCES') {
      throw new Error(
        `Port ${port} needs privileges. Choose a port above 1023, for example PORT=4000.`,
      );
    }
    throw new Error(`spacerent cannot listen on ${host}: ${(error as Error).message}.`);
  } finally {
    server.close();
  }
}
