/** The command line: one program, one command per file. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../app/settings.js';
import { agentCommand } from './agent-command.js';
import { benchCommand } from './bench-command.js';
import { checkCommand } from './check-command.js';
import { demoCommand } from './demo-command.js';
import { EXIT } from './exit-codes.js';
import { feedCommand } from './feed-commands.js';
import { inspectionCommands } from './inspection-commands.js';
import { machinesCommand } from './machines-commands.js';
import { outboxCommand } from './outbox-commands.js';
import { planCommand } from './plan-command.js';
import { readCommands } from './read-commands.js';
import { reloadCommand } from './reload-command.js';
import { runCommand } from './run-command.js';
import { verbCommands } from './verb-commands.js';
import { vppSimCommand } from './vpp-sim.js';

function createProgram(): Command {
  const program = new Command('switchyard')
    .description('tenancy events to instances to a health-checked VPP load balancer')
    .version(packageVersion())
    .enablePositionalOptions()
    .showHelpAfterError('(switchyard help COMMAND shows how)')
    .configureHelp({ showGlobalOptions: true });
  addSiteOptions(program);
  for (const command of [
    runCommand(),
    checkCommand(),
    ...readCommands(),
    planCommand(),
    reloadCommand(),
    ...verbCommands(),
    ...inspectionCommands(),
    machinesCommand(),
    outboxCommand(),
    feedCommand(),
    agentCommand(),
    vppSimCommand(),
    benchCommand(),
    demoCommand(),
  ]) {
    addSiteOptionsBelow(command);
    program.addCommand(command);
  }
  return program;
}

/** Which site is meant; taken before the command's name and after it. */
function addSiteOptions(command: Command): void {
  command
    .option('--config <file>', 'configuration (default ./switchyard.yaml, then /etc/switchyard)')
    .option('--socket <path>', 'control socket of the daemon (default <dataDir>/switchyard.sock)')
    .option('--server <host:port>', 'a daemon elsewhere (its api.listen), over TLS')
    .option('--tls-ca <file>', 'with --server: who signed its certificate')
    .option('--tls-cert <file>', 'with --server: your certificate')
    .option('--tls-key <file>', 'with --server: its key');
}

/** The simulator listens on a socket of its own, an agent has a daemon of its own: they know no site. */
function addSiteOptionsBelow(command: Command): void {
  if (command.options.some(({ long }) => long === '--socket' || long === '--server')) return;
  addSiteOptions(command);
  for (const child of command.commands) addSiteOptionsBelow(child);
}

/** Usage errors have one exit code, whatever commander would give them. */
function exitCodeOf(error: CommanderError): number {
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}

function overrideExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExits(child);
}

const program = createProgram();
overrideExits(program);
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = exitCodeOf(error);
  else {
    process.stderr.write(`switchyard: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof RangeError ? EXIT.usage : EXIT.fatal;
  }
}
