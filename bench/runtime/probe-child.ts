/** One probe in a process of its own: `node probe-child.js NAME PARAMS`; its numbers on stdout as JSON. */
import { runHere } from './lab.js';
import type { Params } from './probe.js';

const [name = '', params = '{}'] = process.argv.slice(2);
const outcome = await runHere(name, JSON.parse(params) as Params);
// Timers of what was measured are still armed: nobody waits for them.
process.stdout.write(JSON.stringify(outcome), () => process.exit());
