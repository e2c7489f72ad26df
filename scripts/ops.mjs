// npm run ops: what operators do with a running system, one command each.
import { runCommand, UsageError } from './command.mjs';

const commands = {
  backup: 'writes one file with all data of the system that "npm start" runs, or ran',
  'dead-letters': 'lists, replays and discards events that a context could not process',
  'erase-customer': "replaces a customer's id by a pseudonym in every context",
  queues: 'shows the queues of events in a browser, on this machine alone',
  reconcile: "ends bookings that contradict after book's database was restored to an earlier time",
  redeliver: 'sends events again to a context whose database was restored to an earlier time',
  rebuild: "rebuilds mypage's read model from the stored events",
  restore: 'restores such a file into an empty home, or in place of its data',
  secrets: 'writes a file of random secrets for a deployment',
  token: 'prints a development token of the system that "npm start" runs',
};

const help = `Usage: npm run ops -- <command> [options]

${Object.entries(commands)
  .map(([name, purpose]) => `  ${name.padEnd(16)}${purpose}`)
  .join('\n')}

npm run ops -- <command> --help shows the options of a command.`;

const [name = '--help', ...args] = process.argv.slice(2);
if (Object.hasOwn(commands, name)) {
  const command = await import(`./ops/${name}.mjs`);
  await runCommand(command.help, command.run, args);
} else {
  await runCommand(help, () => {
    throw new UsageError(`There is no command "${name}".\n\n${help}`);
  }, [name, ...args]);
}
