import { createServer } from 'node:net';
import { type ContextName, contextNames } from '#contracts/topology.ts';

// Below the ranges that systems take outgoing connections' ports from (Linux 32768, others
// 49152): a service that dies must get its port back, not find it under somebody's connection.
const lowest = 15_000;
const highest = 32_000;

type Ports = Record<ContextName | 'router' | 'postgres', number>;

/** One port for each process; they are kept over restarts of a process. */
export async function choosePorts(router: number): Promise<Ports> {
  const taken = new Set([router]);
  const take = async () => {
    const port = await freePort(taken);
    taken.add(port);
    return port;
  };
  const ports: Record<string, number> = { router: router === 0 ? await take() : router };
  for (const name of [...contextNames, 'postgres']) ports[name] = await take();
  return ports as Ports;
}

async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (!taken.has(port) && (await canListen(port, '127.0.0.1'))) return port;
  }
  throw new Error(`No free port was found between ${lowest} and ${highest}.`);
}

/** Throws a sentence when somebody else listens on the port. */
export async function requireFreePort(port: number, host: string): Promise<void> {
  // Browsers try [::1] first for "localhost": somebody else's server there would answer for us.
  const hosts = host === '127.0.0.1' ? [host, '::1'] : [host];
  for (const each of hosts) {
    if (await canListen(port, each)) continue;
    throw new Error(
      `Port ${port} is taken by another program; choose another one, for example PORT=${
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
    // A machine without IPv6 has nobody on [::1].
    if (host === '::1') return true;
    if (code === 'EACCES') {
      throw new Error(`Port ${port} needs privileges; choose one above 1023, such as PORT=4000.`);
    }
    throw new Error(`spacerent cannot listen on ${host}: ${(error as Error).message}.`);
  } finally {
    server.close();
  }
}
