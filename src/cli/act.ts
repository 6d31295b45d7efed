/** One call that changes something, and its answer as details. */
import type { Command } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { details, type Format, printObject } from './print.js';
import { callAndPrint } from './session.js';

export function act(
  command: Command,
  call: { readonly name: string; readonly request: JsonObject },
  format: Format,
): Promise<void> {
  return callAndPrint(command, call, (answer) => {
    printObject(answer, format, () => details(answer));
    return EXIT.ok;
  });
}
