/**
 * The tables of the example tenant manager. Names of deleted resources stay taken until the row is gone,
 * and events keep the names they need, so that a deletion can be read when its row is not there any more.
 */

export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS orgs (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
  );
  CREATE TABLE IF NOT EXISTS projects (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    org_seq    INTEGER NOT NULL REFERENCES orgs (seq),
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    UNIQUE (org_seq, name)
  );
  CREATE TABLE IF NOT EXISTS tenancy_events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    event_type    TEXT NOT NULL CHECK (event_type IN ('created', 'deleted')),
    resource_type TEXT NOT NULL CHECK (resource_type IN ('org', 'project')),
    resource_id   TEXT NOT NULL,
    resource_name TEXT NOT NULL,
    org_id        TEXT,
    org_name      TEXT,
    created_at    INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS controller_statuses (
    controller    TEXT NOT NULL,
    resource_type TEXT NOT NULL CHECK (resource_type IN ('org', 'project')),
    resource_id   TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('in_progress', 'completed', 'error')),
    message       TEXT NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (controller, resource_type, resource_id)
  );
`;
