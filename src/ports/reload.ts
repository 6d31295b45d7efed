/** What a reload does outside of actors. */
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { ConfigDesk, ConfigFile } from './config-file.js';
import type { Failpoints } from './failpoints.js';

/** Applies a part's settings, again if need be. May reject: the reload reports it and goes on. */
export type ApplySettings = (settings: JsonObject) => void | Promise<void>;

export interface ReloadPorts {
  readonly configFile: ConfigFile;
  readonly failpoints: Failpoints;
  /** Parts of the process by the name of their hook; one that is not there is skipped. */
  hook(name: string): ApplySettings | undefined;
  /** The generation that decisions are taken under from now on. */
  setGeneration(generation: number): void;
  /** Resolves when more messages may be sent: what was sent is on its way, and others had their turn. */
  room(): Promise<void>;
  /** Actors of these kinds that take no messages, as far as can be told; a few of them. */
  quarantined(kinds: readonly ActorKind[]): Promise<readonly Address[]>;
  /** What a reload would do to instances and VIPs; absent: nobody can say. */
  plan?(desk: ConfigDesk): Promise<JsonObject>;
  /** A pass ended: the result in the operators' shape. */
  report(result: JsonObject): void;
}
