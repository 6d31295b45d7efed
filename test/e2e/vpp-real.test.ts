/**
 * The dataplane contract on a real VPP: `VPP_API_SOCKET=/run/vpp/api.sock npm test`. It uses
 * documentation addresses only and removes what it adds. Without the variable there is no test here:
 * the simulator passes the same suite.
 */
import { systemClock } from '../../src/adapters/system/clock.js';
import { openVpp } from '../../src/adapters/vpp/client.js';
import { dataplaneContract } from '../contract/dataplane.js';

const path = process.env['VPP_API_SOCKET'] ?? '';

if (path === '') {
  console.log('# VPP_API_SOCKET is not set: nothing is run against a real VPP');
} else {
  dataplaneContract(`VPP at ${path}`, async () => {
    const dataplane = openVpp({ path, clock: systemClock() });
    return { dataplane, close: () => dataplane.close() };
  });
}
