/**
 * SIGHUP from the first moment: until the daemon's own code is loaded, which takes a while, hangups
 * are only counted. This file imports nothing, so that nothing comes before it.
 */
let held = 0;

const hold = (): void => {
  held += 1;
};

/** From now on a hangup does not end the process. */
export function holdHangups(): void {
  process.on('SIGHUP', hold);
}

/** How many came; whoever takes them has a handler already. */
export function takeHangups(): number {
  process.off('SIGHUP', hold);
  const taken = held;
  held = 0;
  return taken;
}
