/**
 * The backbone: a frozen network, read from a plan and its weights, and the engines that turn pictures into CNN codes.
 * Engines with dependencies of their own are imported where they are used, so that a host bundles only what it runs.
 */
export { allowsSize, backboneAt, sizesInWords, type Size } from './at-size.ts';
export type { Cut } from './cut.ts';
export { cutAt, cutPlaces, WHOLE } from './cut.ts';
export type { Engine, MapEngine, TailedEngine, TailEngine } from './engine.ts';
export type { Backbone } from './load.ts';
export { loadBackbone } from './load.ts';
export * from './plan.ts';
export type { MapShape } from './shapes.ts';
export type { Tail } from './tail.ts';
export { tailOf, tensorNames, trunkFor, trunkOf } from './tail.ts';
