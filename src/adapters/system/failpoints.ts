/**
 * Crash tests: `SWITCHYARD_FAILPOINT=commit.after:3` kills the process, as `kill -9` would, at the third
 * pass of that point. An unknown name is refused, so that a test cannot pass by a typing error.
 */
import { FAILPOINTS, type Failpoint, type Failpoints } from '../../ports/failpoints.js';

export const noFailpoints: Failpoints = { hit: () => undefined };

export function failpointsFrom(text: string | undefined): Failpoints {
  if (text === undefined || text === '') return noFailpoints;
  const [name, count = '1'] = text.split(':');
  if (!(FAILPOINTS as readonly string[]).includes(name ?? '')) {
    throw new Error(`unknown failpoint '${name}': one of ${FAILPOINTS.join(', ')}`);
  }
  let left = Number(count);
  return {
    hit: (point: Failpoint) => {
      if (point !== name) return;
      left -= 1;
      if (left === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
}
