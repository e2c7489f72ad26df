import { type ChildProcess, fork } from 'node:child_process';

/** What a child process of the benchmark can run, by name. */
export type Tasks = Record<string, (input: never) => unknown>;

type Input<Task> = Task extends (input: infer I) => unknown ? I : never;
type Result<Task> = Task extends (...input: never) => infer R ? Awaited<R> : never;

/** A process of its own, so that its CPU time does not delay the event loop of the benchmark. */
export interface Child<T extends Tasks> {
  pid: number;
  /** Rejects with a sentence when the task fails or the process exits. */
  run<Name extends keyof T & string>(name: Name, input: Input<T[Name]>): Promise<Result<T[Name]>>;
  stop(): void;
}

interface TaskRequest {
  id: number;
  name: string;
  input: unknown;
}

interface TaskResponse {
  id: number;
  result?: unknown;
  error?: string;
}

/** Starts a module of the build that calls {@link serveTasks}. */
export function startChild<T extends Tasks>(module: URL): Child<T> {
  const child: ChildProcess = fork(module, { serialization: 'advanced' });
  const pending = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  let lastId = 0;
  let stopped = false;
  child.on('message', ({ id, result, error }: TaskResponse) => {
    const request = pending.get(id);
    pending.delete(id);
    if (error === undefined) request?.resolve(result as never);
    else request?.reject(new Error(error));
  });
  child.on('exit', (code) => {
    const error = new Error(`A process of the benchmark exited with ${code}.`);
    if (!stopped) for (const { reject } of pending.values()) reject(error);
  });
  return {
    pid: Number(child.pid),
    run: (name, input) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        pending.set(lastId, { resolve, reject });
        child.send({ id: lastId, name, input } satisfies TaskRequest);
      }),
    stop() {
      stopped = true;
      child.kill('SIGKILL');
    },
  };
}

/** Runs the tasks that the parent process requests; exits with the parent. */
export function serveTasks(tasks: Tasks): void {
  process.on('message', async ({ id, name, input }: TaskRequest) => {
    const response: TaskResponse = { id };
    try {
      response.result = await tasks[name]?.(input as never);
    } catch (error) {
      response.error = (error as Error).message;
    }
    process.send?.(response);
  });
  process.on('disconnect', () => process.exit());
}
