/** The actor that judges what the agent on an instance says. */
import {
  type ActorKind,
  type Address,
  addressOf,
  type InstanceId,
} from '../../../machines/model/ids.js';

export function agentAddress(instance: InstanceId): Address {
  return addressOf('agent' as ActorKind, instance);
}
