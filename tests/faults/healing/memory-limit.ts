import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Where Linux limits the memory of a group of processes: with control groups of version 1 or 2. */
interface Control {
  folder: string;
  limitFile: string;
}

const CONTROLS: readonly Control[] = [
  { folder: join(ROOT, 'memory'), limitFile: 'memory.limit_in_bytes' },
  { folder: ROOT, limitFile: 'memory.max' },
];

/** Why no memory can be limited on this machine; undefined: it can. */
export function whyNoMemoryLimit(): string | undefined {
  try {
    createGroup(`spacerent-try-${process.pid}`, 1 << 30).remove();
    return undefined;
  } catch (error) {
    return `no control group with a limit can be made on this machine (${(error as Error).message}).`;
  }
}

/**
 * Lets a running process use `bytes` more memory than it has now; the kernel kills it when it wants more, as it does
 * with a container. A process that is started afterwards has no limit. Returns the function that removes the group.
 */
export function limitMemory(pid: number, bytes: number): () => void {
  const { add, remove } = createGroup(`spacerent-${pid}`, bytes);
  // What it uses now stays on the account of its earlier group.
  add(pid);
  return remove;
}

function createGroup(name: string, bytes: number) {
  const control = CONTROLS.find(({ folder }) => existsSync(join(folder, 'cgroup.procs')));
  if (!control) throw new Error('there are no control groups');
  const group = join(control.folder, name);
  mkdirSync(group);
  const remove = () => rmdirSync(group);
  try {
    writeFileSync(join(group, control.limitFile), String(bytes), { flag: 'r+' });
  } catch (error) {
    remove();
    throw error;
  }
  return {
    add: (pid: number) => writeFileSync(join(group, 'cgroup.procs'), String(pid)),
    remove,
  };
}
