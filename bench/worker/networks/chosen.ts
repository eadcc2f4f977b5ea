/** The network of the Worker: the bundler puts another file of this folder in the place of this one. */
export { network } from './mobilenet-v3-small.ts';
