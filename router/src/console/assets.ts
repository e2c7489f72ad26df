import { createReadStream, readdirSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import type { FastifyInstance } from 'fastify';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/** Serves the files that the folder holds now, of the types above, below `path`. */
export function serveAssets(app: FastifyInstance, path: string, folder: string): void {
  // Requests are looked up in this list, so that no path can leave the folder.
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => TYPES[extname(name)])
      .map((name) => [name.replaceAll(sep, '/'), join(folder, name)]),
  );
  app.get<{ Params: { '*': string } }>(`${path}/*`, (request, reply) => {
    const file = files.get(request.params['*']);
    if (!file) return reply.callNotFound();
    // A version of bull-board can change a file under the same name.
    return reply
      .header('cache-control', 'private, max-age=3600')
      .type(TYPES[extname(file)] as string)
      .send(createReadStream(file));
  });
}
