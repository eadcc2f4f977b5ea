/** The HTTP API's wire schemas, shared by the Worker, the client and the documentation. */
export * from './common.ts';
export * from './classify.ts';
export * from './explain.ts';
export * from './heads.ts';
export * from './keys.ts';
