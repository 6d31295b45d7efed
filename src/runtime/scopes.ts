/** What an effect body may use: sending, answering, and starting outside work that comes back as an event. */
import { Defect } from '../../machines/model/assert.js';
import type { Message } from '../../machines/model/messages.js';
import type { Scope } from './actor-type.js';
import type { Cell } from './cell.js';
import type { Envelope } from './envelope.js';
import type { Kernel } from './kernel.js';

export interface Scopes {
  of(cell: Cell, cause: string): Scope;
}

export function createScopes(kernel: Kernel, deliver: (envelope: Envelope) => void): Scopes {
  const { clock, log } = kernel.options;

  const run = (cell: Cell, cause: string, work: () => Promise<Message | undefined>): void => {
    const { life } = cell;
    const arrived = (body: Message | undefined): void => {
      if (body === undefined) return;
      const envelope = { to: cell.address, from: cell.address, cause, body };
      if (cell.life === life) deliver(envelope);
      else kernel.bury(envelope, 'stale-incarnation');
    };
    work().then(arrived, (error: unknown) => {
      if (cell.life === life) kernel.crash(cell, new Defect(`outside work rejected: ${error}`));
    });
  };

  return {
    of: (cell, cause) => ({
      self: cell.address,
      cause,
      clock,
      log,
      tell: (to, body) => kernel.send({ to, from: cell.address, cause, body }),
      reply: (replyTo, body) => {
        if (replyTo !== undefined) kernel.reply(replyTo, body);
      },
      watch: (address) => kernel.watches.watch(cell.address, address),
      unwatch: (address) => kernel.watches.unwatch(cell.address, address),
      run: (work) => run(cell, cause, work),
    }),
  };
}
