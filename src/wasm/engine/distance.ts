/**
 * Distances between pixels as types: offsetof<T>() is a constant at compile time, so that a kernel generic in T gets
 * addresses with constant offsets, which cost no instruction, and V8 gets a function of its own for each.
 */

/** Any distance: the kernel keeps a pointer a pixel. */
@unmanaged export class Any {}
/** Pixels of a picture, RGB in 16 bits, at stride 2. */
@unmanaged export class Bytes12 { a: f32; b: f32; c: f32; }
/** Pixels of a block in 16 bits. */
@unmanaged export class Bytes16 { a: v128; }
/** Pixels of a picture, RGB in floats, at stride 2. */
@unmanaged export class Bytes24 { a: f64; b: f64; c: f64; }
/** Pixels of a block of floats. */
@unmanaged export class Bytes32 { a: v128; b: v128; }
/** Pixels of a block of floats at stride 2. */
@unmanaged export class Bytes64 { a: v128; b: v128; c: v128; d: v128; }
