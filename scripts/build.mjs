// npm run build: installs what is missing and builds what is out of date.
import { installAndBuild } from './run-built.mjs';

await installAndBuild();
