/**
 * The reload actor: one per node, `reload/main`. Gives the reload machine its file, its log level
 * and its voice towards every other actor.
 */
import type { JsonObject } from '../machines/model/json.js';
import { reloadMachine } from '../machines/reload.js';
import type {
  AnswerParams,
  ConvergeParams,
  LoadParams,
  LogLevelParams,
  ReloadContext,
} from '../machines/reload-memory.js';
import { deriveSite } from '../src/config/site.js';
import { asJson, type Outcome } from '../src/policy/reload.js';
import type { LogLevel, ReloadPorts } from '../src/ports/config-file.js';
import { type ActorType, durable, observed, type World } from '../src/runtime/actor-type.js';
import { lettersOf, permitRecreation } from './reload-converge.js';
import { asConfig, examine } from './reload-examine.js';

type Reload = World<ReloadPorts, undefined>;

/** The address of the only actor of this kind. */
export const RELOAD_KEY = 'main';

export const reloadActor: ActorType<ReloadPorts, undefined> = {
  kind: 'reload',
  machine: reloadMachine,
  version: 1,
  stored: true,
  implicit: true,
  effects: {
    load: observed((params: LoadParams, { scope, ports }: Reload) => {
      scope.run(async () => {
        const examined = await examine(ports.configFile, params);
        return { type: 'config.examined', examined };
      });
    }),
    converge: durable((params: ConvergeParams, { scope, ports }: Reload) => {
      ports.configFile.adopt(params.hash);
      ports.setGeneration(params.generation);
      const derived = deriveSite(asConfig(params.config), params.generation);
      const site = params.mayRecreate ? permitRecreation(derived) : derived;
      for (const { to, message } of lettersOf(site, params.retired)) scope.tell(to, message);
    }),
    applyLogLevel: durable(({ level, pass }: LogLevelParams, { scope, ports }: Reload) => {
      scope.run(async () => {
        return { type: 'hook.finished', pass, outcome: await setLogLevel(ports, level) };
      });
    }),
    answer: observed(({ askers, body }: AnswerParams, { scope }: Reload) => {
      for (const asker of askers) scope.reply(asker, body);
    }),
  },
  view: ({ context }) => viewOf(context as unknown as ReloadContext),
};

/** `last` is absent before the first pass; the history is newest first. */
function viewOf({ generation, history }: ReloadContext): JsonObject {
  const [last] = history;
  const results = history.map(asJson);
  return { generation, ...(last === undefined ? {} : { last: asJson(last) }), history: results };
}

async function setLogLevel(ports: ReloadPorts, level: string): Promise<Outcome> {
  try {
    await ports.setLogLevel(level as LogLevel);
    return { name: 'log_level', status: 'applied' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name: 'log_level', status: 'failed', error: reason };
  }
}
