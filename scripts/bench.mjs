// npm run bench: installs, builds what is out of date, and measures.
import { benchmarks } from './bench/benchmarks.mjs';
import { runCommand, UsageError, wantsHelp } from './command.mjs';
import { runBuilt } from './run-built.mjs';

const DEFAULT = 'booking';

const help = `Usage: npm run bench -- [name] [options]

${Object.entries(benchmarks)
  .map(([name, { purpose }]) => `  ${name.padEnd(16)}${purpose}`)
  .join('\n')}

npm run bench -- <name> --help shows the options of a benchmark. For example:
  npm run bench -- booking --stored 0 --seconds 3`;

const [first, ...rest] = process.argv.slice(2);
// Options without a name are those of the default.
const isNamed = first !== undefined && !first.startsWith('-');
const name = isNamed ? first : DEFAULT;
const args = isNamed ? rest : process.argv.slice(2);
const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;

if (benchmark && (isNamed || !wantsHelp(args))) {
  await runBuilt(benchmark.help, benchmark.program, args);
} else {
  await runCommand(
    help,
    () => {
      throw new UsageError(`There is no benchmark "${name}".\n\n${help}`);
    },
    args,
  );
}
