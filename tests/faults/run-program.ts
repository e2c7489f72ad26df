import { spawn } from 'node:child_process';
import { projectFile } from '#platform/config/project.ts';

/** How a program ended, and what it printed. */
export interface ProgramResult {
  code: number | null;
  output: string;
}

/**
 * Runs a built program of the project. After `timeoutMs` it gets SIGTERM, upon which these programs stop their
 * servers and report their progress.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  timeoutMs: number,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ProgramResult> {
  // Jest's options are not meant for the program.
  const { NODE_OPTIONS, ...env } = environment;
  const child = spawn(process.execPath, [projectFile(path), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const timer = setTimeout(() => child.kill('SIGTERM'), timeoutMs);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, output };
}
