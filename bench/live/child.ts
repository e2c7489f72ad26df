import { type ChildProcess, fork } from 'node:child_process';

/** What a process of the benchmark's own does when it is asked, by name. */
export type Works = Record<string, (asked: never) => unknown>;

type Asked<Work> = Work extends (asked: infer A) => unknown ? A : never;
type Answered<Work> = Work extends (...asked: never) => infer R ? Awaited<R> : never;

/** A process of its own, so that what it costs does not sit in anybody else's event loop. */
export interface Child<W extends Works> {
  pid: number;
  /** Rejects with a sentence when the work fails or the process ends. */
  ask<Name extends keyof W & string>(name: Name, asked: Asked<W[Name]>): Promise<Answered<W[Name]>>;
  stop(): void;
}

interface Answer {
  call: number;
  result?: unknown;
  problem?: string;
}

/** Starts a module of the build that calls {@link answerAs}. */
export function startChild<W extends Works>(module: URL): Child<W> {
  const child: ChildProcess = fork(module, { serialization: 'advanced' });
  const callers = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  let calls = 0;
  let stopped = false;
  child.on('message', ({ call, result, problem }: Answer) => {
    const caller = callers.get(call);
    callers.delete(call);
    if (problem === undefined) caller?.resolve(result as never);
    else caller?.reject(new Error(problem));
  });
  child.on('exit', (code) => {
    const error = new Error(`A process of the benchmark ended with ${code}.`);
    if (!stopped) for (const { reject } of callers.values()) reject(error);
  });
  return {
    pid: Number(child.pid),
    ask: (name, asked) =>
      new Promise((resolve, reject) => {
        calls += 1;
        callers.set(calls, { resolve, reject });
        child.send({ call: calls, name, asked });
      }),
    stop() {
      stopped = true;
      child.kill('SIGKILL');
    },
  };
}

/** Does what the starting process asks for, until that is gone. */
export function answerAs(works: Works): void {
  process.on('message', async ({ call, name, asked }) => {
    const answer: Answer = { call };
    try {
      answer.result = await works[name]?.(asked as never);
    } catch (error) {
      answer.problem = (error as Error).message;
    }
    process.send?.(answer);
  });
  process.on('disconnect', () => process.exit());
}
