/** The HTTP adapter on the real example server keeps the contract of the port. */
import { tenancyContract } from '../../contract/tenancy-api.js';
import { managerLab } from '../../support/tenant-manager-lab.js';

const WORD: Readonly<Record<string, string>> = {
  IDLE: 'completed',
  ERROR: 'error',
  IN_PROGRESS: 'in_progress',
};

tenancyContract('HTTP on the example server', async () => {
  const lab = await managerLab();
  return {
    api: lab.api,
    createOrg: async (name) => void (await lab.call('POST', '/v1/orgs', { name })),
    createProject: async (org, name) =>
      void (await lab.call('POST', `/v1/orgs/${org}/projects`, { name })),
    removeOrg: async (name) => void (await lab.call('DELETE', `/v1/orgs/${name}`)),
    removeProject: async (org, name) =>
      void (await lab.call('DELETE', `/v1/orgs/${org}/projects/${name}`)),
    statuses: async () =>
      (await lab.projects()).flatMap(({ name, status: { indicator, message } }) =>
        message.startsWith('waiting for') ? [] : [`${name} ${WORD[indicator] ?? indicator}`],
      ),
    dispose: lab.dispose,
  };
});
