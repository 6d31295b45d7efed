/** The services as loaded from their .proto at start: one source for servers and clients. */
import {
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { assert } from '../../../machines/model/assert.js';
import { packageFile } from '../system/package-file.js';

/** Largest message accepted from an operator, and largest answer a client takes. */
export const CONTROL_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

type ServiceName = 'Control' | 'Agent' | 'Operator' | 'Health';

const FILES: Readonly<Record<ServiceName, readonly string[]>> = {
  Control: ['switchyard', 'v1', 'control.proto'],
  Agent: ['switchyard', 'v1', 'agent.proto'],
  Operator: ['switchyard', 'v1', 'operator.proto'],
  Health: ['grpc', 'health', 'v1', 'health.proto'],
};

type Package = Readonly<Record<string, ServiceClientConstructor>>;

export function clientOf(service: ServiceName): ServiceClientConstructor {
  const file = packageFile('proto', ...FILES[service]);
  const includeDirs = [packageFile('proto')];
  const options = { longs: Number, enums: String, defaults: true, includeDirs };
  const root = loadPackageDefinition(loadSync(file, options)) as unknown as {
    readonly switchyard?: { readonly v1: Package };
    readonly grpc?: { readonly health: { readonly v1: Package } };
  };
  const found = (service === 'Health' ? root.grpc?.health.v1 : root.switchyard?.v1)?.[service];
  assert(found !== undefined, `${file} defines ${service}`);
  return found;
}

export function controlClient(): ServiceClientConstructor {
  return clientOf('Control');
}

/** The same service, in which a request of more bytes is refused unread. */
export function boundedService(service: ServiceName, bytesMax: number): ServiceDefinition {
  const methods = Object.entries(clientOf(service).service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer) => {
      if (bytes.length > bytesMax) throw new RangeError(`a message has at most ${bytesMax} bytes`);
      return method.requestDeserialize(bytes) as unknown;
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(methods) as ServiceDefinition;
}
