// Runs after `npm install`: says in one sentence what is missing, when Node is too old or the SQLite
// addon did not build. better-sqlite3 is an optional dependency only so that this message, not a page
// of compiler output, is what the user reads last; the daemon cannot run without it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const fails = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status !== 0;

function nodeProblem() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 20)) return undefined;
  return `Node ${process.versions.node} is too old: install Node 20.20 or later`;
}

function sqliteProblem() {
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3');
    new Database(':memory:').close();
    return undefined;
  } catch (error) {
    const missing = ['python3', 'make', 'g++'].filter(fails);
    return missing.length > 0
      ? `better-sqlite3 is compiled on install and needs ${missing.join(', ')}: run 'apt-get install -y python3 make g++' (or your system's equivalent)`
      : `better-sqlite3 did not build (${String(error.message).split('\n')[0]}): run 'npm rebuild better-sqlite3 --foreground-scripts' to see why`;
  }
}

const problem = nodeProblem() ?? sqliteProblem();
if (problem !== undefined) {
  console.error(`\nswitchyard: ${problem}, then 'npm install' again.\n`);
  process.exit(1);
}
