/**
 * Cleanup: what is deleted goes for good once no registered controller has a status left; orgs after
 * their projects; events after seven days.
 */
import type { ResourceRow, ResourceType, Store } from './store.js';

export interface Controllers {
  readonly org: readonly string[];
  readonly project: readonly string[];
}

const EVENT_RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;

export function cleanUp(store: Store, controllers: Controllers, nowMs: number): void {
  store.forgetEventsBefore(nowMs - EVENT_RETENTION_MS);
  const released = (type: ResourceType, { id, deletedAt }: ResourceRow): boolean =>
    deletedAt !== null &&
    store.statusesOf(type, id).every(({ controller }) => !controllers[type].includes(controller));

  for (const project of store.projects()) {
    if (released('project', project)) store.erase('project', project.id);
  }
  const inUse = new Set(store.projects().map(({ orgId }) => orgId));
  for (const org of store.orgs()) {
    if (released('org', org) && !inUse.has(org.id)) store.erase('org', org.id);
  }
}
