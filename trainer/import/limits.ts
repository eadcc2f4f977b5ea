/** The caps of a model to be imported, checked before memory is taken for what they bound. */
const MIB = 1024 * 1024;

/** model.json; the largest published MobileNet's has 200 kB. */
export const MAX_MODEL_JSON_BYTES = 8 * MIB;
/** All shards together: 16 million weights in single precision, three times the largest MobileNet. */
export const MAX_WEIGHT_BYTES = 64 * MIB;
export const MAX_SHARDS = 64;
export const MAX_WEIGHTS = 4096;
export const MAX_NODES = 8192;
/** Layers within layers. */
export const MAX_NESTING = 8;
export const MAX_RANK = 6;
/** Of names of layers, nodes and weights. */
export const MAX_NAME_LENGTH = 512;
/** Of one side of a tensor. */
export const MAX_SIDE = 1 << 20;
