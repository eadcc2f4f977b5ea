/** The stores that the Worker and its Durable Objects are bound to. */
export interface StoreBindings {
  readonly HEADS: R2Bucket;
  readonly POINTERS: KVNamespace;
}
