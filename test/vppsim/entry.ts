/** The command line with nothing but the simulator, for tests that need it as a process. */
import { Command } from 'commander';
import { vppSimCommand } from '../../src/cli/vpp-sim.js';

await new Command().addCommand(vppSimCommand()).parseAsync();
