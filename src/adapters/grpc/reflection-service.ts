/**
 * The standard reflection service, in its present version and the one before (same messages, another name):
 * tools that know nothing of this node find its services and how to call them.
 *
 * Input: the definitions as they were loaded; who may ask. Output: for each question its answer; one that
 * cannot be answered is answered with an error, and the stream goes on.
 *
 * Rules: [CL-81] every served service and every type of theirs can be found; [ID-16] over TLS only operators ask.
 */
import {
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { AnyCall } from './agent-service.js';
import { clientOf, type Definitions, loadDefinitions } from './definition.js';
import type { Peer } from './peer.js';
import { refusedWith } from './refusals.js';

/** Exactly one of them is set. */
interface Question {
  readonly host?: string;
  readonly fileByFilename?: string;
  readonly fileContainingSymbol?: string;
  readonly fileContainingExtension?: { readonly containingType?: string };
  readonly allExtensionNumbersOfType?: string;
  readonly listServices?: string;
}

type Asking = ServerDuplexStream<Question, object>;

export interface ReflectedService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

const OLDER = { from: '/grpc.reflection.v1.', to: '/grpc.reflection.v1alpha.' } as const;

/** Both versions; `peerOf` absent: whoever gets here may ask. */
export function reflectionServices(peerOf?: (call: AnyCall) => Peer): readonly ReflectedService[] {
  const definition = clientOf('ServerReflection').service;
  const implementation = { ServerReflectionInfo: serve(loadDefinitions(), peerOf) };
  return [definition, renamed(definition)].map((one) => ({ definition: one, implementation }));
}

function renamed(definition: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(definition).map(([name, method]) => [
    name,
    { ...method, path: method.path.replace(OLDER.from, OLDER.to) },
  ]);
  return Object.fromEntries(methods) as ServiceDefinition;
}

function serve(definitions: Definitions, peerOf?: (call: AnyCall) => Peer) {
  return (call: Asking): void => {
    if (peerOf !== undefined && peerOf(call as unknown as AnyCall).kind !== 'operator') {
      const { code, message } = refusedWith(
        'UNAUTHENTICATED',
        "ID-16: an operator's certificate is needed here",
      );
      call.emit('error', Object.assign(new Error(message), { code, details: message }));
      return;
    }
    call.on('data', (question: Question) => {
      const answer = answerTo(definitions, question);
      call.write({ validHost: question.host ?? '', originalRequest: question, ...answer });
    });
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };
}

function answerTo(definitions: Definitions, question: Question): object {
  const { fileByFilename, fileContainingSymbol, listServices } = question;
  if (listServices !== undefined) {
    const service = definitions.services.map((name) => ({ name }));
    return { listServicesResponse: { service } };
  }
  if (fileByFilename !== undefined) {
    return fileOr(definitions.fileNamed(fileByFilename), `there is no file ${fileByFilename}`);
  }
  if (fileContainingSymbol !== undefined) {
    const file = definitions.fileWith(fileContainingSymbol);
    return fileOr(file, `nothing is called ${fileContainingSymbol}`);
  }
  // None of our types has an extension.
  const { allExtensionNumbersOfType: type } = question;
  if (type !== undefined && definitions.fileWith(type) !== undefined) {
    return { allExtensionNumbersResponse: { baseTypeName: type, extensionNumber: [] } };
  }
  return errorOf('there is no such extension');
}

function fileOr(file: Buffer | undefined, otherwise: string): object {
  if (file === undefined) return errorOf(otherwise);
  return { fileDescriptorResponse: { fileDescriptorProto: [file] } };
}

function errorOf(errorMessage: string): object {
  return { errorResponse: { errorCode: status.NOT_FOUND, errorMessage } };
}
