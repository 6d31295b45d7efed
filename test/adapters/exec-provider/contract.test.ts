/** The exec provider keeps the contract of every provider, with a program that drives a cloud over HTTP. */
import { providerContract } from '../../contract/provider.js';
import { openExecLab } from '../../support/exec-lab.js';

providerContract('exec provider', openExecLab);
