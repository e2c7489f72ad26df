import { readFileSync } from 'node:fs';
import { Supergraph } from '@apollo/federation-internals';
import { ConfigError } from '#platform/config/settings.ts';

/** A supergraph, and the address of each of its subgraphs by name. */
export interface LoadedSupergraph {
  sdl: string;
  urls: Readonly<Record<string, string>>;
}

/** Reads a supergraph; throws {@link ConfigError} with a sentence when the router cannot start with it. */
export function loadSupergraph(path: string): LoadedSupergraph {
  const sdl = readText(path);
  const problems: string[] = [];
  const urls: Record<string, string> = {};
  for (const { name, url } of readSubgraphs(path, sdl)) {
    const problem = urlProblem(url);
    if (problem) problems.push(`The subgraph "${name}" ${problem}.`);
    urls[name] = url;
  }
  if (problems.length === 0) return { sdl, urls };
  throw new ConfigError(
    `${path} cannot be used: compose it with the addresses of its subgraphs.\n  ${problems.join('\n  ')}`,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? (error as Error).message})`;
    throw new ConfigError(`The supergraph ${path} ${reason}.`);
  }
}

function readSubgraphs(path: string, sdl: string): readonly { name: string; url: string }[] {
  try {
    const supergraph = Supergraph.build(sdl);
    // Both throw on supergraphs that were not composed, or by a later composition.
    supergraph.apiSchema();
    return supergraph.subgraphsMetadata();
  } catch (error) {
    throw new ConfigError(
      `${path} is not a supergraph, as the composition of Apollo Federation 2 writes it: ${(error as Error).message}`,
    );
  }
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'has no URL';
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return `has the URL "${url}": it must be an http:// or https:// address`;
  }
  const { username, password } = new URL(url);
  // They would not be sent, and appear in logs.
  if (username || password) return 'has a user or password in its URL, which must not hold any';
  return undefined;
}
