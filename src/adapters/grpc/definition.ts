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

type ServiceName = 'Control' | 'Agent' | 'Operator' | 'Health' | 'ServerReflection';

const FILES: Readonly<Record<ServiceName, readonly string[]>> = {
  Control: ['switchyard', 'v1', 'control.proto'],
  Agent: ['switchyard', 'v1', 'agent.proto'],
  Operator: ['switchyard', 'v1', 'operator.proto'],
  Health: ['grpc', 'health', 'v1', 'health.proto'],
  ServerReflection: ['grpc', 'reflection', 'v1', 'reflection.proto'],
};

type Package = Readonly<Record<string, ServiceClientConstructor>>;

export function clientOf(service: ServiceName): ServiceClientConstructor {
  const file = packageFile('proto', ...FILES[service]);
  const includeDirs = [packageFile('proto')];
  const options = { longs: Number, enums: String, defaults: true, includeDirs };
  const root = loadPackageDefinition(loadSync(file, options)) as unknown as {
    readonly switchyard?: { readonly v1: Package };
    readonly grpc?: Readonly<Record<string, { readonly v1: Package }>>;
  };
  const ofGrpc = root.grpc?.['health'] ?? root.grpc?.['reflection'];
  const found = (ofGrpc ?? root.switchyard)?.v1[service];
  assert(found !== undefined, `${file} defines ${service}`);
  return found;
}

/** All that is served, for whoever asks what there is. */
export interface Definitions {
  /** Full names. */
  readonly services: readonly string[];
  /** Serialized descriptors; one file for each package, as the loader writes them. */
  fileNamed(name: string): Buffer | undefined;
  /** Of a service, a method, a message, a field, an enum. */
  fileWith(symbol: string): Buffer | undefined;
}

export function loadDefinitions(): Definitions {
  const files = Object.values(FILES).map((parts) => packageFile('proto', ...parts));
  const loaded = loadSync(files, { includeDirs: [packageFile('proto')] });
  const entries = Object.entries(loaded);
  const descriptors = entries.flatMap(([, one]) =>
    'fileDescriptorProtos' in one ? [one.fileDescriptorProtos as readonly Buffer[]] : [],
  );
  const named = (descriptors[0] ?? []).map((bytes) => ({ bytes, ...headOf(bytes) }));
  const symbols = entries.map(([name]) => name);
  const knows = (symbol: string): boolean =>
    symbols.some((name) => name === symbol || symbol.startsWith(`${name}.`));
  return {
    services: entries.flatMap(([name, one]) => ('fileDescriptorProtos' in one ? [] : [name])),
    fileNamed: (name) => named.find((one) => one.name === name)?.bytes,
    fileWith: (symbol) =>
      knows(symbol) ? named.find((one) => symbol.startsWith(`${one.package}.`))?.bytes : undefined,
  };
}

/** Its first two fields: what it is called, and its package. */
function headOf(descriptor: Buffer): { readonly name: string; readonly package: string } {
  const text = (at: number): string =>
    descriptor.subarray(at + 2, at + 2 + (descriptor[at + 1] ?? 0)).toString('utf8');
  const name = text(0);
  return { name, package: text(2 + Buffer.byteLength(name)) };
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
