/** What an effect body may use: sending, answering, and starting outside work that comes back as an event. */
import { Defect } from '../../machines/model/assert.js';
import type { Address } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Scope } from './actor-type.js';
import type { Cell } from './cell.js';
import type { Kernel } from './kernel.js';

/** A class: one is made for every step that does anything. */
export class CellScope implements Scope {
  readonly cause: string;
  private readonly kernel: Kernel;
  private readonly cell: Cell;

  constructor(kernel: Kernel, cell: Cell, cause: string) {
    this.kernel = kernel;
    this.cell = cell;
    this.cause = cause;
  }

  get self(): Address {
    return this.cell.address;
  }

  get clock(): Clock {
    return this.kernel.options.clock;
  }

  get log(): Log {
    return this.kernel.options.log;
  }

  tell(to: Address, body: Message): void {
    this.kernel.send({ to, from: this.cell.address, cause: this.cause, body });
  }

  reply(replyTo: string | undefined, body: Json): void {
    if (replyTo !== undefined) this.kernel.reply(replyTo, body);
  }

  run(work: () => Promise<Message | undefined>): void {
    const { kernel, cell, cause } = this;
    const { life, address } = cell;
    const arrived = (body: Message | undefined): void => {
      if (body === undefined) return;
      const envelope = { to: address, from: address, cause, body };
      if (cell.life === life) kernel.deliver(envelope);
      else kernel.bury(envelope, 'stale-incarnation');
    };
    work().then(arrived, (error: unknown) => {
      if (cell.life === life) kernel.crash(cell, new Defect(`outside work rejected: ${error}`));
    });
  }

  watch(address: Address): void {
    this.kernel.watches.watch(this.cell.address, address);
  }

  unwatch(address: Address): void {
    this.kernel.watches.unwatch(this.cell.address, address);
  }
}
