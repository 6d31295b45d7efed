/**
 * Actor types as a host runs them. Each is made one object of one shape, whatever its author wrote down
 * and left out: the code that reads it for every message meets that one shape only, in every host of a
 * thread, and so does not have to be compiled again when a thread that has rehearsed gets its task.
 */
import type { AnyStateMachine } from 'xstate';
import type { ActorKind } from '../../machines/model/ids.js';
import type { ActorType, EffectRow } from './actor-type.js';
import { createStepper, type Stepper } from './stepper.js';

type Said<K extends keyof ActorType> = ActorType[K] | undefined;

/** What an actor type says, with its effects by name. */
export class HostedType {
  readonly kind: ActorKind;
  readonly version: number;
  readonly stored: boolean;
  readonly implicit: boolean;
  readonly actsAtBirth: boolean;
  readonly seed: Said<'seed'>;
  readonly restart: Said<'restart'>;
  readonly view: ActorType['view'];
  readonly migrate: Said<'migrate'>;
  readonly attachedTo: Said<'attachedTo'>;
  readonly companion: Said<'companion'>;
  readonly dispose: Said<'dispose'>;
  readonly isShown: Said<'isShown'>;
  readonly coalesce: Said<'coalesce'>;
  readonly joint: Said<'joint'>;
  readonly isSample: Said<'isSample'>;
  readonly timed: Said<'timed'>;
  readonly effects: ReadonlyMap<string, EffectRow<unknown, unknown>>;

  constructor(type: ActorType) {
    this.kind = type.kind;
    this.version = type.version;
    this.stored = type.stored;
    this.implicit = type.implicit;
    this.actsAtBirth = type.actsAtBirth === true;
    this.seed = type.seed;
    this.restart = type.restart;
    this.view = type.view;
    this.migrate = type.migrate;
    this.attachedTo = type.attachedTo;
    this.companion = type.companion;
    this.dispose = type.dispose;
    this.isShown = type.isShown;
    this.coalesce = type.coalesce;
    this.joint = type.joint;
    this.isSample = type.isSample;
    this.timed = type.timed;
    const rows = Object.entries(type.effects);
    this.effects = new Map(
      rows.map(([name, { class: of, oncePerFleet, perform }]) => [
        name,
        { class: of, oncePerFleet, perform },
      ]),
    );
  }
}

/** As HostOptions has them. */
interface Given {
  readonly types: readonly ActorType[];
  readonly path?: 'generic' | undefined;
}

export interface RegisteredType {
  readonly type: HostedType;
  readonly stepper: Stepper;
}

export function registered({ types, path }: Given): ReadonlyMap<ActorKind, RegisteredType> {
  return new Map(
    types.map((type) => {
      const stepper =
        path === undefined ? sharedStepper(type.machine) : createStepper(type.machine, { path });
      return [type.kind, { type: new HostedType(type), stepper }];
    }),
  );
}

const shared = new WeakMap<AnyStateMachine, Stepper>();

/** Pure, so that the hosts of a thread may share it with what it has worked out; steps never nest. */
function sharedStepper(machine: AnyStateMachine): Stepper {
  const known = shared.get(machine) ?? createStepper(machine);
  shared.set(machine, known);
  return known;
}
