import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import { processCpuMs } from '../measurement/cpu-time.ts';
import { OPERATION } from './fixtures.ts';
import type { Router, RouterName } from './routers.ts';

/**
 * Starts a whole router in a process of its own, and sends requests to it over HTTP, on connections that stay
 * open: the stock gateway with Apollo's standalone server, or `npm run router`.
 */
export async function startServer(name: RouterName, supergraph: string): Promise<Router> {
  const { server, url } = await (name === 'stock' ? startStock(supergraph) : startOwn(supergraph));
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 256 });
  const body = JSON.stringify({ query: OPERATION });
  return {
    async execute() {
      const response = await pool.request({
        method: 'POST',
        path: pathname,
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await response.body.text();
      if (response.statusCode !== 200) {
        throw new Error(`the ${name} router responded with HTTP ${response.statusCode}: ${text}`);
      }
      return text;
    },
    cpuMs: () => processCpuMs(server.pid ?? 0),
    async stop() {
      await pool.close();
      server.kill();
      await once(server, 'exit');
    },
  };
}

interface Started {
  server: ChildProcess;
  url: string;
}

// Both as in production: without it Apollo Server adds stacks to errors.
const env = { ...process.env, NODE_ENV: 'production' };

async function startStock(supergraph: string): Promise<Started> {
  const server = fork(join(import.meta.dirname, 'stock-server.js'), [supergraph], { env });
  const [url] = (await Promise.race([once(server, 'message'), failure(server)])) as [string];
  return { server, url };
}

async function startOwn(supergraph: string): Promise<Started> {
  const program = join(import.meta.dirname, '../../router/src/standalone/main.js');
  const server = spawn(
    process.execPath,
    [program, '--supergraph', supergraph, '--port', '0'],
    // Its own settings, whatever those of the system that the benchmark's shell is for.
    {
      env: { PATH: process.env.PATH, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: server.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), failure(server)])) as [string];
  const url = /http:\S+\/graphql/.exec(line)?.[0];
  if (!url) throw new Error(`the router did not start: ${line}`);
  return { server, url };
}

async function failure(server: ChildProcess): Promise<never> {
  const [code] = await once(server, 'exit');
  throw new Error(`the server ended with exit code ${code} before it was ready`);
}
