/** The judge is judged: it must keep the same contract as the simulator and a real VPP. */
import { dataplaneContract } from '../contract/dataplane.js';
import { createStrictDataplane } from '../support/strict-dataplane.js';
import { createStrictLb } from '../support/strict-lb.js';

dataplaneContract('the judge of the diff core', async () => {
  const dataplane = createStrictDataplane(createStrictLb());
  return { dataplane, close: () => dataplane.close() };
});
