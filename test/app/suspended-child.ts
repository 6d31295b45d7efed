/** A process with two threads that is stopped from outside; asked afterwards, it says what it lost. */
import { spin } from '../support/mortal-cast.js';
import { actorsOf, mortalThreads, SHARDS } from '../support/mortal-threads.js';

const HEARTBEAT = { intervalMs: 50, timeoutMs: 3_000 };
const ACTORS = SHARDS.flatMap((shard) => actorsOf(shard, 1));

const { host, peek, deaths, stop } = await mortalThreads({ heartbeat: HEARTBEAT });
for (const to of ACTORS) {
  host.tell(to, { type: 'count' }, 'test');
  await peek(to);
}
process.on('message', (word) => void (word === 'spin' ? spinAll() : tell()));

/** When it goes on no thread can show at once that it lives. */
function spinAll(): void {
  for (const to of ACTORS) host.tell(to, spin(20), 'test');
  process.send?.('spinning');
}

async function tell(): Promise<void> {
  // Whoever would be found guilty has been by then.
  await new Promise((resolve) => setTimeout(resolve, 20 * HEARTBEAT.intervalMs));
  const counts = await Promise.all(ACTORS.map(async (to) => (await peek(to)).count));
  process.send?.({ counts, deaths: deaths() });
  await stop();
  process.disconnect();
}

process.send?.('up');
