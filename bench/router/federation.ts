import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { fixtures } from './fixtures.ts';

/** The fixtures' subgraphs, which serve repeated requests from memory, in a process of their own. */
export interface RunningFederation {
  supergraphSdl: string;
  /** By the subgraphs' names. */
  urls: Record<string, string>;
  stop(): void;
}

/** Starts the subgraphs and composes their supergraph; throws the errors of composition. */
export async function startFederation(): Promise<RunningFederation> {
  const subgraphs: ChildProcess = fork(join(import.meta.dirname, 'subgraphs.js'));
  const [urls] = (await once(subgraphs, 'message')) as [Record<string, string>];
  const { supergraphSdl, errors } = composeServices(
    fixtures.map(({ name, typeDefs }) => ({ name, url: urls[name], typeDefs: parse(typeDefs) })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  return { supergraphSdl, urls, stop: () => subgraphs.disconnect() };
}
