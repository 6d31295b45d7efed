/** The parts of a group's test world, as its machines, neighbours and laws see each other. */
import type { GroupMemory } from '../../machines/group-memory.js';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import type { RecordParams } from '../../machines/model/effects.js';
import type { Address, FrontendName, InstanceId } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import type {
  GroupStatus,
  HealthState,
  MemberLevel,
  Message,
  ProviderMessage,
} from '../../machines/model/messages.js';

/** Frontends that follow a script, or the real ones before a simulated lbsync. */
export type Cast = 'scripted' | 'real';

export interface Made {
  readonly providerId: string;
  readonly token: string;
  readonly address: string;
  readonly instance: InstanceId;
  alive: boolean;
  /** Health of its backend, as a probe would find it. */
  health: HealthState;
}

/** What a create does, and what its asker hears of it. */
export type CreateOutcome =
  | 'made'
  | 'made-unanswered'
  | 'made-unavailable'
  | 'unanswered'
  | 'unavailable'
  | 'quota'
  | 'permanent';

export interface Neighbours {
  /** What exists at the provider, by token. */
  readonly made: ReadonlyMap<string, Made>;
  /** Every message to the provider, in order. */
  readonly calls: readonly ProviderMessage[];
  readonly statuses: readonly GroupStatus[];
  /** How many levels frontends were told. */
  readonly levels: number;
  /** A frozen frontend applies and acknowledges nothing. */
  readonly frozen: Set<FrontendName>;
  /** Health a new instance comes up with. */
  newborn: HealthState;
  /** The shrink guard lets go whoever asks. */
  guardLetsGo: boolean;
  /** How an answer to `create` looks; undefined: chance decides. */
  onCreate: CreateOutcome | undefined;
  /** What the provider says of one that is asked about; undefined: the truth. */
  onPoll: 'unanswered' | 'unavailable' | undefined;
  /** VPP has a server for this member. */
  holds(frontend: FrontendName, member: InstanceId): boolean;
  /** The process starts over. */
  startOver(): void;
  /** What a scripted frontend holds for a member; absent: no AS. */
  asOf(frontend: FrontendName, member: InstanceId): MemberLevel | undefined;
  receive(to: Address, message: Message): void;
  die(instance: InstanceId): void;
  setHealth(instance: InstanceId, health: HealthState): void;
  onDelete(check: (made: Made) => void): void;
}

/** Anything an actor may be told, with its fields. */
export type Said = Message & { readonly [field: string]: unknown };

export interface Recorded extends RecordParams {
  readonly atMs: number;
  readonly actor: Address;
}

export interface Faults {
  /** Chance that a message is lost. */
  loss: number;
  /** Chance that the provider answers `unavailable`, having done what was asked or not. */
  unavailable: number;
  /** Chance that the provider refuses a create for good. */
  quota: number;
  /** The store takes no commit; what is decided meanwhile waits. */
  storeDown: boolean;
}

export interface GroupWorld {
  readonly faults: Faults;
  readonly neighbours: Neighbours;
  readonly records: readonly Recorded[];
  readonly replies: Readonly<Record<string, Json>>;
  now(): number;
  chance(): number;
  /** Puts a message into an actor's mailbox; nobody of ours: into the neighbours' hands. */
  tell(to: Address, message: Said, ask?: string): void;
  later(delayMs: number, run: () => void): void;
  /** Tells an actor of this life of the process; lost when it ends before. */
  answer(to: Address, message: Message): void;
  run(forMs: number): void;
  crash(): void;
  group(): GroupMemory;
  instances(): readonly InstanceMemory[];
  /** The chart's own value, as JSON text. */
  chartOf(address: Address): string;
  timerOf(address: Address, name: string): number | undefined;
}
