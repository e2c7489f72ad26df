// npm run build: installs what is missing and builds what is out of date.
import { requireNode } from './node-version.mjs';

requireNode();
const { ensureInstalled } = await import('./install.mjs');
const { prepare } = await import('./prepare.mjs');

try {
  await ensureInstalled();
  await prepare();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
