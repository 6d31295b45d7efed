/**
 * Reads a stored row: where this release's machine stands by it, or one sentence why that cannot be
 * known. Nothing is guessed and nothing is filled in.
 *
 * A row is read when its text is whole, its machine, version and hash of states are this release's (or
 * it is older, and its type knows how to migrate it), and its state value is one the machine has.
 * Rules: [RT-9] else its actor is quarantined; [RT-65] an older row is migrated by its type or not at all.
 */
import type { Json, JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { StoredCell, StoredTimer } from '../ports/store.js';
import type { RegisteredType } from './registered.js';
import type { Configuration } from './stepper.js';

export interface ReadRow {
  readonly configuration: Configuration;
  readonly value: Json;
  readonly context: JsonObject;
  readonly timers: readonly StoredTimer[];
}

export function readRow(row: StoredCell, registered: RegisteredType): Result<ReadRow, string> {
  const { type, stepper } = registered;
  if (row.damaged !== undefined) return fail(row.damaged);
  if (row.machine !== stepper.machineId || row.machineVersion > type.version) {
    return fail(`${writtenBy(row)}, ${knows(registered)}`);
  }
  if (row.machineVersion < type.version) return migrated(row, registered);
  if (row.machineHash !== stepper.hash) {
    return fail(
      `${writtenBy(row)} with states ${row.machineHash}, this release's have hash ${stepper.hash}`,
    );
  }
  return standing(row, registered);
}

function migrated(row: StoredCell, registered: RegisteredType): Result<ReadRow, string> {
  const { migrate } = registered.type;
  const older = `${writtenBy(row)}, ${knows(registered)}`;
  if (migrate === undefined) return fail(`${older} and no migration`);
  const { machineVersion, value, context, timers } = row;
  try {
    const state = migrate({ machineVersion, value, context, timers });
    if (state === undefined) return fail(`${older} and no migration from there`);
    return standing(state, registered);
  } catch (error) {
    return fail(`${older}, whose migration failed: ${String(error)}`);
  }
}

function standing(
  { value, context, timers }: Omit<ReadRow, 'configuration'>,
  { stepper }: RegisteredType,
): Result<ReadRow, string> {
  try {
    return ok({ configuration: stepper.restore(value), value, context, timers });
  } catch (error) {
    return fail(`stored state ${JSON.stringify(value)} does not exist: ${String(error)}`);
  }
}

function writtenBy({ machine, machineVersion }: StoredCell): string {
  return `stored by machine ${machine} version ${machineVersion}`;
}

function knows({ type, stepper }: RegisteredType): string {
  return `this release has ${stepper.machineId} version ${type.version}`;
}
