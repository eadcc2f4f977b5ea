/** The HTTP API's wire schemas, shared by the Worker, the client and the documentation. */
export * from './common.ts';
export * from './backup.ts';
export * from './batch.ts';
export * from './classify.ts';
export * from './explain.ts';
export * from './heads.ts';
export * from './keys.ts';
export * from './rebase.ts';
export * from './review.ts';
export * from './settings.ts';
export * from './teach.ts';
export * from './usage.ts';
export * from './versions.ts';
