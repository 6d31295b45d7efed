/** The scripted tenant manager of other tests keeps the contract of the real one. */
import { scriptedTenancy } from '../support/scripted-tenancy.js';
import { tenancyContract } from './tenancy-api.js';

tenancyContract('scripted tenant manager', async () => {
  const api = scriptedTenancy();
  const ids = new Map<string, string>();
  const projectsOf = (org: string) => [...ids.keys()].filter((key) => key.startsWith(`${org}/`));
  const remove = (key: string) => api.remove(ids.get(key) ?? '');
  return {
    api,
    createOrg: async (name) => void ids.set(name, api.create('org', name)),
    createProject: async (org, name) => void ids.set(`${org}/${name}`, api.create('project', name)),
    removeOrg: async (name) => {
      for (const key of projectsOf(name)) remove(key);
      remove(name);
    },
    removeProject: async (org, name) => remove(`${org}/${name}`),
    statuses: async () =>
      [...ids].flatMap(([key, id]) => {
        const status = api.statuses.get(id);
        return status === undefined ? [] : [`${key.split('/').at(-1)} ${status}`];
      }),
    dispose: async () => undefined,
  };
});
