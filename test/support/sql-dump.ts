/** A database as SQL text that makes it again, row by row in the order of their keys: to be read and diffed. */
import type Database from 'better-sqlite3';

type Value = string | number | Buffer | null;

export function dumpOf(db: Database.Database): string {
  const tables = db
    .prepare<[], { name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
    )
    .all();
  const made = db
    .prepare<[], string>(
      'SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name',
    )
    .pluck()
    .all();
  const pragmas = ['application_id', 'user_version'].map(
    (name) => `PRAGMA ${name} = ${Number(db.pragma(name, { simple: true }))};`,
  );
  const rows = tables.flatMap(({ name }) => rowsOf(db, name));
  return `${[...made.map((sql) => `${sql};`), ...rows, ...pragmas].join('\n')}\n`;
}

/** The first column is the key of every table of ours. */
function rowsOf(db: Database.Database, table: string): readonly string[] {
  const rows = db.prepare<[], Value[]>(`SELECT * FROM ${table} ORDER BY 1`).raw().all();
  return rows.map((row) => `INSERT INTO ${table} VALUES (${row.map(literal).join(', ')});`);
}

function literal(value: Value): string {
  if (value === null) return 'NULL';
  if (Buffer.isBuffer(value)) return `X'${value.toString('hex')}'`;
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
