// npm run fix: formats, and fixes what Biome can fix without changing what the code does.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, runCommand } from './command.mjs';

const help = `Usage: npm run fix [-- paths]

Formats the files and applies the linter's safe fixes, and shows what is left to fix by hand. Without paths:
of the whole project. "npm run check" checks the same without writing.`;

await runCommand(help, async (paths) => {
  const { ensureInstalled } = await import('./install.mjs');
  await ensureInstalled();
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const args = ['check', '--fix', '--error-on-warnings', ...(paths.length > 0 ? paths : ['.'])];
  const { status } = spawnSync(process.execPath, [biome, ...args], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
