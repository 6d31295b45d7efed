/**
 * Services: endpoints of the outside world that take messages but have no machine (providers). One
 * that throws is started afresh; it keeps nothing that its peers would not tell it again.
 */
import { type ActorKind, type Address, kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Scope, Service, ServiceScope, ServiceType } from './actor-type.js';
import type { DeadLetterReason } from './dead-letters.js';
import type { Envelope } from './envelope.js';
import type { HostOptions } from './kernel.js';

export interface Services {
  /** False: not an address of a service. */
  deliver(envelope: Envelope): boolean;
  serves(address: Address): boolean;
  /** Stops those at these addresses; nothing of what they were told is kept. */
  layDown(covers: (address: Address) => boolean): Promise<void>;
  views(kind: ActorKind): readonly JsonObject[];
  stop(): Promise<void>;
}

interface Verbs {
  send(envelope: Envelope): void;
  reply(replyTo: string, body: Json): void;
  bury(envelope: Envelope, reason: DeadLetterReason): void;
  watch(watcher: Address, address: Address): void;
  unwatch(watcher: Address, address: Address): void;
  isCrowded(): boolean;
}

type Received = Omit<Envelope, 'replyTo'> & { readonly replyTo?: string | undefined };

export function createServices(options: HostOptions, verbs: Verbs): Services {
  const types = new Map(options.services.map((type) => [type.kind, type]));
  const running = new Map<Address, Service>();
  const seeds = new Map<Address, Envelope>();

  const startAt = (type: ServiceType, address: Address): Service => {
    const service = type.start(scopeOf(address), options.ports);
    running.set(address, service);
    return service;
  };

  const scopeOf = (self: Address): ServiceScope => ({
    ...scopeFor(self, self),
    because: (cause) => scopeFor(self, cause),
    isCrowded: verbs.isCrowded,
  });

  const scopeFor = (self: Address, cause: string): Scope => ({
    self,
    cause,
    clock: options.clock,
    log: options.log,
    tell: (to, body) => verbs.send({ to, from: self, cause, body }),
    reply: (replyTo, body) => {
      if (replyTo !== undefined) verbs.reply(replyTo, body);
    },
    watch: (address) => verbs.watch(self, address),
    unwatch: (address) => verbs.unwatch(self, address),
    run: (work) => {
      work().then(
        (body) => {
          if (body !== undefined) deliver({ to: self, from: self, cause, body });
        },
        (error: unknown) => options.log.error({ actor: self, err: error }, 'outside work rejected'),
      );
    },
  });

  const deliver = (envelope: Envelope): boolean => {
    const type = types.get(kindOf(envelope.to));
    if (type === undefined) return false;
    if (envelope.body.type === `${type.kind}.settings`) seeds.set(envelope.to, envelope);
    if (receive(type, envelope)) return true;
    verbs.bury(envelope, 'poison');
    const service = running.get(envelope.to);
    running.delete(envelope.to);
    if (service !== undefined) void stopOne(envelope.to, service);
    const seed = seeds.get(envelope.to);
    if (seed !== undefined && seed !== envelope) receive(type, { ...seed, replyTo: undefined });
    return true;
  };

  /** False: it threw. */
  const receive = (type: ServiceType, message: Received): boolean => {
    const { to, body, from, replyTo, cause } = message;
    try {
      const service = running.get(to) ?? startAt(type, to);
      service.receive(body, { from, replyTo, cause });
      return true;
    } catch (error) {
      options.log.error({ actor: to, err: error }, 'service crashed');
      return false;
    }
  };

  const stopOne = async (actor: Address, service: Service): Promise<void> => {
    try {
      await service.stop();
    } catch (error) {
      options.log.error({ actor, err: error }, 'service not stopped');
    }
  };

  return {
    deliver,
    serves: (address) => types.has(kindOf(address)),
    views: (kind) =>
      [...running]
        .filter(([address]) => kindOf(address) === kind)
        .map(([, service]) => service.view()),
    layDown: async (covers) => {
      const gone = [...running].filter(([address]) => covers(address));
      for (const [address] of gone) running.delete(address);
      for (const address of [...seeds.keys()].filter(covers)) seeds.delete(address);
      await Promise.all(gone.map(([address, service]) => stopOne(address, service)));
    },
    stop: async () => {
      await Promise.all([...running].map(([address, service]) => stopOne(address, service)));
    },
  };
}
