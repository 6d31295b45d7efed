/** The process provider keeps the contract of every provider, with real processes. */
import { providerContract } from '../../contract/provider.js';
import { openProcessLab } from '../../support/process-lab.js';

providerContract('process provider', openProcessLab);
