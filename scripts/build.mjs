// npm run build: installs what is missing and builds what is out of date.
import { runCommand } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

const help = `Usage: npm run build

Installs the packages of package-lock.json, generates the Prisma clients and compiles to dist/; does only
what is out of date. Every command that needs it does the same before it begins.`;

await runCommand(help, installAndBuild);
