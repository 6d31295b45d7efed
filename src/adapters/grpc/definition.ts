/** The Control service as loaded from its .proto at start: one source for server and clients. */
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { packageFile } from '../system/package-file.js';

/** Largest message accepted from an operator, and largest answer a client takes. */
export const CONTROL_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

export function controlClient(): ServiceClientConstructor {
  const file = packageFile('proto', 'switchyard', 'v1', 'control.proto');
  const definition = loadSync(file, { longs: Number, enums: String, defaults: true });
  const root = loadPackageDefinition(definition) as unknown as {
    readonly switchyard: { readonly v1: { readonly Control: ServiceClientConstructor } };
  };
  return root.switchyard.v1.Control;
}
